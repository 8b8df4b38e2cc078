#include "hosts.h"

#include "unit.h"

static char *origins[] = { "http://localhost:3000", "https://learn.example.org", "http://192.0.2.7:3000" };
static char *listed[] = { "course.example.com", "*.school.example" };
static char *all[] = { "*" };

static void without_a_list_what_dns_cannot_give_away_is_served(void **state)
{
	static const char *const good[] = { "localhost",      "localhost:8000",    "LOCALHOST.",
					    "127.0.0.1:8000", "127.9.9.9",         "[::1]:8000",
					    "192.168.1.20",   "[fd00::1]:80",      "box",
					    "box.local:8000", "app.localhost",     "gateway.internal",
					    "x.home.arpa",    "learn.example.org", "Learn.Example.org:443" };
	static const char *const bad[] = { "",
					   ":8000",
					   "evil.example",
					   "localhost.evil.example",
					   "127.0.0.1.evil.example",
					   "evil.example:8000",
					   "learn.example.org.evil.example",
					   "xlearn.example.org",
					   "local.evil.example",
					   "[::1",
					   "localhost,evil.example" };
	struct config config = { .allowed_origins = { 3, origins } };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!hosts_allow(&config, text_from(good[i])))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hosts_allow(&config, text_from(bad[i])))
			fail_msg("%s is served", bad[i]);
}

static void a_list_says_all_but_loopback(void **state)
{
	struct config config = { .allowed_origins = { 3, origins }, .allowed_hosts = { 2, listed } };

	(void)state;
	assert_true(hosts_allow(&config, text_from("course.example.com:8000")));
	assert_true(hosts_allow(&config, text_from("a.b.School.example")));
	assert_true(hosts_allow(&config, text_from("localhost:8000")));
	assert_true(hosts_allow(&config, text_from("127.0.0.1")));
	assert_false(hosts_allow(&config, text_from("school.example")));
	assert_false(hosts_allow(&config, text_from("learn.example.org")));
	assert_false(hosts_allow(&config, text_from("192.168.1.20")));
	assert_false(hosts_allow(&config, text_from("box")));
	config.allowed_hosts = (struct config_list){ 1, all };
	assert_true(hosts_allow(&config, text_from("evil.example")));
}

static void a_name_that_is_too_long_is_none(void **state)
{
	struct config config = { 0 };
	char name[400];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_false(hosts_allow(&config, text_of(name, sizeof(name))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_list_what_dns_cannot_give_away_is_served),
		cmocka_unit_test(a_list_says_all_but_loopback),
		cmocka_unit_test(a_name_that_is_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
