#include "cors.h"

#include "unit.h"
#include "words.h"

static char *allowed[] = { "http://localhost:3000", "http://localhost:5173" };
static char *own[] = { "https://learn.example.org", "*" };

static void cors_knows_its_origins_exactly(void **state)
{
	struct config config = { .allowed_origins = { 2, allowed } };

	(void)state;
	assert_true(cors_allows(&config, text_from("http://localhost:3000")));
	assert_false(cors_allows(&config, text_from("http://localhost:30000")));
	assert_false(cors_allows(&config, text_from("http://localhost")));
	assert_false(cors_allows(&config, text_from("https://localhost:3000")));
	assert_false(cors_allows(&config, text_from("http://localhost:3000.evil.org")));
	assert_false(cors_allows(&config, text_from("null")));
	assert_false(cors_allows(&config, text_from("")));
}

static void cors_takes_the_first_list_that_is_set_and_no_star(void **state)
{
	struct config config = { .allowed_origins = { 2, allowed }, .cors_origins = { 2, own } };

	(void)state;
	assert_true(cors_allows(&config, text_from("https://learn.example.org")));
	assert_false(cors_allows(&config, text_from("http://localhost:3000")));
	assert_false(cors_allows(&config, text_from("*")));
	config = (struct config){ .allowed_origins = { 2, allowed }, .cors_origins_json = { 2, own } };
	assert_true(cors_allows(&config, text_from("https://learn.example.org")));
}

static void an_origin_is_ours_when_it_names_our_host_and_port(void **state)
{
	(void)state;
	assert_true(cors_is_same(text_from("http://localhost:8000"), text_from("localhost:8000")));
	assert_true(cors_is_same(text_from("https://Learn.example.org"), text_from("learn.example.org")));
	assert_false(cors_is_same(text_from("http://localhost:3000"), text_from("localhost:8000")));
	assert_false(cors_is_same(text_from("http://localhost:80000"), text_from("localhost:8000")));
	assert_false(cors_is_same(text_from("ftp://localhost:8000"), text_from("localhost:8000")));
	assert_false(cors_is_same(text_from("http://"), text_from("")));
	assert_false(cors_is_same(text_from(""), text_from("localhost:8000")));
}

static void language(const char *header, const char *expected)
{
	char out[3];

	language_from_header(text_from(header), out);
	assert_string_equal(out, expected);
}

static void the_better_liked_language_is_spoken(void **state)
{
	(void)state;
	language("", "ru");
	language("*", "ru");
	language("de,fr;q=0.8", "ru");
	language("en", "en");
	language("en-US,en;q=0.9,ru;q=0.8", "en");
	language("de, ru;q=0.3, en;q=0.7", "en");
	language("RU-ru", "ru");
	language("english", "ru");
	language("en;q=0", "ru");
	language(",,;;q=", "ru");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cors_knows_its_origins_exactly),
		cmocka_unit_test(cors_takes_the_first_list_that_is_set_and_no_star),
		cmocka_unit_test(an_origin_is_ours_when_it_names_our_host_and_port),
		cmocka_unit_test(the_better_liked_language_is_spoken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
