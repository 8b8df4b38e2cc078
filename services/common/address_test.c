#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "address.h"

static const struct {
	const char *address;
	bool is_public;
} rows[] = {
	{ "8.8.8.8", true },
	{ "1.1.1.1", true },
	{ "104.18.6.192", true },
	{ "9.255.255.255", true },
	{ "11.0.0.0", true },
	{ "100.63.255.255", true },
	{ "100.128.0.0", true },
	{ "126.255.255.255", true },
	{ "128.0.0.0", true },
	{ "169.253.255.255", true },
	{ "169.255.0.0", true },
	{ "172.15.255.255", true },
	{ "172.32.0.0", true },
	{ "192.0.1.0", true },
	{ "192.167.255.255", true },
	{ "192.169.0.0", true },
	{ "198.17.255.255", true },
	{ "198.20.0.0", true },
	{ "223.255.255.255", true },
	{ "0.0.0.0", false },
	{ "0.255.255.255", false },
	{ "10.0.0.0", false },
	{ "10.255.255.255", false },
	{ "100.64.0.0", false },
	{ "100.100.100.200", false }, /* Alibaba's metadata */
	{ "100.127.255.255", false },
	{ "127.0.0.1", false },
	{ "127.255.255.255", false },
	{ "168.63.129.16", false },
	{ "169.254.169.254", false },
	{ "172.16.0.0", false },
	{ "172.31.255.255", false },
	{ "192.0.0.192", false }, /* Oracle's metadata */
	{ "192.0.2.1", false },
	{ "192.88.99.1", false },
	{ "192.168.0.1", false },
	{ "198.18.0.0", false },
	{ "198.19.255.255", false },
	{ "198.51.100.1", false },
	{ "203.0.113.1", false },
	{ "224.0.0.1", false },
	{ "239.255.255.255", false },
	{ "240.0.0.0", false },
	{ "255.255.255.255", false },
	{ "2606:4700:4700::1111", true },
	{ "2a00:1450:4001:82a::200e", true },
	{ "2001:4860:4860::8888", true },
	{ "2001:200::1", true },
	{ "2003::1", true },
	{ "3ffe::1", true },
	{ "::", false },
	{ "::1", false },
	{ "::7f00:1", false }, /* IPv4-compatible */
	{ "::ffff:8.8.8.8", false },
	{ "::ffff:127.0.0.1", false },
	{ "::ffff:0:10.0.0.1", false },
	{ "64:ff9b::8.8.8.8", false },
	{ "64:ff9b:1::a00:1", false },
	{ "100::1", false },
	{ "1fff:ffff::1", false },
	{ "4000::1", false },
	{ "2001::1", false }, /* Teredo */
	{ "2001:10::1", false },
	{ "2001:1ff:ffff::1", false },
	{ "2001:db8::1", false },
	{ "2002:7f00:1::", false },
	{ "2002:808:808::1", false },
	{ "3fff::1", false },
	{ "3fff:fff:ffff::1", false },
	{ "fc00::1", false },
	{ "fd00:ec2::254", false }, /* Amazon's metadata */
	{ "fe80::1", false },
	{ "fec0::1", false },
	{ "ff02::1", false },
};

static bool socket_says(const char *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return address_is_public((const struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	return address_is_public((const struct sockaddr *)&v6);
}

static void address_is_told_by_its_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool numeric;

		if (socket_says(rows[i].address) != rows[i].is_public ||
		    address_text_is_public(rows[i].address, &numeric) != rows[i].is_public || !numeric)
			fail_msg("%s", rows[i].address);
	}
}

static void address_refuses_what_is_none(void **state)
{
	static const char *const texts[] = { "",           "localhost", "127.1", "0x7f.1",
					     "2130706433", "8.8.8.8.",  "[::1]", "8.8.8.8%eth0" };
	struct sockaddr local = { .sa_family = AF_UNIX };
	bool numeric;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(address_text_is_public(texts[i], &numeric));
		assert_false(numeric);
	}
	assert_false(address_is_public(&local));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_is_told_by_its_range),
		cmocka_unit_test(address_refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
