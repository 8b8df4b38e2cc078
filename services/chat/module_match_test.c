#include "module_match.h"

#include "unit.h"

#define OLD(title_, begun_) \
	{ \
		.title = { title_, sizeof(title_) - 1 }, .begun = begun_ \
	}
#define NEW(title_, continues_) \
	{ \
		.title = { title_, sizeof(title_) - 1 }, .continues = continues_ \
	}
#define N(array) (int)(sizeof(array) / sizeof((array)[0]))

static void numbers_that_were_given_back_decide(void **state)
{
	static const struct old_module olds[] = { OLD("Syntax", true), OLD("Tools", false), OLD("Tests", false) };
	static const struct new_module news[] = { NEW("Testing well", 3), NEW("Tools", 0), NEW("Quite new", 0),
						  NEW("The language", 1), NEW("Twice", 1), NEW("Beyond", 4),
						  NEW("Below", -1) };
	int out[N(news)];

	(void)state;
	modules_match(olds, N(olds), news, N(news), out);
	assert_int_equal(out[0], 2);
	assert_int_equal(out[1], 1); /* by its title */
	assert_int_equal(out[2], -1); /* others have numbers: no guess by position */
	assert_int_equal(out[3], 0);
	assert_int_equal(out[4], -1);
	assert_int_equal(out[5], -1);
	assert_int_equal(out[6], -1);
}

static void titles_are_compared_without_case_and_signs(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		{ "Syntax", "syntax", true },
		{ "  Основы: Ёлки и «палки» ", "основы — елки и палки", true },
		{ "Module 3: Files", "Модуль 1. files", true },
		{ "3) Files", "Files", true },
		{ "C++ basics", "C basics", true },
		{ "Files", "File", false },
		{ "Python 3", "Python 2", false },
		{ "ab", "a b", false },
		{ "3.", "3.", true },
		{ "Été", "été", true },
		{ "!!!", "???", false },
		{ "", "", false },
	};

	(void)state;
	for (int i = 0; i < N(pairs); i++) {
		struct old_module old = { .title = text_from(pairs[i].a), .begun = true };
		struct new_module new = { .title = text_from(pairs[i].b) };
		int out;

		modules_match(&old, 1, &new, 1, &out);
		if ((out == 0) != pairs[i].same)
			fail_msg("'%s' and '%s'", pairs[i].a, pairs[i].b);
	}
}

static void without_numbers_the_position_counts_but_not_on_begun_ones(void **state)
{
	static const struct old_module olds[] = { OLD("A", true), OLD("B", false), OLD("C", false) };
	static const struct new_module news[] = { NEW("X", 0), NEW("C", 0), NEW("Z", 0), NEW("W", 0) };
	int out[N(news)];

	(void)state;
	modules_match(olds, N(olds), news, N(news), out);
	assert_int_equal(out[0], -1);
	assert_int_equal(out[1], 2);
	assert_int_equal(out[2], -1); /* C is taken by its title */
	assert_int_equal(out[3], -1);
	modules_match(olds, 0, news, N(news), out);
	for (int i = 0; i < N(news); i++)
		assert_int_equal(out[i], -1);
}

static void modules_left_over_keep_their_place(void **state)
{
	static const int64_t spread[] = { 1, 3 }, late[] = { 7, 9 }, same[] = { 2, 2, 2 };
	int before[3];

	(void)state;
	modules_place(spread, 2, 3, before); /* left 1, new, left 3, new, new */
	assert_int_equal(before[0], 0);
	assert_int_equal(before[1], 1);
	modules_place(late, 2, 3, before); /* behind all */
	assert_int_equal(before[0], 3);
	assert_int_equal(before[1], 3);
	modules_place(same, 3, 3, before); /* old data: together, and no number twice */
	assert_int_equal(before[0], 1);
	assert_int_equal(before[1], 1);
	assert_int_equal(before[2], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_that_were_given_back_decide),
		cmocka_unit_test(titles_are_compared_without_case_and_signs),
		cmocka_unit_test(without_numbers_the_position_counts_but_not_on_begun_ones),
		cmocka_unit_test(modules_left_over_keep_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
