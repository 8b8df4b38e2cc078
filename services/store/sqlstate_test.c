#include "sqlstate.h"

#include "unit.h"

static void expect(const char *state, enum sql_verdict verdict, enum rc rc)
{
	struct err err = { 0 };

	assert_int_equal(sqlstate_judge(state, &err), verdict);
	assert_int_equal(err.rc, rc);
	assert_true(err.message[0] != '\0');
}

static void contention_is_tried_again(void **state)
{
	(void)state;
	expect("40001", SQL_AGAIN, RC_BUSY);
	expect("40P01", SQL_AGAIN, RC_BUSY);
	expect("55P03", SQL_AGAIN, RC_BUSY);
	expect("57014", SQL_AGAIN, RC_STORAGE);
}

static void a_leaving_server_costs_the_connection_only(void **state)
{
	(void)state;
	expect("57P01", SQL_RELINK, RC_STORAGE);
	expect("57P03", SQL_RELINK, RC_STORAGE);
	expect("08006", SQL_RELINK, RC_STORAGE);
	expect("25006", SQL_RELINK, RC_STORAGE);
	expect(NULL, SQL_RELINK, RC_STORAGE);
	expect("", SQL_RELINK, RC_STORAGE);
}

static void bad_values_are_the_askers_fault(void **state)
{
	(void)state;
	expect("22021", SQL_REFUSED, RC_INVALID);
	expect("22P05", SQL_REFUSED, RC_INVALID);
	expect("22001", SQL_REFUSED, RC_INVALID);
	expect("22003", SQL_REFUSED, RC_INVALID);
	expect("23502", SQL_REFUSED, RC_INVALID);
	expect("23505", SQL_REFUSED, RC_CONFLICT);
	expect("23503", SQL_REFUSED, RC_UNAUTHORIZED);
}

static void a_full_disk_is_said_and_not_repeated(void **state)
{
	(void)state;
	expect("53100", SQL_REFUSED, RC_STORAGE);
	expect("53200", SQL_REFUSED, RC_STORAGE);
	expect("58030", SQL_REFUSED, RC_STORAGE);
}

static void our_own_mistakes_are_internal(void **state)
{
	(void)state;
	expect("42601", SQL_REFUSED, RC_INTERNAL);
	expect("XX000", SQL_REFUSED, RC_INTERNAL);
	assert_true(sqlstate_is_schema("42P01"));
	assert_true(sqlstate_is_schema("42883"));
	assert_false(sqlstate_is_schema("57P01"));
	assert_false(sqlstate_is_schema(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contention_is_tried_again),
		cmocka_unit_test(a_leaving_server_costs_the_connection_only),
		cmocka_unit_test(bad_values_are_the_askers_fault),
		cmocka_unit_test(a_full_disk_is_said_and_not_repeated),
		cmocka_unit_test(our_own_mistakes_are_internal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
