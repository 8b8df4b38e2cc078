#include "frame.h"

#include <string.h>

#include "unit.h"

static unsigned char key[BUS_KEY_BYTES];

static struct envelope request_of(enum msg_id id)
{
	struct envelope env = { .msg = id, .timeout_ms = 1234, .trace = "00-abc-def-01" };

	env.caller = caller_nobody;
	env.caller.kind = CALLER_GUEST;
	return env;
}

static void frame_carries_fields_groups_and_blobs(void **state)
{
	struct msg_turn_finish m = { .turn_id = { "11111111-1111-4111-8111-111111111111" }, .attempt = 2 };
	struct envelope env = request_of(MSG_TURN_FINISH);
	const struct msg_turn_finish *back;
	struct frame *frame;
	UT_string bytes;

	(void)state;
	m.owner = text_from("chat-1");
	m.outcome.state = text_from("completed");
	m.outcome.reply = text_from("raw \"bytes\" \n не тронуты");
	m.outcome.modules = text_from("[{\"title\":\"x\"}]");
	m.outcome.usage.prompt_tokens = 77;
	m.outcome.usage.estimated = true;
	utstring_init(&bytes);
	frame_encode(&bytes, key, &env, &m);
	frame = frame_decode(NULL, key, json_written(&bytes), NULL, NULL);
	assert_non_null(frame);
	assert_int_equal(frame->env.msg, MSG_TURN_FINISH);
	assert_int_equal(frame->env.timeout_ms, 1234);
	assert_int_equal(frame->env.caller.kind, CALLER_GUEST);
	assert_string_equal(frame->env.trace, "00-abc-def-01");
	back = frame->body;
	assert_string_equal(back->turn_id.s, m.turn_id.s);
	assert_true(text_equal(back->outcome.reply, m.outcome.reply));
	assert_true(text_equal(back->outcome.modules, m.outcome.modules));
	assert_int_equal(back->outcome.usage.prompt_tokens, 77);
	assert_true(back->outcome.usage.estimated);
	talloc_free(frame);
	utstring_done(&bytes);
}

static void frame_is_stamped_anew_for_another_receiver(void **state)
{
	struct msg_turn_stop m = { .turn_id = { "11111111-1111-4111-8111-111111111111" } };
	struct envelope env = request_of(MSG_TURN_STOP);
	struct frame *frame;
	UT_string bytes;

	(void)state;
	env.sent_us = 123456789012;
	env.hop_ms = 10000;
	utstring_init(&bytes);
	frame_encode(&bytes, key, &env, &m);
	frame = frame_decode(NULL, key, json_written(&bytes), NULL, NULL);
	assert_non_null(frame);
	assert_int_equal(frame->env.sent_us, 123456789012);
	assert_int_equal(frame->env.hop_ms, 10000);
	talloc_free(frame);
	frame_stamp(&bytes, key, INT64_MAX, 7);
	frame = frame_decode(NULL, key, json_written(&bytes), NULL, NULL);
	assert_non_null(frame);
	assert_true(frame->env.sent_us == INT64_MAX);
	assert_int_equal(frame->env.hop_ms, 7);
	assert_string_equal(((const struct msg_turn_stop *)frame->body)->turn_id.s, m.turn_id.s);
	talloc_free(frame);
	utstring_done(&bytes);
}

static void frame_refuses_every_changed_byte(void **state)
{
	struct msg_turn_stop m = { .turn_id = { "11111111-1111-4111-8111-111111111111" } };
	struct envelope env = request_of(MSG_TURN_STOP);
	UT_string bytes;

	(void)state;
	utstring_init(&bytes);
	frame_encode(&bytes, key, &env, &m);
	for (size_t i = 0; i < utstring_len(&bytes); i++) {
		struct err err = { 0 };

		utstring_body(&bytes)[i] ^= 1;
		assert_null(frame_decode(NULL, key, json_written(&bytes), NULL, &err));
		assert_int_equal(err.rc, RC_UNAUTHORIZED);
		assert_null(frame_decode(NULL, key, text_of(utstring_body(&bytes), i), NULL, NULL));
		utstring_body(&bytes)[i] ^= 1;
	}
	utstring_done(&bytes);
}

/* As a member of the suite would that was built before or after us: its MAC is good. */
static void frame_refuses_another_version_in_words(void **state)
{
	struct msg_turn_stop m = { .turn_id = { "11111111-1111-4111-8111-111111111111" } };
	struct envelope env = request_of(MSG_TURN_STOP);
	struct err err = { 0 };
	UT_string bytes;
	char *version;

	(void)state;
	utstring_init(&bytes);
	frame_encode(&bytes, key, &env, &m);
	version = memmem(utstring_body(&bytes), utstring_len(&bytes), "\"v\":2", 5);
	assert_non_null(version);
	version[4] = '9';
	mac_write((unsigned char *)utstring_body(&bytes), key,
		  text_of(utstring_body(&bytes) + MAC_BYTES, utstring_len(&bytes) - MAC_BYTES));
	assert_null(frame_decode(NULL, key, json_written(&bytes), NULL, &err));
	assert_int_equal(err.rc, RC_UNSUPPORTED);
	assert_string_equal(err.message, "the peer speaks version 9, this is version 2");
	utstring_done(&bytes);
}

static void frame_names_the_field_that_is_missing(void **state)
{
	struct msg_chat_post m = { .client_message_id = { "not a uuid" } };
	struct envelope env = request_of(MSG_CHAT_POST), seen = { 0 };
	struct err err = { 0 };
	UT_string bytes;

	(void)state;
	m.body = text_from("x");
	utstring_init(&bytes);
	frame_encode(&bytes, key, &env, &m);
	assert_null(frame_decode(NULL, key, json_written(&bytes), &seen, &err));
	assert_int_equal(err.rc, RC_INVALID);
	assert_string_equal(err.field, "client_message_id");
	assert_int_equal(seen.msg, MSG_CHAT_POST);
	utstring_done(&bytes);
}

static void frame_answer_tells_why(void **state)
{
	struct envelope env = { .msg = MSG_TRACK_GET, .is_answer = true };
	struct frame *frame;
	UT_string bytes;

	(void)state;
	err_field(&env.err, RC_NOT_FOUND, "track_id", "no such track");
	utstring_init(&bytes);
	frame_encode(&bytes, key, &env, NULL);
	frame = frame_decode(NULL, key, json_written(&bytes), NULL, NULL);
	assert_non_null(frame);
	assert_null(frame->body);
	assert_int_equal(frame->env.err.rc, RC_NOT_FOUND);
	assert_string_equal(frame->env.err.field, "track_id");
	assert_string_equal(frame->env.err.message, "no such track");
	talloc_free(frame);
	utstring_done(&bytes);
}

static void frame_leaves_out_a_group_that_is_not_there(void **state)
{
	struct ans_turn_claim none = { .found = false };
	struct envelope env = { .msg = MSG_TURN_CLAIM, .is_answer = true };
	struct frame *frame;
	struct err err = { 0 };
	UT_string bytes;

	(void)state;
	utstring_init(&bytes);
	frame_encode(&bytes, key, &env, &none);
	frame = frame_decode(NULL, key, json_written(&bytes), NULL, &err);
	assert_non_null(frame);
	assert_false(((const struct ans_turn_claim *)frame->body)->found);
	talloc_free(frame);
	utstring_done(&bytes);
}

static void frame_round_trips_every_message_of_the_catalogue(void **state)
{
	(void)state;
	for (int i = MSG_NONE + 1; i < MSG_COUNT; i++) {
		const struct msg_info *info = msg_info((enum msg_id)i);
		struct envelope env = request_of((enum msg_id)i);
		void *body = talloc_zero_size(NULL, info->req_size + 1);
		struct frame *frame;
		struct err err = { 0 };
		UT_string bytes;

		utstring_init(&bytes);
		frame_encode(&bytes, key, &env, body);
		frame = frame_decode(NULL, key, json_written(&bytes), NULL, &err);
		/* An empty body lacks its UUIDs: that is named, and nothing else goes wrong. */
		assert_true(frame != NULL || (err.rc == RC_INVALID && err.field[0] != '\0'));
		assert_int_equal(msg_by_name(info->name), i);
		talloc_free(frame);
		talloc_free(body);
		utstring_done(&bytes);
	}
}

static int make_key(void **state)
{
	(void)state;
	frame_key(text_from("0123456789abcdef0123456789abcdef"), key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_carries_fields_groups_and_blobs),
		cmocka_unit_test(frame_is_stamped_anew_for_another_receiver),
		cmocka_unit_test(frame_refuses_every_changed_byte),
		cmocka_unit_test(frame_refuses_another_version_in_words),
		cmocka_unit_test(frame_names_the_field_that_is_missing),
		cmocka_unit_test(frame_answer_tells_why),
		cmocka_unit_test(frame_leaves_out_a_group_that_is_not_there),
		cmocka_unit_test(frame_round_trips_every_message_of_the_catalogue),
	};

	return cmocka_run_group_tests(tests, make_key, NULL);
}
