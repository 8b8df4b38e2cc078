/* Who knows no batches, in both directions, and who sends what is none. */
#include "bus_batch.h"

#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <sodium.h>

#include "bus_impl.h"
#include "bus_pair.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bus_answers_a_single_frame_with_one, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(bus_answers_hundreds_of_single_frames_at_once, pair_setup,
						pair_teardown),
		cmocka_unit_test_setup_teardown(bus_asks_one_by_one_who_knows_no_batches_and_learns_of_a_new_one,
						pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(bus_refuses_a_broken_batch_and_lives, pair_setup, pair_teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
