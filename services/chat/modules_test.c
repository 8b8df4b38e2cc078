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
	};

	return cmocka_run_group_tests(tests, NULL, free_last);
}
