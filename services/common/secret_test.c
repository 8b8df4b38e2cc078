#include "secret.h"

#include "unit.h"

static void secret_knows_what_is_easily_guessed(void **state)
{
	static const char *const weak[] = { "",
					    "short",
					    "your-secret-key-here-and-much-longer-than-32",
					    "Please-CHANGE-ME-0123456789abcdefghij",
					    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
					    "0123456789abcdef0123456789abcde" };

	(void)state;
	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		if (!secret_is_weak(text_from(weak[i])))
			fail_msg("%s passes", weak[i]);
	assert_false(secret_is_weak(text_from("0123456789abcdef0123456789abcdef")));
}

static void secret_check_names_the_setting_and_not_the_value(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_false(
		secret_check("BUS_KEY", text_from("changeme-changeme-changeme-changeme"), false, SECRET_MIN, &err));
	assert_string_equal(err.field, "BUS_KEY");
	assert_non_null(strstr(err.message, "BUS_KEY"));
	assert_null(strstr(err.message, "changeme"));
	assert_true(secret_check("BUS_KEY", text_from("changeme-changeme-changeme-changeme"), true, SECRET_MIN, NULL));
	assert_false(secret_check("BUS_KEY", text_from("changeme"), true, SECRET_MIN, NULL));
	assert_true(secret_check("SECRET_KEY", text_from("changeme"), true, 0, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret_knows_what_is_easily_guessed),
		cmocka_unit_test(secret_check_names_the_setting_and_not_the_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
