/* Many requests and answers at once: they share messages, slots and windows. */
#include "bus_batch.h"

#include <stdio.h>

#include <nng/protocol/reqrep0/rep.h>
#include <sodium.h>

#include "bus_impl.h"
#include "bus_pair.h"

#define LARGE 100000

static void bus_answers_what_was_asked_at_once_in_its_order(void **state)
{
	(void)state;
	ask(ASKED_MAX, 0);
	until(&f.answers, ASKED_MAX);
	assert_int_equal(f.good, ASKED_MAX);
	assert_int_equal(f.in_order, ASKED_MAX);
}

static void bus_serves_no_more_at_once_than_it_may_and_the_rest_later(void **state)
{
	(void)state;
	f.hold = true;
	ask(3 * SLOTS, 0);
	until(&f.calls, SLOTS);
	turn_for(f.asker_ev, 0.05);
	turn_for(f.server_ev, 0.05);
	assert_int_equal(f.calls, SLOTS);
	f.hold = false;
	for (int i = 0; i < SLOTS; i++)
		answer(f.held[i]);
	until(&f.answers, 3 * SLOTS);
	assert_int_equal(f.good, 3 * SLOTS);
}

/* It asks and then stands still. What it asked for is more than sockets and nng keep, and more than is kept for it. */
static void bus_loses_no_answer_of_one_who_stood_still(void **state)
{
	(void)state;
	f.size = LARGE;
	begin_connection();
	ask(ASKED_MAX, 0);
	turn_for(f.asker_ev, 0.05);
	turn_for(f.server_ev, 2);
	assert_in_range(f.calls, 50, ASKED_MAX - 1);
	until(&f.answers, ASKED_MAX);
	assert_int_equal(f.good, ASKED_MAX);
}

/* It asks in many messages, stands still, and wakes: its word that it has taken answers still comes through. */
static void bus_serves_others_and_him_again_who_could_take_no_more(void **state)
{
	struct bus *asker = make_bus(f.server_ev, SLOTS);
	struct peer *full = f.peer, *peer = bus_dial(asker, "store", f.address, NULL);
	int answers;

	(void)state;
	f.size = LARGE;
	begin_connection();
	for (int i = 0; i < 40; i++) {
		ask(ASKED_MAX / 40, 0);
		turn_for(f.asker_ev, 0.003);
	}
	turn_for(f.server_ev, 2);
	assert_in_range(f.calls, 50, ASKED_MAX - 1);
	answers = f.answers;
	f.peer = peer;
	ask(1, 0);
	for (int i = 0; i < 500 && f.answers == answers; i++)
		turn_for(f.server_ev, 0.01);
	assert_int_equal(f.good, answers + 1); /* the other one */
	f.peer = full;
	until(&f.answers, ASKED_MAX + 1);
	assert_int_equal(f.good, ASKED_MAX + 1);
	bus_free(asker);
}

/* Two instances; the one that was asked first stands still until the other has begun. Its refusal comes too late. */
static void bus_ends_a_request_by_an_answer_to_its_last_try_only(void **state)
{
	struct ev_loop *other_ev = ev_loop_new(EVFLAG_AUTO);
	struct bus *other = make_bus(other_ev, SLOTS), *asker = make_bus(f.asker_ev, SLOTS);
	char address[TEST_ADDRESS_SIZE], both[2 * TEST_ADDRESS_SIZE];
	struct peer *one = f.peer;

	(void)state;
	test_address(address);
	assert_true(bus_serve(other, "other", address, &f.dispatch, NULL, NULL));
	snprintf(both, sizeof(both), "%s,%s", f.address, address);
	f.peer = bus_dial(asker, "both", both, NULL);
	turn_for(f.asker_ev, 0.3);
	for (int i = 0; i < 4; i++) { /* each link has shown how quick it can be */
		ask(1, 3000);
		for (int n = 0; n < 100 && f.answers <= i; n++) {
			turn_for(f.asker_ev, 0.005);
			turn_for(f.server_ev, 0.005);
			turn_for(other_ev, 0.005);
		}
	}
	assert_int_equal(f.good, 4);
	f.hold = true;
	f.calls = 0;
	ask(1, 3000); /* to the first, in turn */
	for (int n = 0; n < 1000 && f.calls == 0; n++) {
		turn_for(f.asker_ev, 0.005);
		turn_for(other_ev, 0.005);
	}
	assert_int_equal(f.calls, 1);
	turn_for(f.server_ev, 0.1); /* it wakes, and is too late */
	turn_for(f.asker_ev, 0.1);
	assert_int_equal(f.calls, 1);
	assert_int_equal(f.answers, 4);
	answer(f.held[0]);
	turn_for(other_ev, 0.1);
	until(&f.answers, 5);
	assert_int_equal(f.good, 5);
	f.peer = one;
	bus_free(asker);
	bus_free(other);
	ev_loop_destroy(other_ev);
}

/* ---- who does not read -------------------------------------------------------- */

static struct peer *dial_a_wall(nng_socket *wall)
{
	char address[TEST_ADDRESS_SIZE];
	char *url;
	struct peer *peer;

	test_address(address);
	url = bus_url(NULL, address, true);
	assert_int_equal(nng_rep0_open_raw(wall), 0);
	assert_int_equal(nng_listen(*wall, url, NULL, 0), 0);
	peer = bus_dial(f.asker, "wall", address, NULL);
	for (int i = 0; i < 500 && !peer_is_up(peer); i++)
		turn_for(f.asker_ev, 0.01);
	talloc_free(url);
	return peer;
}

static void ask_at_length(struct peer *peer)
{
	char *bytes = malloc(LARGE);
	struct msg_track_create m = { .key = text_of(bytes, LARGE) };

	memset(bytes, 'x', LARGE);
	bus_request(peer, MSG_TRACK_CREATE, &m, &(struct ask){ .timeout_ms = 60000 }, on_answer, NULL);
	free(bytes);
}

static void bus_goes_on_while_two_peers_do_not_read(void **state)
{
	nng_socket wall[2];
	struct peer *peer[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		peer[i] = dial_a_wall(&wall[i]);
	for (int i = 0; i < 150; i++) {
		ask_at_length(peer[i % 2]);
		turn_for(f.asker_ev, 0.002);
	}
	ask(1, 0);
	until(&f.answers, 1);
	assert_int_equal(f.good, 1);
	for (int i = 0; i < 2; i++)
		nng_close(wall[i]);
}

static void bus_leaves_out_an_answer_that_comes_after_its_request_was_given_up(void **state)
{
	(void)state;
	f.hold = true;
	ask(1, 100);
	until(&f.calls, 1);
	until(&f.answers, 1);
	assert_int_equal(f.good, 0);
	answer(f.held[0]); /* its slot at the asker is used again by now */
	ask(1, 0);
	until(&f.calls, 2);
	turn_for(f.asker_ev, 0.05);
	assert_int_equal(f.answers, 1);
	answer(f.held[1]);
	until(&f.answers, 2);
	assert_int_equal(f.good, 1);
}

static void bus_begins_nothing_that_waited_when_its_asker_died(void **state)
{
	(void)state;
	f.hold = true;
	ask(2 * SLOTS, 0);
	until(&f.calls, SLOTS);
	bus_free(f.asker);
	f.asker = make_bus(f.asker_ev, SLOTS);
	until(&f.gone, SLOTS);
	for (int i = 0; i < SLOTS; i++)
		answer(f.held[i]);
	turn_for(f.server_ev, 0.05);
	assert_int_equal(f.calls, SLOTS);
	assert_int_equal(bus_stats(f.server)->calls_open, 0);
}

static void batch_gives_back_what_was_put_in(void **state)
{
	UT_string batch = { 0 };
	struct text rest, frame;
	uint32_t number = 0;
	uint64_t id = 0;
	size_t start;

	(void)state;
	utstring_init(&batch);
	batch_begin(&batch, 1);
	batch_number(&batch, 0xfffffffe);
	start = batch_entry_begin(&batch, 0x0123456789abcdef);
	utstring_bincpy(&batch, "one", 3);
	batch_entry_end(&batch, start);
	batch_entry_end(&batch, batch_entry_begin(&batch, 2));
	assert_true(batch_open(text_of(utstring_body(&batch), utstring_len(&batch)), &number, &rest));
	assert_int_equal(number, 0xfffffffe);
	assert_true(batch_next(&rest, &id, &frame));
	assert_true(id == 0x0123456789abcdef && text_is(frame, "one"));
	assert_true(batch_next(&rest, &id, &frame));
	assert_true(id == 2 && frame.len == 0);
	assert_false(batch_next(&rest, &id, &frame));
	assert_false(batch_open(text_from("ALPC0000"), &number, &rest));
	utstring_done(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_gives_back_what_was_put_in),
		cmocka_unit_test_setup_teardown(bus_answers_what_was_asked_at_once_in_its_order, pair_setup,
						pair_teardown),
		cmocka_unit_test_setup_teardown(bus_serves_no_more_at_once_than_it_may_and_the_rest_later, pair_setup,
						pair_teardown),
		cmocka_unit_test_setup_teardown(bus_loses_no_answer_of_one_who_stood_still, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(bus_leaves_out_an_answer_that_comes_after_its_request_was_given_up,
						pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(bus_begins_nothing_that_waited_when_its_asker_died, pair_setup,
						pair_teardown),
		cmocka_unit_test_setup_teardown(bus_serves_others_and_him_again_who_could_take_no_more, pair_setup,
						pair_teardown),
		cmocka_unit_test_setup_teardown(bus_ends_a_request_by_an_answer_to_its_last_try_only, pair_setup,
						pair_teardown),
		cmocka_unit_test_setup_teardown(bus_goes_on_while_two_peers_do_not_read, pair_setup, pair_teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
