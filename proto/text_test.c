#include "text.h"

#include "unit.h"

static void text_accepts_only_wellformed_utf8(void **state)
{
	(void)state;
	assert_true(text_is_utf8(text_from("Привет, мир 👋")));
	assert_true(text_is_utf8(text_of("", 0)));
	assert_false(text_is_utf8(text_from("\xC0\xAF"))); /* overlong */
	assert_false(text_is_utf8(text_from("\xED\xA0\x80"))); /* surrogate */
	assert_false(text_is_utf8(text_from("\xF4\x90\x80\x80"))); /* above U+10FFFF */
	assert_false(text_is_utf8(text_from("\xE2\x82"))); /* cut */
	assert_false(text_is_utf8(text_of("a\0b", 3)));
}

static void text_counts_characters_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(text_chars(text_from("Привет👋")), 7);
}

static void uuid_is_lowercased_and_checked(void **state)
{
	struct uuid_text id = { "" };

	(void)state;
	assert_true(uuid_from_text(text_from("0123ABCD-0000-4000-8000-00000000000F"), &id));
	assert_string_equal(id.s, "0123abcd-0000-4000-8000-00000000000f");
	assert_false(uuid_from_text(text_from("0123abcd-0000-4000-8000-00000000000g"), &id));
	assert_false(uuid_from_text(text_from("0123abcd000040008000000000000000f123"), &id));
	assert_false(uuid_from_text(text_from("test-session"), &id));
}

static void text_writes_every_integer(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 7, "7" },
		{ -1, "-1" },
		{ 1000, "1000" },
		{ INT64_MAX, "9223372036854775807" },
		{ INT64_MIN, "-9223372036854775808" },
	};
	char out[TEXT_I64_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(text_i64(out, rows[i].value), strlen(rows[i].text));
		assert_string_equal(out, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_accepts_only_wellformed_utf8),
		cmocka_unit_test(text_counts_characters_not_bytes),
		cmocka_unit_test(uuid_is_lowercased_and_checked),
		cmocka_unit_test(text_writes_every_integer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
