#include "module_list.h"

#include "unit.h"

static bool show(const char *json, UT_string *out, struct err *err)
{
	utstring_clear(out);
	return modules_show(text_from(json), out, err);
}

static void modules_are_numbered_and_get_ids(void **state)
{
	CLEANUP(string_done) UT_string out = { 0 };
	CLEANUP(json_drop) cJSON *tree = NULL;
	struct err err = { 0 };

	(void)state;
	utstring_init(&out);
	assert_true(show("[{\"title\":\"A\",\"description\":\"d\",\"estimated_duration_hours\":4,"
			 "\"learning_objectives\":[\"x\",\"y\"]},{\"title\":\"B\"}]",
			 &out, &err));
	tree = json_parse(json_written(&out), &err);
	assert_int_equal(cJSON_GetArraySize(tree), 2);
	assert_true(text_is_uuid(json_get_text(tree->child, "id")));
	assert_true(text_is(json_get_text(tree->child, "status"), "not_started"));
	assert_int_equal(cJSON_GetArraySize(json_get(tree->child, "learning_objectives")), 2);
	assert_int_equal(json_get(tree->child->next, "module_number")->valueint, 2);
	assert_int_equal(json_get(tree->child->next, "estimated_duration_hours")->valueint, 1);
}

static void what_does_not_fit_is_named(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"[1]",
		"[{\"title\":\"\"}]",
		"[{\"title\":null}]",
		"[{\"title\":\"A\",\"description\":7}]",
		"[{\"title\":\"A\",\"learning_objectives\":\"x\"}]",
		"[{\"title\":\"A\",\"learning_objectives\":[1]}]",
		"[{\"title\":\"A\",\"estimated_duration_hours\":\"four\"}]",
		"[{\"title\":\"A\",\"estimated_duration_hours\":-1}]",
		"[{\"title\":\"A\"}] trailing",
	};
	CLEANUP(string_done) UT_string out = { 0 };

	(void)state;
	utstring_init(&out);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = { 0 };

		assert_false(show(bad[i], &out, &err));
		assert_int_equal(err.rc, RC_INVALID);
		assert_string_equal(err.field, "modules");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_are_numbered_and_get_ids),
		cmocka_unit_test(what_does_not_fit_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
