/* Many requests and answers at once: they share messages, slots and windows. */
#include "bus.h"

#include <stdio.h>
#include <stdlib.h>

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <sodium.h>

#include "bus_batch.h"
#include "bus_impl.h"
#include "test_address.h"
#include "unit.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define ASKED_MAX 400
#define SLOTS 8
#define LARGE 100000

/* A server on one loop, who asks on another: each runs only while the test lets it. */
static struct fixture {
	struct ev_loop *server_ev, *asker_ev;
	struct bus *server, *asker;
	struct peer *peer;
	struct dispatch dispatch;
	char address[TEST_ADDRESS_SIZE];
	struct call *held[ASKED_MAX];
	bool hold;
	size_t size; /* of an answer */
	int calls, gone, refused, answers, good, in_order;
} f;

static void on_deadline(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)w, (void)events;
	ev_break(ev, EVBREAK_ALL);
}

static void turn_for(struct ev_loop *ev, double seconds)
{
	ev_timer timer;

	ev_now_update(ev);
	ev_timer_init(&timer, on_deadline, seconds, 0.);
	ev_timer_start(ev, &timer);
	ev_run(ev, 0);
	ev_timer_stop(ev, &timer);
}

/* Turns both loops until *counter reaches n, at most about 20 s. */
static void until(const int *counter, int n)
{
	for (int i = 0; i < 1000 && *counter < n; i++) {
		turn_for(f.asker_ev, 0.01);
		turn_for(f.server_ev, 0.01);
	}
	assert_true(*counter >= n);
}

static void answer(struct call *call)
{
	char *bytes = malloc(f.size);

	memset(bytes, 'x', f.size);
	call_answer(call, &(struct ans_track_get){ .track = text_of(bytes, f.size) });
	free(bytes);
}

static enum rc serve_track_get(void *service, const void *m, struct call *call)
{
	(void)service, (void)m;
	if (f.hold)
		f.held[f.calls] = call;
	else
		answer(call);
	f.calls++;
	return f.hold ? RC_PENDING : RC_OK;
}

static void on_gone(void *service, struct call *call)
{
	(void)service, (void)call;
	f.gone++;
}

static void on_refused(void *arg, const char *socket, const struct err *why)
{
	(void)arg, (void)socket, (void)why;
	f.refused++;
}

static void on_answer(void *arg, const struct answer *got)
{
	f.good += got->body != NULL && ((const struct ans_track_get *)got->body)->track.len == f.size;
	f.in_order += (int)(intptr_t)arg == f.answers;
	f.answers++;
}

static void ask(int n, int64_t timeout_ms)
{
	struct msg_track_get m = { { "11111111-1111-4111-8111-111111111111" } };

	for (int i = 0; i < n; i++)
		bus_request(f.peer, MSG_TRACK_GET, &m, &(struct ask){ .timeout_ms = timeout_ms }, on_answer,
			    (void *)(intptr_t)i); /* NOLINT(performance-no-int-to-ptr): it is a number */
}

static struct bus *make_bus(struct ev_loop *ev, int inflight_max)
{
	return bus_new(NULL, &(struct bus_config){ .ev = ev,
						   .key = text_from(KEY),
						   .message_max = 1U << 20,
						   .inflight_max = inflight_max,
						   .event_queue = 64,
						   .timeout_ms = 15000,
						   .watch = { .refused = on_refused } });
}

static int setup(void **state)
{
	static const int up = 1;
	int is_up = 0;

	(void)state;
	f = (struct fixture){ .size = 10 };
	f.server_ev = ev_loop_new(EVFLAG_AUTO);
	f.asker_ev = ev_loop_new(EVFLAG_AUTO);
	f.dispatch.call[MSG_TRACK_GET] = serve_track_get;
	f.dispatch.gone = on_gone;
	test_address(f.address);
	f.server = make_bus(f.server_ev, SLOTS);
	assert_true(bus_serve(f.server, "store", f.address, &f.dispatch, NULL, NULL));
	f.asker = make_bus(f.asker_ev, ASKED_MAX);
	f.peer = bus_dial(f.asker, "store", f.address, NULL);
	for (int i = 0; i < 500 && is_up < up; i++, is_up = peer_is_up(f.peer))
		turn_for(f.asker_ev, 0.01);
	assert_int_equal(is_up, up);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bus_free(f.asker);
	bus_free(f.server);
	ev_loop_destroy(f.asker_ev);
	ev_loop_destroy(f.server_ev);
	return 0;
}

/* The first request of a connection travels by itself. */
static void begin_connection(void)
{
	size_t size = f.size;

	f.size = 1;
	ask(1, 0);
	until(&f.answers, 1);
	assert_int_equal(f.good, 1);
	f.size = size;
	f.calls = f.answers = f.good = f.in_order = 0;
}

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

/* ---- who knows no batches ------------------------------------------------------ */

static nng_msg *one_frame(void)
{
	unsigned char key[BUS_KEY_BYTES];
	CLEANUP(string_done) UT_string bytes = { 0 };
	struct envelope env = { .msg = MSG_TRACK_GET, .caller = caller_nobody, .timeout_ms = 5000 };
	struct msg_track_get m = { { "11111111-1111-4111-8111-111111111111" } };

	frame_key(text_from(KEY), key);
	utstring_init(&bytes);
	frame_encode(&bytes, key, &env, &m);
	return bus_message(&bytes);
}

static void bus_answers_a_single_frame_with_one(void **state)
{
	unsigned char key[BUS_KEY_BYTES];
	struct frame *frame;
	struct err err;
	nng_socket old;
	nng_msg *msg = NULL;
	char *url = bus_url(NULL, f.address, true);

	(void)state;
	assert_int_equal(nng_req0_open(&old), 0);
	assert_int_equal(nng_dial(old, url, NULL, 0), 0);
	assert_int_equal(nng_sendmsg(old, one_frame(), 0), 0);
	for (int i = 0; i < 500 && nng_recvmsg(old, &msg, NNG_FLAG_NONBLOCK) != 0; i++)
		turn_for(f.server_ev, 0.01);
	assert_non_null(msg);
	frame_key(text_from(KEY), key);
	frame = frame_decode(NULL, key, text_of(nng_msg_body(msg), nng_msg_len(msg)), NULL, &err);
	assert_non_null(frame);
	assert_true(frame->env.is_answer);
	assert_int_equal(((const struct ans_track_get *)frame->body)->track.len, f.size);
	talloc_free(frame);
	nng_msg_free(msg);
	nng_close(old);
	talloc_free(url);
}

/* Answers as bus did before there were batches, one at a time, until the asker has n answers. */
static void answer_singly_until(nng_socket old, int n)
{
	unsigned char key[BUS_KEY_BYTES];
	nng_msg *msg;

	frame_key(text_from(KEY), key);
	for (int i = 0; i < 500 && f.answers < n; i++) {
		turn_for(f.asker_ev, 0.005);
		while (nng_recvmsg(old, &msg, NNG_FLAG_NONBLOCK) == 0) {
			CLEANUP(string_done) UT_string out = { 0 };
			struct envelope env = { .msg = MSG_TRACK_GET, .is_answer = true };

			assert_true(nng_msg_len(msg) > 4 && memcmp(nng_msg_body(msg), "ALPB", 4) != 0);
			nng_msg_free(msg);
			utstring_init(&out);
			frame_encode(&out, key, &env, &(struct ans_track_get){ .track = text_from("0123456789") });
			assert_int_equal(nng_sendmsg(old, bus_message(&out), 0), 0);
			f.calls++;
		}
	}
	assert_int_equal(f.answers, n);
}

static void bus_asks_one_by_one_who_knows_no_batches_and_learns_of_a_new_one(void **state)
{
	char *url = bus_url(NULL, f.address, true);
	nng_socket old;

	(void)state;
	bus_free(f.server);
	assert_int_equal(nng_rep0_open(&old), 0);
	assert_int_equal(nng_listen(old, url, NULL, 0), 0);
	ask(20, 0);
	answer_singly_until(old, 20);
	assert_int_equal(f.good, 20);
	assert_int_equal(f.calls, 20);
	ask(20, 0);
	nng_close(old);
	f.server = make_bus(f.server_ev, SLOTS);
	assert_true(bus_serve(f.server, "store", f.address, &f.dispatch, NULL, NULL));
	until(&f.answers, 40);
	assert_int_equal(f.good, 40);
	talloc_free(url);
}

static void send_raw(nng_socket nng, const char *bytes, size_t len)
{
	nng_msg *msg = NULL;

	assert_int_equal(nng_msg_alloc(&msg, 0), 0);
	assert_int_equal(nng_msg_append(msg, bytes, len), 0);
	assert_int_equal(nng_msg_header_append_u32(msg, 0x80000001U), 0);
	assert_int_equal(nng_sendmsg(nng, msg, 0), 0);
}

#define SEND_LITERAL(nng, literal) send_raw(nng, literal, sizeof(literal) - 1)

static void bus_answers_hundreds_of_single_frames_at_once(void **state)
{
	char *url = bus_url(NULL, f.address, true);
	int singles = 0;
	nng_socket old;
	nng_msg *msg;

	(void)state;
	assert_int_equal(nng_req0_open_raw(&old), 0);
	nng_socket_set_int(old, NNG_OPT_RECVBUF, 2 * ASKED_MAX);
	assert_int_equal(nng_dial(old, url, NULL, 0), 0);
	for (unsigned int i = 0; i < ASKED_MAX; i++) {
		msg = one_frame();
		assert_int_equal(nng_msg_header_append_u32(msg, 0x80000000U | i), 0);
		assert_int_equal(nng_sendmsg(old, msg, 0), 0);
	}
	for (int i = 0; i < 500 && singles < ASKED_MAX; i++) {
		turn_for(f.server_ev, 0.01);
		while (nng_recvmsg(old, &msg, NNG_FLAG_NONBLOCK) == 0) {
			singles += memcmp(nng_msg_body(msg), "ALPB", 4) != 0;
			nng_msg_free(msg);
		}
	}
	assert_int_equal(singles, ASKED_MAX);
	nng_close(old);
	talloc_free(url);
}

static void bus_refuses_a_broken_batch_and_lives(void **state)
{
	char *url = bus_url(NULL, f.address, true);
	nng_socket stranger;

	(void)state;
	assert_int_equal(nng_req0_open_raw(&stranger), 0);
	assert_int_equal(nng_dial(stranger, url, NULL, 0), 0);
	SEND_LITERAL(stranger, "ALPB");
	SEND_LITERAL(stranger, "ALPB\xff\xff\xff\xff");
	SEND_LITERAL(stranger, "ALPB\0\0\0\0\0\0\0\0\0\0\0\1\xff\xff\xff\xffx");
	SEND_LITERAL(stranger, "ALPB\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\3abc");
	SEND_LITERAL(stranger, "");
	until(&f.refused, 2); /* the one without an entry, and the one of three bytes */
	ask(1, 0);
	until(&f.answers, 1);
	assert_int_equal(f.good, 1);
	assert_int_equal(f.calls, 1);
	nng_close(stranger);
	talloc_free(url);
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
		cmocka_unit_test_setup_teardown(bus_answers_what_was_asked_at_once_in_its_order, setup, teardown),
		cmocka_unit_test_setup_teardown(bus_serves_no_more_at_once_than_it_may_and_the_rest_later, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bus_loses_no_answer_of_one_who_stood_still, setup, teardown),
		cmocka_unit_test_setup_teardown(bus_leaves_out_an_answer_that_comes_after_its_request_was_given_up,
						setup, teardown),
		cmocka_unit_test_setup_teardown(bus_begins_nothing_that_waited_when_its_asker_died, setup, teardown),
		cmocka_unit_test_setup_teardown(bus_serves_others_and_him_again_who_could_take_no_more, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bus_ends_a_request_by_an_answer_to_its_last_try_only, setup, teardown),
		cmocka_unit_test_setup_teardown(bus_goes_on_while_two_peers_do_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(bus_answers_a_single_frame_with_one, setup, teardown),
		cmocka_unit_test_setup_teardown(bus_answers_hundreds_of_single_frames_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(bus_asks_one_by_one_who_knows_no_batches_and_learns_of_a_new_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bus_refuses_a_broken_batch_and_lives, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
