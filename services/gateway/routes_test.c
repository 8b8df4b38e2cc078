#include "routes.h"

#include "unit.h"

static struct route_match match(enum http_method method, const char *path)
{
	struct route_match m;

	routes_match(method, text_from(path), &m);
	return m;
}

static void routes_find_their_handler_and_parameters(void **state)
{
	struct route_match m = match(HTTP_GET, "/api/chat/sessions/test-session/chats");

	(void)state;
	assert_int_equal(m.result, ROUTE_FOUND);
	assert_string_equal(m.route->pattern, "/api/chat/sessions/{session_id}/chats");
	assert_true(text_is(m.params[0].name, "session_id"));
	assert_true(text_is(m.params[0].value, "test-session"));
	assert_int_equal(m.params[1].value.len, 0);
	assert_int_equal(match(HTTP_GET, "/api").result, ROUTE_FOUND);
	assert_int_equal(match(HTTP_POST, "/api/tracks").result, ROUTE_FOUND);
	assert_string_equal(match(HTTP_GET, "/api/chat/users/chats").route->pattern, "/api/chat/users/chats");
}

static void routes_name_the_methods_of_a_known_path(void **state)
{
	struct route_match m = match(HTTP_DELETE, "/api/tracks");

	(void)state;
	assert_int_equal(m.result, ROUTE_WRONG_METHOD);
	assert_string_equal(m.allow, "GET, POST");
	assert_int_equal(match(HTTP_HEAD, "/api").result, ROUTE_WRONG_METHOD);
	assert_int_equal(match(HTTP_GET, "/api/auth/login").result, ROUTE_WRONG_METHOD);
}

static void routes_redirect_only_known_paths_without_their_slash(void **state)
{
	(void)state;
	assert_int_equal(match(HTTP_GET, "/api/tracks/").result, ROUTE_SLASH);
	assert_int_equal(match(HTTP_GET, "/api/nothing/").result, ROUTE_UNKNOWN);
	assert_int_equal(match(HTTP_GET, "/").result, ROUTE_STATIC);
	assert_int_equal(match(HTTP_GET, "/about/").result, ROUTE_STATIC);
}

static void routes_never_show_the_page_for_an_unknown_api_path(void **state)
{
	static const char *const paths[] = { "/api/x", "/api/tracks/1/2", "/ws", "/ws/chat/1",
					     "/api/chat/sessions//chats" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(match(HTTP_GET, paths[i]).result, ROUTE_UNKNOWN);
	assert_int_equal(match(HTTP_GET, "/apix").result, ROUTE_STATIC);
	assert_int_equal(match(HTTP_GET, "/wsx/1").result, ROUTE_STATIC);
}

static void routes_all_match_themselves(void **state)
{
	size_t n;
	const struct route *all = routes_all(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct route_match m = match(all[i].method, all[i].pattern);

		assert_int_equal(m.result, ROUTE_FOUND);
		assert_non_null(m.route->handler);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_find_their_handler_and_parameters),
		cmocka_unit_test(routes_name_the_methods_of_a_known_path),
		cmocka_unit_test(routes_redirect_only_known_paths_without_their_slash),
		cmocka_unit_test(routes_never_show_the_page_for_an_unknown_api_path),
		cmocka_unit_test(routes_all_match_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
