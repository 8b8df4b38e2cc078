#include "outbound.h"

#include "unit.h"

static const struct config_list none;
static char *items[] = { (char[]){ "127.0.0.1:11434" }, (char[]){ "ollama.lan:80" }, (char[]){ "[::1]:8443" } };
static const struct config_list listed = { 3, items };

static const char *const good[] = {
	"https://api.openai.com/v1",
	"https://api.openai.com",
	"https://API.Example.org:443/v1/",
	"https://models.example.org:8443/a/b/c",
	"https://8.8.8.8/v1",
	"https://[2606:4700:4700::1111]/v1",
	"HTTPS://api.example.org/v1",
};

/* Every notation in which somebody has tried to name what is inside. */
static const char *const bad[] = {
	"",
	"api.openai.com/v1",
	"http://api.openai.com/v1",
	"ftp://api.openai.com/v1",
	"file:///etc/passwd",
	"gopher://api.example.org/",
	"https://",
	"https:///v1",
	"https:api.example.org",
	"https://user@api.example.org/v1",
	"https://user:password@api.example.org/v1",
	"https://@api.example.org/v1",
	"https://api.example.org/v1?x=1",
	"https://api.example.org/v1?",
	"https://api.example.org/v1#x",
	"https://api.example.org/v1#",
	"https://api.example.org\\@127.0.0.1/",
	"https://api.example.org/ v1",
	"https://api.example.org/\r\nHost: x",
	"https://api.example.org/%0d%0a",
	"https://ｅxample.org/v1",
	"https://api.example.org:22/v1",
	"https://api.example.org:80/v1",
	"https://api.example.org:0/v1",
	"https://api.example.org:65536/v1",
	"https://api.example.org:x/v1",
	"https://localhost/v1",
	"https://LocalHost./v1",
	"https://a.localhost/v1",
	"https://printer.local/v1",
	"https://metadata.google.internal/v1",
	"https://gateway/v1",
	"https://127.0.0.1/v1",
	"https://127.0.0.1./v1",
	"https://127.1/v1",
	"https://0x7f.1/v1",
	"https://0x7f000001/v1",
	"https://2130706433/v1",
	"https://017700000001/v1",
	"https://0177.0.0.1/v1",
	"https://127.0.0.1%2e/v1",
	"https://%31%32%37.0.0.1/v1",
	"https://0/v1",
	"https://0.0.0.0/v1",
	"https://10.0.0.1/v1",
	"https://172.16.0.1/v1",
	"https://192.168.0.1/v1",
	"https://192.168.257/v1",
	"https://100.64.0.1/v1",
	"https://169.254.169.254/v1",
	"https://0xa9fea9fe/v1",
	"https://2852039166/v1",
	"https://224.0.0.1/v1",
	"https://255.255.255.255/v1",
	"https://[::]/v1",
	"https://[::1]/v1",
	"https://[0:0:0:0:0:0:0:1]/v1",
	"https://[::ffff:127.0.0.1]/v1",
	"https://[::ffff:7f00:1]/v1",
	"https://[::127.0.0.1]/v1",
	"https://[64:ff9b::7f00:1]/v1",
	"https://[2002:7f00:1::]/v1",
	"https://[fc00::1]/v1",
	"https://[fd00:ec2::254]/v1",
	"https://[fe80::1]/v1",
	"https://[fe80::1%25eth0]/v1",
	"https://[ff02::1]/v1",
};

static void addresses_of_the_internet_are_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct err err = { 0 };
		bool is_listed = true;

		if (!outbound_check(good[i], &none, &is_listed, &err) || is_listed)
			fail_msg("%s: %s", good[i], err.message);
	}
}

static void every_notation_of_the_inside_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = { 0 };
		bool is_listed = false;

		if (outbound_check(bad[i], &none, &is_listed, &err))
			fail_msg("%s was accepted", bad[i]);
		assert_int_not_equal(err.message[0], '\0');
	}
}

static void an_endless_address_is_refused(void **state)
{
	char url[600] = "https://api.example.org/";
	bool is_listed;

	(void)state;
	memset(url + strlen(url), 'v', sizeof(url) - strlen(url) - 1);
	url[sizeof(url) - 1] = '\0';
	assert_false(outbound_check(url, &none, &is_listed, NULL));
}

static void the_operator_vouches_for_hosts_with_their_port(void **state)
{
	bool is_listed = false;

	(void)state;
	assert_true(outbound_check("http://127.0.0.1:11434/v1", &listed, &is_listed, NULL) && is_listed);
	assert_true(outbound_check("http://Ollama.LAN/v1", &listed, &is_listed, NULL) && is_listed);
	assert_true(outbound_check("https://[::1]:8443/v1", &listed, &is_listed, NULL) && is_listed);
	assert_true(outbound_check("http://127.1:11434/v1", &listed, &is_listed, NULL) &&
		    is_listed); /* the same host */
	assert_false(outbound_check("http://127.0.0.1:11435/v1", &listed, &is_listed, NULL));
	assert_false(outbound_check("http://127.0.0.1/v1", &listed, &is_listed, NULL));
	assert_false(outbound_check("http://x.ollama.lan/v1", &listed, &is_listed, NULL));
	assert_false(outbound_check("http://a@127.0.0.1:11434/v1", &listed, &is_listed, NULL));
	assert_false(outbound_check("http://127.0.0.1:11434/v1?x", &listed, &is_listed, NULL));
}

static void a_list_holds_hosts_with_ports(void **state)
{
	static const char *const wrong[] = { "host",       ":80",      "host:",         "host:0",
					     "host:65536", "host:80x", "http://host:80" };

	(void)state;
	assert_true(outbound_check_list(&none, NULL));
	assert_true(outbound_check_list(&listed, NULL));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *one[] = { (char *)(uintptr_t)wrong[i] };
		struct err err = { 0 };

		if (outbound_check_list(&(struct config_list){ 1, one }, &err))
			fail_msg("%s was accepted", wrong[i]);
		assert_string_equal(err.field, "AI_ALLOWED_HOSTS");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_the_internet_are_good),
		cmocka_unit_test(every_notation_of_the_inside_is_refused),
		cmocka_unit_test(an_endless_address_is_refused),
		cmocka_unit_test(the_operator_vouches_for_hosts_with_their_port),
		cmocka_unit_test(a_list_holds_hosts_with_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
