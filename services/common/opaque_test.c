#include "opaque.h"

#include "unit.h"

static void opaque_token_is_found_again_by_its_hash(void **state)
{
	char token[OPAQUE_SIZE], other[OPAQUE_SIZE];
	char hash[OPAQUE_HASH_SIZE], same[OPAQUE_HASH_SIZE], of_other[OPAQUE_HASH_SIZE];

	(void)state;
	opaque_make(token, hash);
	opaque_make(other, of_other);
	assert_int_equal(strlen(token), OPAQUE_SIZE - 1);
	assert_int_equal(strspn(hash, "0123456789abcdef"), OPAQUE_HASH_SIZE - 1);
	assert_true(opaque_hash(text_from(token), same));
	assert_string_equal(hash, same);
	assert_string_not_equal(token, other);
	assert_string_not_equal(hash, of_other);
}

static void opaque_hash_refuses_what_has_not_the_form(void **state)
{
	char hash[OPAQUE_HASH_SIZE] = "untouched";

	(void)state;
	assert_false(opaque_hash(text_from(""), hash));
	assert_false(opaque_hash(text_from("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), hash));
	assert_false(opaque_hash(text_from("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), hash));
	assert_string_equal(hash, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opaque_token_is_found_again_by_its_hash),
		cmocka_unit_test(opaque_hash_refuses_what_has_not_the_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
