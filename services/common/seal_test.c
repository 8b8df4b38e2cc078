#include "seal.h"

#include "unit.h"

#define KEY "sk-canary-0123456789abcdef"

static const struct uuid_text anna = { "11111111-1111-4111-8111-111111111111" };
static const struct uuid_text boris = { "22222222-2222-4222-8222-222222222222" };
static struct seal_secret secrets[2];

static int set_up(void **state)
{
	*state = talloc_new(NULL);
	seal_secret_init(&secrets[0], "the new one, thirty-two bytes long");
	seal_secret_init(&secrets[1], "the old one, thirty-two bytes long");
	return 0;
}

static int tear_down(void **state)
{
	talloc_free(*state);
	return 0;
}

static void what_is_sealed_opens_for_its_owner(void **state)
{
	char *sealed = seal_text(*state, &secrets[0].key, &anna, text_from(KEY));
	bool old = true;

	assert_true(seal_is_sealed(text_from(sealed)));
	assert_null(strstr(sealed, "canary"));
	assert_string_equal(seal_open(*state, secrets, 2, &anna, text_from(sealed), &old), KEY);
	assert_false(old);
	assert_null(seal_open(*state, secrets, 2, &boris, text_from(sealed), &old));
}

static void two_sealed_texts_have_nothing_in_common(void **state)
{
	char *a = seal_text(*state, &secrets[0].key, &anna, text_from(KEY));
	char *b = seal_text(*state, &secrets[0].key, &anna, text_from(KEY));

	assert_int_equal(strlen(a), strlen(b));
	assert_string_not_equal(a, b);
}

static void an_old_secret_opens_and_says_so(void **state)
{
	char *sealed = seal_text(*state, &secrets[1].key, &anna, text_from(KEY));
	bool old = false;

	assert_string_equal(seal_open(*state, secrets, 2, &anna, text_from(sealed), &old), KEY);
	assert_true(old);
	assert_null(seal_open(*state, secrets, 1, &anna, text_from(sealed), &old));
}

static void the_public_key_alone_opens_nothing(void **state)
{
	char *sealed = seal_text(*state, &secrets[0].key, &anna, text_from(KEY));
	struct seal_secret known = { .key = secrets[0].key };
	bool old;

	assert_null(seal_open(*state, &known, 1, &anna, text_from(sealed), &old));
}

static void any_change_is_noticed(void **state)
{
	char *sealed = seal_text(*state, &secrets[0].key, &anna, text_from(KEY));
	size_t len = strlen(sealed);
	bool old;

	for (size_t i = 0; i + 1 < len; i++) { /* the last character may hold bits that mean nothing */
		char was = sealed[i];

		sealed[i] = was == 'A' ? 'B' : 'A';
		assert_null(seal_open(*state, secrets, 2, &anna, text_from(sealed), &old));
		assert_null(seal_open(*state, secrets, 2, &anna, text_of(sealed, i), &old));
		sealed[i] = was;
	}
}

static void sizes_are_bounded(void **state)
{
	char *longest = talloc_zero_array(*state, char, SEAL_TEXT_MAX + 2), *sealed;
	bool old;

	memset(longest, 'k', SEAL_TEXT_MAX + 1);
	assert_null(seal_text(*state, &secrets[0].key, &anna, text_of(longest, SEAL_TEXT_MAX + 1)));
	assert_null(seal_text(*state, &secrets[0].key, &anna, text_from("")));
	sealed = seal_text(*state, &secrets[0].key, &anna, text_of(longest, SEAL_TEXT_MAX));
	assert_int_equal(strlen(seal_open(*state, secrets, 2, &anna, text_from(sealed), &old)), SEAL_TEXT_MAX);
	sealed = talloc_asprintf(*state, "%s%s%s", sealed, longest, longest);
	assert_null(seal_open(*state, secrets, 2, &anna, text_from(sealed), &old));
}

static void public_keys_travel_as_text(void **state)
{
	char text[SEAL_KEY_SIZE];
	struct seal_key key;

	(void)state;
	seal_key_write(&secrets[0].key, text);
	assert_true(seal_key_read(&key, text_from(text)));
	assert_memory_equal(&key, &secrets[0].key, sizeof(key));
	for (size_t i = 0; i < strlen(text); i++)
		assert_false(seal_key_read(&key, text_of(text, i)));
	text[0] = text[0] == '0' ? '1' : '0';
	assert_false(seal_key_read(&key, text_from(text)));
}

static void a_hint_is_four_characters_of_a_long_key(void **state)
{
	char hint[SEAL_HINT_SIZE];

	(void)state;
	seal_hint(text_from(KEY), hint);
	assert_string_equal(hint, "cdef");
	seal_hint(text_from("sk-12345678"), hint);
	assert_string_equal(hint, "");
	seal_hint(text_from("ключ-ключ-ключ"), hint);
	assert_string_equal(hint, "");
	seal_hint(text_from(""), hint);
	assert_string_equal(hint, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_sealed_opens_for_its_owner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_sealed_texts_have_nothing_in_common, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_old_secret_opens_and_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_public_key_alone_opens_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_change_is_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sizes_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(public_keys_travel_as_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hint_is_four_characters_of_a_long_key, set_up, tear_down),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
