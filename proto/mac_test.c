#include "mac.h"

#include <sodium.h>

#include "unit.h"

static void mac_is_that_of_crypto_auth(void **state)
{
	unsigned char secret[MAC_SECRET_BYTES], bytes[1000], key[MAC_KEY_BYTES], ours[MAC_BYTES], theirs[MAC_BYTES];

	(void)state;
	randombytes_buf(secret, sizeof(secret));
	randombytes_buf(bytes, sizeof(bytes));
	mac_prepare(key, secret);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		crypto_auth(theirs, bytes, len, secret);
		mac_write(ours, key, text_of(bytes, len));
		assert_memory_equal(ours, theirs, sizeof(theirs));
	}
}

static void mac_refuses_one_changed_bit(void **state)
{
	unsigned char secret[MAC_SECRET_BYTES] = { 1 }, key[MAC_KEY_BYTES], mac[MAC_BYTES];
	struct text bytes = text_from("what was said");

	(void)state;
	mac_prepare(key, secret);
	mac_write(mac, key, bytes);
	assert_true(mac_verify(mac, key, bytes));
	for (size_t bit = 0; bit < 8 * sizeof(mac); bit++) {
		mac[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_false(mac_verify(mac, key, bytes));
		mac[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	assert_false(mac_verify(mac, key, text_from("what was sald")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mac_is_that_of_crypto_auth),
		cmocka_unit_test(mac_refuses_one_changed_bit),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
