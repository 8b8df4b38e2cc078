#include "head_filter.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

#define HOST "Host: h\r\n"

static char out[65536];

/* What comes out of a connection's bytes, fed in pieces of so many. */
static const char *through(struct head_filter *f, const char *bytes, size_t piece)
{
	size_t n = strlen(bytes), out_n = 0;

	for (size_t at = 0; at < n; at += piece)
		out_n += head_filter_run(f, bytes + at, n - at < piece ? n - at : piece, out + out_n);
	out[out_n] = '\0';
	return out;
}

static void becomes(const char *bytes, const char *expected)
{
	for (size_t piece = 1; piece <= strlen(bytes); piece++) {
		struct head_filter f = { 0 };

		assert_string_equal(through(&f, bytes, piece), expected);
		assert_int_equal(f.fault.status, 0);
		head_filter_done(&f);
	}
}

static struct head_filter refused(const char *bytes, unsigned status)
{
	struct head_filter f = { 0 };

	for (size_t piece = strlen(bytes) < 1000 ? 1 : 100; piece <= strlen(bytes); piece = piece * 3 / 2 + 1) {
		head_filter_done(&f);
		f = (struct head_filter){ 0 };
		through(&f, bytes, piece);
		if (head_filter_fault(&f, f.heads) == NULL)
			print_message("no fault: %s\n", bytes);
		assert_non_null(head_filter_fault(&f, f.heads));
		assert_int_equal(f.fault.status, status);
		assert_true(head_filter_is_deaf(&f));
	}
	head_filter_done(&f);
	return f;
}

static void a_head_keeps_what_is_read_of_it(void **state)
{
	(void)state;
	becomes("GET /a?b=%20c HTTP/1.1\r\nHost: h\r\nX-Request-Id: 1\r\nAccept:  x \r\n\r\n",
		"GET /a?b=%20c HTTP/1.1\r\nHost: h\r\nAccept: x\r\n\r\n");
	becomes("\r\nGET http://other/a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n");
	becomes("GET https://other HTTP/1.1\r\n" HOST "\r\n", "GET / HTTP/1.1\r\n" HOST "\r\n");
}

static void a_name_that_begins_like_a_known_one_swallows_nothing(void **state)
{
	static const char *const names[] = { "X-Auth", "Auth",          "If",  "Content", "A", "Ac",
					     "Get",    "Sec-WebSocket", "Http" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char bytes[200];

		snprintf(bytes, sizeof(bytes), "GET / HTTP/1.1\r\n" HOST "%s: t\r\nAuthorization: Bearer x\r\n\r\n",
			 names[i]);
		becomes(bytes, "GET / HTTP/1.1\r\n" HOST "Authorization: Bearer x\r\n\r\n");
		snprintf(bytes, sizeof(bytes), "GET / HTTP/1.1\r\n" HOST "%s: t\r\n\r\n", names[i]);
		becomes(bytes, "GET / HTTP/1.1\r\n" HOST "\r\n");
	}
}

static void bodies_and_what_follows_them_stay_apart(void **state)
{
	(void)state;
	becomes("POST /a HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nG: \nGET /b HTTP/1.1\r\n" HOST "B: 1\r\n\r\n",
		"POST /a HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nG: \nGET /b HTTP/1.1\r\n" HOST "\r\n");
}

static void a_websocket_goes_past(void **state)
{
	(void)state;
	becomes("GET /ws HTTP/1.1\r\n" HOST "Upgrade: WebSocket\r\n\r\n\x81\x01"
		"Auth: x\n",
		"GET /ws HTTP/1.1\r\n" HOST "Upgrade: WebSocket\r\n\r\n\x81\x01"
		"Auth: x\n");
	becomes("GET / HTTP/1.1\r\n" HOST
		"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\n\r\n");
}

static void wrong_framing_is_a_fault(void **state)
{
	static const char *const heads[] = {
		"GET / HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc",
		"GET / HTTP/1.1\r\n" HOST "X-F: 1\r\n Content-Length: 3\r\n\r\nabc",
		"GET / HTTP/1.1\r\n" HOST HOST "\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST ": no name\r\n\r\n",
		"GET / HTTP/1.1\n" HOST "\r\n",
		"GET / HTTP/1.1\r\n" HOST "Accept: a\rb\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 9999999999999999\r\n\r\nabc",
		"GET  / HTTP/1.1\r\n" HOST "\r\n",
		"GET /\r\n\r\n",
		"\x16\x03\x01 / HTTP/1.1\r\n\r\n",
		"GET a HTTP/1.1\r\n" HOST "\r\n",
		"GET /%zz HTTP/1.1\r\n" HOST "\r\n",
		"GET /% HTTP/1.1\r\n" HOST "\r\n",
		"GET /a%0Ab HTTP/1.1\r\n" HOST "\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		refused(heads[i], 400);
	refused("GET / HTTP/3.0\r\n" HOST "\r\n", 505);
	refused("POST / HTTP/1.1\r\n" HOST "Expect: a-miracle\r\n\r\n", 417);
	refused("PROPFIND / HTTP/1.1\r\n" HOST "\r\n", 405);
}

static void an_argument_that_is_wrong_is_named(void **state)
{
	struct head_filter f = refused("GET /a?x=1&limit=%00 HTTP/1.1\r\n" HOST "\r\n", 422);

	(void)state;
	assert_string_equal(f.fault.query, "limit");
}

static void a_head_is_bounded(void **state)
{
	char *bytes = calloc(1, 3 * HEAD_MAX);
	size_t n = (size_t)snprintf(bytes, 100, "GET / HTTP/1.1\r\n" HOST "X: ");

	(void)state;
	memset(bytes + n, 'x', HEAD_MAX);
	memcpy(bytes + n + HEAD_MAX, "\r\n\r\n", 5);
	refused(bytes, 431);
	n = (size_t)snprintf(bytes, 100, "GET /");
	memset(bytes + n, 'x', HEAD_MAX);
	memcpy(bytes + n + HEAD_MAX, " HTTP/1.1\r\n\r\n", 14);
	refused(bytes, 414);
	n = (size_t)snprintf(bytes, 100, "GET / HTTP/1.1\r\n" HOST);
	while (n < HEAD_MAX + 10)
		n += (size_t)snprintf(bytes + n, 100, "Accept: x\r\n");
	memcpy(bytes + n, "\r\n", 3);
	refused(bytes, 431);
	free(bytes);
}

static void who_waits_for_the_word_to_go_on_is_known(void **state)
{
	struct head_filter f = { 0 };

	(void)state;
	through(&f,
		"GET / HTTP/1.1\r\n" HOST "\r\nPOST / HTTP/1.1\r\n" HOST
		"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n",
		7);
	assert_int_equal(f.expects, 2);
	assert_int_equal(head_filter_body_left(&f), 2);
	head_filter_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_keeps_what_is_read_of_it),
		cmocka_unit_test(a_name_that_begins_like_a_known_one_swallows_nothing),
		cmocka_unit_test(bodies_and_what_follows_them_stay_apart),
		cmocka_unit_test(a_websocket_goes_past),
		cmocka_unit_test(wrong_framing_is_a_fault),
		cmocka_unit_test(an_argument_that_is_wrong_is_named),
		cmocka_unit_test(a_head_is_bounded),
		cmocka_unit_test(who_waits_for_the_word_to_go_on_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
