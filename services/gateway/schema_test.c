#include "schema.h"

#include "unit.h"

struct body {
	struct text name, note, email;
	int64_t hours;
	struct uuid_text id;
};

static const struct field fields[] = {
	FIELD_OF(struct body, name, FIELD_LINE, true, 2, 10),   FIELD_OF(struct body, note, FIELD_TEXT, false, 0, 5),
	FIELD_OF(struct body, email, FIELD_EMAIL, false, 0, 0), FIELD_OF(struct body, hours, FIELD_INT, false, 1, 500),
	FIELD_OF(struct body, id, FIELD_UUID, false, 0, 0),
};

struct result {
	bool good;
	struct body body;
	char entries[1024], message[512];
	cJSON *json;
	void *ctx;
};

static void read_body(const char *json, struct result *r)
{
	struct faults faults;

	*r = (struct result){ .ctx = talloc_new(NULL), .json = json_parse(text_from(json), NULL) };
	assert_non_null(r->json);
	faults_init(&faults, "en");
	r->good = schema_read(r->ctx, r->json, fields, FIELDS_N(fields), &r->body, &faults);
	assert_true(r->good == !faults_any(&faults));
	snprintf(r->entries, sizeof(r->entries), "%s", utstring_body(&faults.entries));
	snprintf(r->message, sizeof(r->message), "%s", utstring_body(&faults.message));
	faults_done(&faults);
}

static void result_done(struct result *r)
{
	cJSON_Delete(r->json);
	talloc_free(r->ctx);
}

static void expect_fault(const char *json, const char *type, const char *field)
{
	struct result r;
	char loc[64];

	read_body(json, &r);
	snprintf(loc, sizeof(loc), "\"loc\":[\"body\",\"%s\"]", field);
	assert_false(r.good);
	if (strstr(r.entries, type) == NULL || strstr(r.entries, loc) == NULL)
		fail_msg("%s: %s", json, r.entries);
	assert_non_null(strstr(r.message, field));
	result_done(&r);
}

static void schema_reads_what_fits(void **state)
{
	struct result r;

	(void)state;
	read_body("{\"name\":\"  Аня \",\"note\":\" x \",\"hours\":\"12\",\"extra\":{\"a\":1},"
		  "\"id\":\"6F9619FF-8B86-D011-B42D-00C04FC964FF\"}",
		  &r);
	assert_true(r.good);
	assert_true(text_is(r.body.name, "Аня"));
	assert_true(text_is(r.body.note, " x "));
	assert_int_equal(r.body.hours, 12);
	assert_string_equal(r.body.id.s, "6f9619ff-8b86-d011-b42d-00c04fc964ff");
	result_done(&r);
}

static void schema_takes_null_for_not_given(void **state)
{
	struct result r;

	(void)state;
	read_body("{\"name\":\"Ada\",\"note\":null,\"hours\":null,\"email\":null,\"id\":null}", &r);
	assert_true(r.good);
	assert_int_equal(r.body.hours, 0);
	assert_int_equal(r.body.id.s[0], '\0');
	result_done(&r);
	expect_fault("{\"name\":null}", "string_type", "name");
}

static void schema_names_each_fault(void **state)
{
	(void)state;
	expect_fault("{}", "missing", "name");
	expect_fault("{\"name\":5}", "string_type", "name");
	expect_fault("{\"name\":[\"Ada\"]}", "string_type", "name");
	expect_fault("{\"name\":\"a\"}", "string_too_short", "name");
	expect_fault("{\"name\":\"    \"}", "string_too_short", "name");
	expect_fault("{\"name\":\"12345678901\"}", "string_too_long", "name");
	expect_fault("{\"name\":\"Ada\",\"note\":\"123456\"}", "string_too_long", "note");
	expect_fault("{\"name\":\"Ada\",\"id\":\"x\"}", "uuid_parsing", "id");
	expect_fault("{\"name\":\"Ada\",\"email\":\"x\"}", "value_error", "email");
}

static void schema_counts_characters_not_bytes(void **state)
{
	struct result r;

	(void)state;
	read_body("{\"name\":\"ЖЖЖЖЖЖЖЖЖЖ\"}", &r);
	assert_true(r.good);
	result_done(&r);
	expect_fault("{\"name\":\"ЖЖЖЖЖЖЖЖЖЖЖ\"}", "string_too_long", "name");
}

static void schema_takes_whole_numbers_in_their_three_forms(void **state)
{
	static const char *const good[] = { "12", "12.0", "\"12\"", "\" 12 \"" };
	static const char *const bad[] = {
		"12.5", "\"12.5\"", "\"\"", "\"x\"", "\"12x\"", "1e300", "\"99999999999999999999\""
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct result r;
		char json[80];

		snprintf(json, sizeof(json), "{\"name\":\"Ada\",\"hours\":%s}", good[i]);
		read_body(json, &r);
		assert_true(r.good);
		assert_int_equal(r.body.hours, 12);
		result_done(&r);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char json[80];

		snprintf(json, sizeof(json), "{\"name\":\"Ada\",\"hours\":%s}", bad[i]);
		expect_fault(json, "int_parsing", "hours");
	}
	expect_fault("{\"name\":\"Ada\",\"hours\":true}", "int_type", "hours");
	expect_fault("{\"name\":\"Ada\",\"hours\":0}", "greater_than_equal", "hours");
	expect_fault("{\"name\":\"Ada\",\"hours\":-3}", "greater_than_equal", "hours");
	expect_fault("{\"name\":\"Ada\",\"hours\":501}", "less_than_equal", "hours");
}

static void schema_never_repeats_a_value(void **state)
{
	struct result r;

	(void)state;
	read_body("{\"name\":\"my secret password\"}", &r);
	assert_null(strstr(r.entries, "secret"));
	assert_null(strstr(r.message, "secret"));
	result_done(&r);
}

static void email_keeps_the_local_part_and_lowers_the_domain(void **state)
{
	char *email = email_normal(NULL, text_from("  Ada.Lovelace+x@Example.ORG "));

	(void)state;
	assert_string_equal(email, "Ada.Lovelace+x@example.org");
	talloc_free(email);
}

static void email_refuses_what_nobody_can_have(void **state)
{
	static const char *const bad[] = { "",
					   "x",
					   "@example.org",
					   "a@",
					   "a@b",
					   "a@b@example.org",
					   "a b@example.org",
					   "a@.org",
					   "a@example.",
					   "a@-x.org",
					   "a@x-.org",
					   "a@example.test",
					   "a@box.local",
					   "a@localhost",
					   "a@example.invalid",
					   ".a@example.org",
					   "a.@example.org",
					   "a..b@example.org",
					   "a@1.2.3.4",
					   "a@exa_mple.org",
					   "a@example..org" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (email_normal(NULL, text_from(bad[i])) != NULL)
			fail_msg("accepted: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_reads_what_fits),
		cmocka_unit_test(schema_takes_null_for_not_given),
		cmocka_unit_test(schema_names_each_fault),
		cmocka_unit_test(schema_counts_characters_not_bytes),
		cmocka_unit_test(schema_takes_whole_numbers_in_their_three_forms),
		cmocka_unit_test(schema_never_repeats_a_value),
		cmocka_unit_test(email_keeps_the_local_part_and_lowers_the_domain),
		cmocka_unit_test(email_refuses_what_nobody_can_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
