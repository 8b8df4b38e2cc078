#include "sql_split.h"

#include "migrations.h"
#include "unit.h"

static void assert_split(const char *script, const char *const *wanted)
{
	struct text rest = text_from(script), got;

	for (; *wanted != NULL; wanted++) {
		got = sql_next(&rest);
		if (!text_is(got, *wanted))
			fail_msg("\"" TEXT_FMT "\" instead of \"%s\"", TEXT_ARG(got), *wanted);
	}
	assert_int_equal(sql_next(&rest).len, 0);
	assert_int_equal(sql_next(&rest).len, 0);
}

#define SPLIT(script, ...) assert_split(script, (const char *const[]){ __VA_ARGS__, NULL })

static void statements_end_at_semicolons(void **state)
{
	(void)state;
	SPLIT("select 1; select 2 ;\n\nselect 3\n", "select 1", "select 2", "select 3");
	SPLIT(";;select 1;;", "select 1");
	assert_split("", (const char *const[]){ NULL });
	assert_split(" \n-- nothing; but words", (const char *const[]){ NULL });
}

static void quoted_semicolons_do_not_count(void **state)
{
	(void)state;
	SPLIT("select 'a;b''c;d', \"e;f\"; select 2", "select 'a;b''c;d', \"e;f\"", "select 2");
	SPLIT("do $$ begin a; b; end $$; select 2", "do $$ begin a; b; end $$", "select 2");
	SPLIT("do $x$ a; $$ b; $$ ; $x$; select $1, $2; x", "do $x$ a; $$ b; $$ ; $x$", "select $1, $2", "x");
}

static void comments_are_no_statements(void **state)
{
	(void)state;
	SPLIT("-- first; really\nselect 1; /* a /* b; */ c; */ select 2 -- x;y\n + 1; -- end", "select 1",
	      "select 2 -- x;y\n + 1");
	SPLIT("select 1 /* ; */ - 2 - - 3", "select 1 /* ; */ - 2 - - 3");
}

static void what_is_cut_off_ends_with_the_script(void **state)
{
	static const char *const cut[] = { "select 'a;", "select $$a;", "select $a$b;$", "/* a;", "select \"", "$", "-",
					   "'" };

	(void)state;
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		struct text rest = text_from(cut[i]);

		sql_next(&rest);
		assert_int_equal(rest.len, 0);
	}
}

/* Nothing but semicolons, blanks and comments is lost, and no cut is inside of a function. */
static void own_scripts_come_in_pieces(void **state)
{
	static struct migrations m;
	struct err err = { 0 };

	(void)state;
	assert_true(migrations_read(alp_migrations, &m, &err));
	for (int i = 0; i < m.n; i++) {
		struct text rest = m.list[i].sql, one;
		int n = 0;

		while ((one = sql_next(&rest)).len > 0) {
			static const char *const begins[] = { "create ", "alter ",  "update ", "insert ",  "do ",
							      "drop ",   "delete ", "select ", "comment ", "with " };
			bool known = false;

			for (size_t b = 0; b < sizeof(begins) / sizeof(begins[0]); b++)
				known = known || strncmp(one.p, begins[b], strlen(begins[b])) == 0;
			if (!known)
				fail_msg("%s: " TEXT_FMT, m.list[i].name, TEXT_ARG(one));
			n++;
		}
		assert_true(n > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_end_at_semicolons), cmocka_unit_test(quoted_semicolons_do_not_count),
		cmocka_unit_test(comments_are_no_statements),   cmocka_unit_test(what_is_cut_off_ends_with_the_script),
		cmocka_unit_test(own_scripts_come_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
