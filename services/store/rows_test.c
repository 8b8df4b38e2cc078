#include "rows_json.h"

#include <stdlib.h>

#include "columns.h"
#include "turn_rows.h"
#include "unit.h"

#define COLUMNS 64
#define USER_ID "0a1b2c3d-0000-4000-8000-00000000000f"

/* A result as libpq would hand it out, with all columns null but those set. */
static PGresult *result_new(int columns)
{
	static char name[] = "c";
	PGresAttDesc names[COLUMNS] = { 0 };
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	for (int i = 0; i < columns; i++)
		names[i].name = name;
	assert_int_equal(PQsetResultAttrs(r, columns, names), 1);
	return r;
}

static void set(PGresult *r, int row, int col, const char *value)
{
	char *copy = value != NULL ? strdup(value) : NULL;

	assert_int_equal(PQsetvalue(r, row, col, copy, copy != NULL ? (int)strlen(copy) : -1), 1);
	free(copy);
}

static cJSON *parsed(const UT_string *json)
{
	struct err err = { 0 };
	cJSON *tree = json_parse(json_written(json), &err);

	if (tree == NULL)
		fail_msg("%s: %s", json->d, err.message);
	return tree;
}

static void expect_text(const cJSON *object, const char *key, const char *value)
{
	const cJSON *item = json_get(object, key);

	assert_true(cJSON_IsString(item));
	assert_string_equal(item->valuestring, value);
}

static void times_become_iso(void **state)
{
	char out[ISO_SIZE];

	(void)state;
	assert_true(iso_from_pg(text_from("2026-11-22 19:35:15.2311"), out));
	assert_string_equal(out, "2026-11-22T19:35:15.231100Z");
	assert_true(iso_from_pg(text_from("2026-11-22 19:35:15"), out));
	assert_string_equal(out, "2026-11-22T19:35:15.000000Z");
	assert_false(iso_from_pg(text_from("infinity"), out));
	assert_false(iso_from_pg(text_from(""), out));
	assert_false(iso_from_pg(text_from("2026-11-22 19:35:15 BC"), out));
	assert_false(iso_from_pg(text_from("12026-11-22 19:35:15.123456"), out));
}

static void a_guest_has_a_public_name(void **state)
{
	CLEANUP(string_done) UT_string out = { 0 };
	CLEANUP(json_drop) cJSON *tree = NULL;
	PGresult *r = result_new(USER_created_at + 1);

	(void)state;
	utstring_init(&out);
	set(r, 0, USER_id, USER_ID);
	set(r, 0, USER_is_guest, "t");
	set(r, 0, USER_role, "STUDENT");
	set(r, 0, USER_first_name, "Гость");
	json_user(&out, r, 0);
	tree = parsed(&out);
	expect_text(tree, "id", "guest_0a1b2c3d00004000800000000000000f");
	expect_text(tree, "email", "guest_0a1b2c3d@guest.com");
	expect_text(tree, "role", "student");
	assert_true(cJSON_IsTrue(json_get(tree, "is_guest")));
	assert_null(json_get(tree, "created_at"));
	PQclear(r);
}

/* Whatever an old database holds: the list is written, and is JSON. */
static void odd_old_rows_do_not_break_a_track(void **state)
{
	static const char *const odd[] = { "[1,2]", "\"text\"", "null", "5", "{\"a\":1}", " \n{\"a\":[]}" };
	CLEANUP(string_done) UT_string out = { 0 };

	(void)state;
	utstring_init(&out);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		PGresult *t = result_new(TRACK_module + MODULE_updated_at + 1);
		CLEANUP(json_drop) cJSON *tree = NULL;

		utstring_clear(&out);
		set(t, 0, TRACK_id, USER_ID);
		set(t, 0, TRACK_title, "T");
		set(t, 0, TRACK_ai_generated_plan, odd[i]);
		set(t, 1, TRACK_module + MODULE_id, USER_ID);
		set(t, 1, TRACK_module + MODULE_title, "M");
		set(t, 1, TRACK_module + MODULE_learning_objectives, odd[i]);
		set(t, 1, TRACK_module + MODULE_status, i == 0 ? "completed" : NULL);
		json_tracks(&out, t);
		tree = parsed(&out);
		expect_text(tree->child, "status", "planning");
		expect_text(tree->child, "difficulty_level", "beginner");
		expect_text(tree->child, "description", "");
		assert_int_equal(json_get(tree->child, "progress")->valueint, i == 0 ? 100 : 0);
		assert_true(cJSON_IsArray(json_get(json_get(tree->child, "modules")->child, "learning_objectives")));
		assert_int_equal(cJSON_IsObject(json_get(tree->child, "ai_generated_plan")), i >= 4);
		PQclear(t);
	}
}

static void modules_go_to_their_tracks(void **state)
{
	static const char rows[] = "tmtmmt"; /* a track, behind it its modules */
	CLEANUP(string_done) UT_string out = { 0 };
	CLEANUP(json_drop) cJSON *tree = NULL;
	PGresult *r = result_new(TRACK_module + MODULE_updated_at + 1);

	(void)state;
	utstring_init(&out);
	for (int i = 0; i < 6; i++)
		set(r, i, rows[i] == 't' ? TRACK_id : TRACK_module + MODULE_id, USER_ID);
	json_tracks(&out, r);
	tree = parsed(&out);
	assert_int_equal(cJSON_GetArraySize(tree), 3);
	assert_int_equal(cJSON_GetArraySize(json_get(cJSON_GetArrayItem(tree, 0), "modules")), 1);
	assert_int_equal(cJSON_GetArraySize(json_get(cJSON_GetArrayItem(tree, 1), "modules")), 2);
	assert_int_equal(cJSON_GetArraySize(json_get(cJSON_GetArrayItem(tree, 2), "modules")), 0);
	PQclear(r);
}

static void history_turns_round_and_escapes(void **state)
{
	CLEANUP(string_done) UT_string out = { 0 };
	CLEANUP(string_done) UT_string list = { 0 };
	CLEANUP(json_drop) cJSON *tree = NULL;
	PGresult *r = result_new(MESSAGE_total_us + 1);

	(void)state;
	utstring_init(&out);
	utstring_init(&list);
	set(r, 0, MESSAGE_id, USER_ID);
	set(r, 0, MESSAGE_sender_type, "ai");
	set(r, 0, MESSAGE_message_content, "line\n\"quoted\" \\ \x01");
	set(r, 0, MESSAGE_prompt_tokens, "7");
	set(r, 0, MESSAGE_cost_nano, "1500000");
	set(r, 0, MESSAGE_total_us, "42");
	set(r, 1, MESSAGE_id, USER_ID);
	set(r, 1, MESSAGE_sender_type, "user");
	set(r, 1, MESSAGE_message_content, "вопрос");
	set(r, 1, MESSAGE_cost_nano, "-1");
	set(r, 2, MESSAGE_seq, "9"); /* older ones were left out */
	assert_int_equal(json_history(&list, r), 2);
	utstring_printf(&out, "[%s]", utstring_body(&list));
	tree = parsed(&out);
	expect_text(tree->child, "sender", "user");
	expect_text(tree->child, "content", "вопрос");
	assert_null(json_get(tree->child, "cost"));
	assert_null(json_get(tree->child, "usage"));
	expect_text(tree->child->next, "content", "line\n\"quoted\" \\ \x01");
	assert_int_equal(json_get(json_get(tree->child->next, "usage"), "prompt_tokens")->valueint, 7);
	assert_true(json_get(json_get(tree->child->next, "cost"), "amount")->valuedouble > 0.00149);
	assert_int_equal(json_get(json_get(tree->child->next, "timing"), "total")->valueint, 42);
	PQclear(r);
}

static void the_models_dialogue_says_what_was_cut(void **state)
{
	CLEANUP(string_done) UT_string out = { 0 };
	PGresult *r = result_new(3);

	(void)state;
	utstring_init(&out);
	set(r, 0, 0, "user");
	set(r, 0, 1, "b");
	set(r, 1, 0, "assistant");
	set(r, 1, 1, "a");
	set(r, 2, 2, "12");
	assert_int_equal(json_dialogue(&out, r), 12);
	assert_string_equal(utstring_body(&out),
			    "{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"}");
	PQclear(r);
}

static void an_unfinished_turn_has_no_numbers(void **state)
{
	PGresult *r = result_new(TURN_COLUMN_COUNT);
	struct turn_context context;
	struct outcome outcome;
	char iso[ISO_SIZE];

	(void)state;
	set(r, 0, TURN_turn_id, USER_ID);
	set(r, 0, TURN_state, "running");
	set(r, 0, TURN_hours, "not a number");
	turn_context_read(r, 0, &context);
	outcome_read(r, 0, &outcome, iso);
	assert_string_equal(context.turn_id.s, USER_ID);
	assert_string_equal(context.client_message_id.s, "");
	assert_int_equal(context.hours, 0);
	assert_true(text_is(outcome.state, "running"));
	assert_int_equal(outcome.usage.cost_nano, 0);
	assert_int_equal(outcome.timestamp.len, 0);
	PQclear(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_become_iso),
		cmocka_unit_test(a_guest_has_a_public_name),
		cmocka_unit_test(odd_old_rows_do_not_break_a_track),
		cmocka_unit_test(modules_go_to_their_tracks),
		cmocka_unit_test(history_turns_round_and_escapes),
		cmocka_unit_test(the_models_dialogue_says_what_was_cut),
		cmocka_unit_test(an_unfinished_turn_has_no_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
