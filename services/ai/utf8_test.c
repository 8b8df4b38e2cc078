#include "unit.h"

#include "utf8.h"

static void add(UT_string *out, struct text t)
{
	assert_true(t.len == 0 || text_is_utf8(t)); /* each answer ends between characters */
	if (t.len > 0)
		utstring_bincpy(out, t.p, t.len);
}

static void repair(const char *in, size_t len, size_t first, size_t size, UT_string *out)
{
	struct utf8 u;

	utstring_clear(out);
	utf8_init(&u);
	add(out, utf8_repair(&u, text_of(in, first)));
	for (size_t i = first; i < len; i += size)
		add(out, utf8_repair(&u, text_of(in + i, size < len - i ? size : len - i)));
	add(out, utf8_end(&u));
	utf8_done(&u);
}

static void expect(const char *in, size_t len, const char *want)
{
	UT_string out;

	utstring_init(&out);
	for (size_t cut = 0; cut <= len; cut++) {
		repair(in, len, cut, len, &out);
		assert_string_equal(utstring_body(&out), want);
	}
	repair(in, len, 0, 1, &out);
	assert_string_equal(utstring_body(&out), want);
	utstring_done(&out);
}

#define EXPECT(in, want) expect(in, sizeof(in) - 1, want)
#define BAD "\xEF\xBF\xBD"

static void utf8_keeps_what_is_good_at_every_cut(void **state)
{
	(void)state;
	EXPECT("plain", "plain");
	EXPECT("\xD0\x9F\xD1\x80\xE2\x82\xAC\xF0\x9F\x98\x80.", "\xD0\x9F\xD1\x80\xE2\x82\xAC\xF0\x9F\x98\x80.");
	EXPECT("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\xEF\xBF\xBF",
	       "\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\xEF\xBF\xBF");
}

static void utf8_replaces_each_broken_part_once(void **state)
{
	(void)state;
	EXPECT("a\xFF\xFEz", "a" BAD BAD "z");
	EXPECT("a\xE2\x82z", "a" BAD "z");
	EXPECT("a\xF0\x9F\x98z", "a" BAD "z");
	EXPECT("a\xE2\x82\xE2\x82\xAC", "a" BAD "\xE2\x82\xAC");
	EXPECT("\x80\xBF", BAD BAD);
	EXPECT("\xC0\x80\xC1\xBF", BAD BAD BAD BAD);
	EXPECT("\xE0\x80\x80", BAD BAD BAD);
	EXPECT("\xF5\x80\x80\x80", BAD BAD BAD BAD);
	EXPECT("\xF4\x90\x80\x80", BAD BAD BAD BAD);
	EXPECT("cut\xD0", "cut" BAD);
	EXPECT("nul\0!", "nul" BAD "!");
}

static void utf8_joins_the_halves_of_a_pair(void **state)
{
	(void)state;
	EXPECT("<\xED\xA0\xBD\xED\xB8\x80>", "<\xF0\x9F\x98\x80>");
	EXPECT("<\xED\xA0\xBD>", "<" BAD ">");
	EXPECT("<\xED\xB8\x80>", "<" BAD ">");
	EXPECT("\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80", BAD "\xF0\x9F\x98\x80");
	EXPECT("\xED\xA0\xBD", BAD);
	EXPECT("\xED\xA0\xBD\xFF", BAD BAD);
}

static void utf8_starts_end_between_characters(void **state)
{
	struct text t = text_from("a\xD0\x9F\xF0\x9F\x98\x80");

	(void)state;
	assert_int_equal(utf8_start(t, 100).len, 7);
	assert_int_equal(utf8_start(t, 6).len, 3);
	assert_int_equal(utf8_start(t, 3).len, 3);
	assert_int_equal(utf8_start(t, 2).len, 1);
	assert_int_equal(utf8_start(t, 0).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_keeps_what_is_good_at_every_cut),
		cmocka_unit_test(utf8_replaces_each_broken_part_once),
		cmocka_unit_test(utf8_joins_the_halves_of_a_pair),
		cmocka_unit_test(utf8_starts_end_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
