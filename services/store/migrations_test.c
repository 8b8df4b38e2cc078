#include "migrations.h"

#include "unit.h"

static struct migrations m;

static void read_own(void)
{
	struct err err = { 0 };

	assert_true(migrations_read(alp_migrations, &m, &err));
}

static void own_list_is_in_order(void **state)
{
	(void)state;
	read_own();
	assert_true(m.n >= 7);
	assert_string_equal(m.list[0].name, "old_forms");
	assert_string_equal(m.list[1].name, "original");
	for (int i = 0; i < m.n; i++) {
		assert_int_equal(m.list[i].version, i);
		assert_int_equal(strlen(m.list[i].checksum), CHECKSUM_SIZE - 1);
		assert_true(m.list[i].sql.len > 0);
	}
}

static void a_wrong_name_or_order_is_found(void **state)
{
	const struct embedded_file bad_name[] = { { "migrations/first.sql", "", 0 }, { 0 } };
	const struct embedded_file bad_ending[] = { { "0001_first.txt", "", 0 }, { 0 } };
	const struct embedded_file twice[] = { { "0001_a.sql", "", 0 }, { "0001_b.sql", "", 0 }, { 0 } };
	struct err err = { 0 };

	(void)state;
	assert_false(migrations_read(bad_name, &m, &err));
	assert_false(migrations_read(bad_ending, &m, &err));
	assert_false(migrations_read(twice, &m, &err));
	assert_non_null(strstr(err.message, "0001_b.sql"));
}

static void what_is_missing_comes_in_order(void **state)
{
	struct err err = { 0 };

	(void)state;
	read_own();
	assert_int_equal(migrations_next(&m)->version, 0);
	assert_true(migrations_mark(&m, 0, "old_forms", m.list[0].checksum, &err));
	assert_int_equal(migrations_next(&m)->version, 1);
	for (int i = 1; i < m.n; i++)
		assert_true(migrations_mark(&m, m.list[i].version, m.list[i].name, m.list[i].checksum, &err));
	assert_null(migrations_next(&m));
}

static void a_newer_database_is_refused(void **state)
{
	struct err err = { 0 };

	(void)state;
	read_own();
	assert_false(migrations_mark(&m, 999, "future", m.list[0].checksum, &err));
	assert_non_null(strstr(err.message, "newer"));
	assert_non_null(strstr(err.message, "999"));
}

static void another_content_is_refused(void **state)
{
	struct err err = { 0 };

	(void)state;
	read_own();
	assert_false(migrations_mark(&m, 1, "original", m.list[0].checksum, &err));
	assert_non_null(strstr(err.message, "checksum"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_list_is_in_order),           cmocka_unit_test(a_wrong_name_or_order_is_found),
		cmocka_unit_test(what_is_missing_comes_in_order), cmocka_unit_test(a_newer_database_is_refused),
		cmocka_unit_test(another_content_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
