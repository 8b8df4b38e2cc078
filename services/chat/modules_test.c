#include "modules.h"

#include "unit.h"

static void *ctx;

static bool parse(const char *answer, struct modules *out, struct err *err)
{
	static struct turn_context context;

	talloc_free(ctx);
	ctx = talloc_new(NULL);
	*err = (struct err){ 0 };
	*out = (struct modules){ 0 };
	return modules_parse(ctx, text_from(answer), &context, out, err);
}

static void modules_come_from_an_object_an_array_or_a_fence(void **state)
{
	static const char *const good[] = {
		"{\"modules\":[{\"title\":\"A\",\"estimated_duration_hours\":4},{\"title\":\"B\"}]}",
		"[{\"title\":\"A\",\"estimated_duration_hours\":\"4\"},{\"title\":\"B\"}]",
		"```json\n[{\"title\":\"A\",\"estimated_duration_hours\":4.2},{\"title\":\"B\"}]\n```\n",
	};
	struct modules m;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(parse(good[i], &m, &err));
		assert_int_equal(m.count, 2);
		assert_int_equal(m.hours, 9);
		assert_non_null(memmem(m.announcement.p, m.announcement.len, "**A**", 5));
	}
}

static void modules_of_wrong_shape_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *answer, *says;
	} bad[] = {
		{ "here you are", "JSON" },
		{ "{\"modules\":[]}", "modules" },
		{ "{\"module\":[{\"title\":\"A\"}]}", "modules" },
		{ "[{\"title\":null}]", "title" },
		{ "[{\"title\":\"\"}]", "title" },
		{ "[{\"title\":\"A\",\"estimated_duration_hours\":\"five\"}]", "hours" },
		{ "[{\"title\":\"A\",\"learning_objectives\":\"x\"}]", "learning_objectives" },
		{ "[{\"title\":\"A\",\"learning_objectives\":[1]}]", "objective" },
		{ "[1]", "module 1" },
		{ "[{\"title\":\"A\"}", "JSON" },
	};
	struct modules m;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(parse(bad[i].answer, &m, &err));
		if (strstr(err.message, bad[i].says) == NULL)
			fail_msg("'%s' does not name %s", err.message, bad[i].says);
	}
}

static void modules_are_clamped_not_trusted(void **state)
{
	char answer[2048];
	struct modules m;
	struct err err;
	char title[601];

	(void)state;
	for (size_t i = 0; i < 600; i += 2)
		memcpy(title + i, "я", 2);
	title[600] = '\0';
	snprintf(answer, sizeof(answer),
		 "[{\"title\":\"%s\",\"estimated_duration_hours\":-3},"
		 "{\"title\":\"B\",\"estimated_duration_hours\":99999}]",
		 title);
	assert_true(parse(answer, &m, &err));
	assert_int_equal(m.hours, 501);
	assert_true(text_is_utf8(m.json));
	assert_non_null(memmem(m.json.p, m.json.len, "\"learning_objectives\":[]", 24));
}

static bool says(const struct modules *m, const char *what)
{
	return memmem(m->announcement.p, m->announcement.len, what, strlen(what)) != NULL;
}

static void modules_that_continue_others_have_their_ids(void **state)
{
	static const char old[] =
		"[{\"id\":\"id-a\",\"module_number\":1,\"title\":\"A\",\"description\":\"\",\"estimated_duration_"
		"hours\":5,"
		"\"learning_objectives\":[],\"status\":\"not_started\",\"progress\":0},"
		"{\"id\":\"id-b\",\"module_number\":2,\"title\":\"B\",\"estimated_duration_hours\":7,\"status\":\"in_"
		"progress\"},"
		"{\"id\":\"id-c\",\"module_number\":3,\"title\":\"C\",\"status\":null,\"progress\":0}]";
	static const struct turn_context context = { .language = { "en", 2 }, .modules = { old, sizeof(old) - 1 } };
	struct err err = { 0 };
	struct modules m;

	(void)state;
	talloc_free(ctx);
	ctx = talloc_new(NULL);
	assert_true(modules_parse(
		ctx,
		text_from(
			"[{\"id\":1,\"title\":\"A\"},{\"id\":null,\"title\":\"New\",\"estimated_duration_hours\":2}]"),
		&context, &m, &err));
	assert_non_null(memmem(m.json.p, m.json.len, "\"id\":\"id-a\"", 11));
	assert_null(memmem(m.json.p, m.json.len, "id-b", 4));
	assert_int_equal(m.count, 3); /* B is begun: it stays */
	assert_int_equal(m.hours, 14);
	assert_true(says(&m, "1. **A**"));
	assert_true(says(&m, "2. **B**"));
	assert_true(says(&m, "3. **New**"));
	assert_true(says(&m, "added: New"));
	assert_true(says(&m, "as before: A, B"));
	assert_true(says(&m, "removed: C"));
	assert_false(says(&m, "changed: "));
}

static void a_course_plan_is_an_object(void **state)
{
	static const char *const none[] = { "", "words", "[1]", "\"x\"", "{\"a\":", "{\"a\":\"\\u0000\"}" };
	struct text plan;

	(void)state;
	talloc_free(ctx);
	ctx = talloc_new(NULL);
	assert_true(course_plan_parse(ctx, text_from(" ```json\n{\"a\": [1, \"б\"]}\n``` "), &plan));
	assert_true(text_is(plan, "{\"a\":[1,\"б\"]}"));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(course_plan_parse(ctx, text_from(none[i]), &plan));
}

static int free_last(void **state)
{
	(void)state;
	talloc_free(ctx);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_come_from_an_object_an_array_or_a_fence),
		cmocka_unit_test(modules_of_wrong_shape_are_refused_with_a_reason),
		cmocka_unit_test(modules_are_clamped_not_trusted),
		cmocka_unit_test(modules_that_continue_others_have_their_ids),
		cmocka_unit_test(a_course_plan_is_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, free_last);
}
