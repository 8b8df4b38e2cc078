#include "tokens.h"

#include <sodium.h>

#include "auth.h"
#include "config.h"
#include "tickets.h"
#include "clock.h"
#include "unit.h"

#define KEY "0123456789abcdefghijklmnopqrstuvwxyzABCD"

static char no_old_keys[] = "";

static struct config config_with(char *key)
{
	return (struct config){ .secret_key = key,
				.secret_key_old = no_old_keys,
				.algorithm = "HS256",
				.access_token_expire_minutes = 30 };
}

static struct tokens *tokens(void *ctx)
{
	struct config config = config_with(talloc_strdup(ctx, KEY));
	const char *warning;
	struct tokens *t = tokens_new(ctx, &config, &warning, NULL);

	assert_non_null(t);
	assert_null(warning);
	return t;
}

static struct caller user(void)
{
	return (struct caller){ .user_id = { "6f9619ff-8b86-d011-b42d-00c04fc964ff" }, .kind = CALLER_USER };
}

/* header.payload signed with key by `mac` (crypto_auth_hmacsha256 or ...512) */
static char *forge(void *ctx, const char *header, const char *payload, const char *key, bool sha512)
{
	unsigned char mac[64];
	char head[512], body[1024], sig[128], *signing;

	sodium_bin2base64(head, sizeof(head), (const unsigned char *)header, strlen(header),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_bin2base64(body, sizeof(body), (const unsigned char *)payload, strlen(payload),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	signing = talloc_asprintf(ctx, "%s.%s", head, body);
	if (sha512) {
		crypto_auth_hmacsha512_state state;

		crypto_auth_hmacsha512_init(&state, (const unsigned char *)key, strlen(key));
		crypto_auth_hmacsha512_update(&state, (const unsigned char *)signing, strlen(signing));
		crypto_auth_hmacsha512_final(&state, mac);
	} else {
		crypto_auth_hmacsha256_state state;

		crypto_auth_hmacsha256_init(&state, (const unsigned char *)key, strlen(key));
		crypto_auth_hmacsha256_update(&state, (const unsigned char *)signing, strlen(signing));
		crypto_auth_hmacsha256_final(&state, mac);
	}
	sodium_bin2base64(sig, sizeof(sig), mac, sha512 ? 64 : 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return talloc_asprintf(ctx, "%s.%s", signing, sig);
}

#define SID "11111111-2222-4333-8444-555555555555"

static char *payload(void *ctx, const char *sub, long iat_in, long exp_in, const char *more)
{
	long now = (long)(clock_wall_us() / 1000000);

	return talloc_asprintf(ctx,
			       "{\"sub\":\"%s\",\"iss\":\"ai-learning-platform\",\"aud\":\"api\",\"type\":\"access\","
			       "\"sid\":\"" SID "\",\"ver\":1,\"iat\":%ld,\"nbf\":%ld,\"exp\":%ld%s}",
			       sub, now + iat_in, now + iat_in, now + exp_in, more);
}

#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define SUB "6f9619ff-8b86-d011-b42d-00c04fc964ff"

static bool reads(const char *text)
{
	void *ctx = talloc_new(NULL);
	struct token token;
	bool good = token_read(tokens(ctx), text_from(text), &token, NULL);

	talloc_free(ctx);
	return good;
}

static void tokens_carry_users_and_guests(void **state)
{
	void *ctx = talloc_new(NULL);
	struct tokens *t = tokens(ctx);
	struct caller who = user();
	struct sign_in sign_in = { { SID }, 7 };
	struct token read;

	(void)state;
	assert_true(token_read(t, text_from(token_issue(ctx, t, &who, &sign_in)), &read, NULL));
	assert_int_equal(read.caller.kind, CALLER_USER);
	assert_string_equal(read.caller.user_id.s, who.user_id.s);
	assert_true(read.expires_s > clock_wall_us() / 1000000 + 1700);
	assert_string_equal(read.sign_in.id.s, SID);
	assert_int_equal(read.sign_in.version, 7);
	assert_true(read.issued_s >= clock_wall_us() / 1000000 - 5);
	who.kind = CALLER_GUEST;
	assert_string_equal(caller_subject(ctx, &who), "guest_6f9619ff8b86d011b42d00c04fc964ff");
	assert_true(token_read(t, text_from(token_issue(ctx, t, &who, &sign_in)), &read, NULL));
	assert_int_equal(read.caller.kind, CALLER_GUEST);
	assert_string_equal(read.caller.user_id.s, who.user_id.s);
	talloc_free(ctx);
}

static void tokens_of_our_own_making_elsewhere_are_good(void **state)
{
	void *ctx = talloc_new(NULL);

	(void)state;
	assert_true(reads(forge(ctx, HS256, payload(ctx, SUB, 0, 60, ""), KEY, false)));
	assert_true(reads(forge(ctx, "{\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"x\"}", payload(ctx, SUB, 0, 60, ""),
				KEY, false)));
	talloc_free(ctx);
}

static void tokens_refuse_other_algorithms(void **state)
{
	void *ctx = talloc_new(NULL);
	char *good = payload(ctx, SUB, 0, 60, "");
	char *none = forge(ctx, "{\"alg\":\"none\"}", good, KEY, false);

	(void)state;
	assert_false(reads(none));
	strrchr(none, '.')[1] = '\0';
	assert_false(reads(none));
	assert_false(reads(forge(ctx, "{\"alg\":\"nOnE\"}", good, KEY, false)));
	assert_false(reads(forge(ctx, "{\"alg\":\"HS512\"}", good, KEY, true)));
	assert_false(reads(forge(ctx, "{\"alg\":\"RS256\"}", good, KEY, false)));
	assert_false(reads(forge(ctx, "{\"alg\":\"HS256\",\"crit\":[\"x\"]}", good, KEY, false)));
	assert_false(reads(forge(ctx, "{\"alg\":\"HS256\",\"crit\":\"x\"}", good, KEY, false)));
	talloc_free(ctx);
}

static void tokens_refuse_other_keys_and_changed_bytes(void **state)
{
	void *ctx = talloc_new(NULL);
	char *good = forge(ctx, HS256, payload(ctx, SUB, 0, 60, ""), KEY, false);

	(void)state;
	assert_false(reads(
		forge(ctx, HS256, payload(ctx, SUB, 0, 60, ""), "another key of the same length 123456789", false)));
	for (size_t i = 0; i < strlen(good); i++) {
		char kept = good[i];

		good[i] = kept == 'A' ? 'B' : 'A';
		if (reads(good))
			fail_msg("byte %zu does not matter", i);
		good[i] = kept;
	}
	talloc_free(ctx);
}

static void tokens_refuse_broken_forms(void **state)
{
	void *ctx = talloc_new(NULL);
	char *good = forge(ctx, HS256, payload(ctx, SUB, 0, 60, ""), KEY, false);
	char *padded = talloc_asprintf(ctx, "%s=", good);
	char *more = talloc_asprintf(ctx, "%s.x", good);
	char *blank = talloc_asprintf(ctx, " %s", good);
	char *huge = talloc_zero_size(ctx, TOKEN_MAX + 2);

	(void)state;
	memset(huge, 'a', TOKEN_MAX + 1);
	assert_false(reads(""));
	assert_false(reads(".."));
	assert_false(reads("a.b.c"));
	assert_false(reads(padded));
	assert_false(reads(more));
	assert_false(reads(blank));
	assert_false(reads(huge));
	*strrchr(good, '.') = '\0';
	assert_false(reads(good));
	talloc_free(ctx);
}

#define LATER "99999999999"

static const struct {
	const char *name, *value;
} usual[] = {
	{ "iss", "\"ai-learning-platform\"" },
	{ "aud", "\"api\"" },
	{ "type", "\"access\"" },
	{ "sid", "\"" SID "\"" },
	{ "ver", "1" },
	{ "iat", "1" },
	{ "nbf", "1" },
	{ "exp", LATER },
};

/* A token signed by us whose claims are the usual ones but for this one; value NULL leaves it out. */
static bool reads_with(const char *name, const char *value)
{
	void *ctx = talloc_new(NULL);
	char *json = talloc_strdup(ctx, "{\"sub\":\"" SUB "\"");
	bool good;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		const char *v = strcmp(usual[i].name, name) == 0 ? value : usual[i].value;

		if (v != NULL)
			json = talloc_asprintf_append(json, ",\"%s\":%s", usual[i].name, v);
	}
	good = reads(forge(ctx, HS256, talloc_asprintf_append(json, "}"), KEY, false));
	talloc_free(ctx);
	return good;
}

static void tokens_check_every_claim(void **state)
{
	static const char *const bodies[] = { "{}", "[]", "5", "nonsense" };
	static const char *const wrong[] = { NULL, "\"x\"", "null", "true", "{}", "[]", "\"1\"", "1.5e400" };
	void *ctx = talloc_new(NULL);

	(void)state;
	assert_true(reads_with("", NULL));
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++)
			if (reads_with(usual[i].name, wrong[k]))
				fail_msg("%s: %s is good", usual[i].name, wrong[k] != NULL ? wrong[k] : "nothing");
	assert_false(reads_with("type", "\"refresh\""));
	assert_false(reads_with("ver", "-1"));
	assert_true(reads_with("ver", "0"));
	assert_false(reads_with("sid", "\"1111\""));
	assert_false(reads_with("nbf", LATER));
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_false(reads(forge(ctx, HS256, bodies[i], KEY, false)));
	assert_false(reads(forge(ctx, HS256, payload(ctx, "admin", 0, 60, ""), KEY, false)));
	assert_false(reads(forge(ctx, HS256, payload(ctx, "guest_1234", 0, 60, ""), KEY, false)));
	assert_false(reads(forge(ctx, HS256, payload(ctx, SUB, -120, -1, ""), KEY, false)));
	assert_false(reads(forge(ctx, HS256, payload(ctx, SUB, 300, 600, ""), KEY, false)));
	talloc_free(ctx);
}

static bool key_starts(char *key, bool debug, const char **warning)
{
	void *ctx = talloc_new(NULL);
	struct config config = config_with(key);
	bool good;

	config.debug = debug;
	good = tokens_new(ctx, &config, warning, NULL) != NULL;
	talloc_free(ctx);
	return good;
}

static void tokens_refuse_weak_keys_outside_of_debug(void **state)
{
	static char empty[] = "", weak[] = "your-secret-key-here",
		    longer[] = "your-secret-key-here-and-much-longer-than-32",
		    same[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", good[] = KEY;
	const char *warning;

	(void)state;
	assert_false(key_starts(empty, true, &warning));
	assert_false(key_starts(weak, false, &warning));
	assert_false(key_starts(longer, false, &warning));
	assert_false(key_starts(same, false, &warning));
	assert_true(key_starts(weak, true, &warning));
	assert_non_null(warning);
	assert_true(key_starts(good, false, &warning));
	assert_null(warning);
}

static void tokens_of_an_old_key_are_read_and_none_is_signed_with_it(void **state)
{
	static char key[] = KEY, new_key[] = "fedcba9876543210-a-new-key-of-another-day",
		    both[] = ",another key of the same length 123456789," KEY, weak[] = KEY ",your-secret-key-here",
		    many[] = KEY "," KEY "," KEY "," KEY "," KEY "," KEY "," KEY "," KEY;
	void *ctx = talloc_new(NULL);
	struct config before = config_with(key), after = config_with(new_key);
	struct sign_in sign_in = { { SID }, 7 };
	struct caller who = user();
	struct tokens *old, *rotated;
	struct err err = { 0 };
	const char *warning;
	struct token read;

	(void)state;
	after.secret_key_old = both;
	old = tokens_new(ctx, &before, &warning, NULL);
	rotated = tokens_new(ctx, &after, &warning, NULL);
	assert_non_null(rotated);
	assert_null(warning);
	assert_true(token_read(rotated, text_from(token_issue(ctx, old, &who, &sign_in)), &read, NULL));
	assert_true(token_read(rotated, text_from(token_issue(ctx, rotated, &who, &sign_in)), &read, NULL));
	assert_false(token_read(old, text_from(token_issue(ctx, rotated, &who, &sign_in)), &read, NULL));
	after.secret_key_old = weak;
	assert_null(tokens_new(ctx, &after, &warning, &err));
	assert_non_null(strstr(err.message, "SECRET_KEY_OLD"));
	assert_null(strstr(err.message, "your-secret"));
	after.secret_key_old = many;
	assert_null(tokens_new(ctx, &after, &warning, &err));
	talloc_free(ctx);
}

static void tokens_refuse_other_settings(void **state)
{
	static char key[] = KEY, hs512[] = "HS512";
	struct config config = config_with(key);
	const char *warning;
	struct err err = { 0 };

	(void)state;
	config.algorithm = hs512;
	assert_null(tokens_new(NULL, &config, &warning, &err));
	assert_non_null(strstr(err.message, "ALGORITHM"));
	config = config_with(key);
	config.access_token_expire_minutes = 0;
	assert_null(tokens_new(NULL, &config, &warning, &err));
}

static void bearer_is_split_from_its_scheme(void **state)
{
	struct text token = { 0 };

	(void)state;
	assert_int_equal(bearer_split(text_from(""), &token), BEARER_NONE);
	assert_int_equal(bearer_split(text_from("Basic abc"), &token), BEARER_OTHER);
	assert_int_equal(bearer_split(text_from("Bearer"), &token), BEARER_OTHER);
	assert_int_equal(bearer_split(text_from("bearer  a.b.c "), &token), BEARER_TOKEN);
	assert_true(text_is(token, "a.b.c"));
}

static void cookies_are_found_by_their_whole_name(void **state)
{
	struct text header = text_from("xaccess_token=1; access_tokens=2; access_token=good; access_token=late");

	(void)state;
	assert_true(text_is(cookie_value(header, "access_token"), "good"));
	assert_true(text_is(cookie_value(text_from("a=1"), "access_token"), ""));
	assert_true(text_is(cookie_value(text_from(";;=;"), "access_token"), ""));
}

static void tickets_are_good_once_and_for_a_while(void **state)
{
	struct tickets *t = tickets_new(NULL);
	struct token token = { .caller = user(), .expires_s = 77 }, got = { 0 };
	char one[TICKET_SIZE], two[TICKET_SIZE];

	(void)state;
	clock_turn(1000000);
	assert_true(ticket_issue(t, &token, one));
	assert_true(ticket_issue(t, &token, two));
	assert_string_not_equal(one, two);
	assert_true(ticket_redeem(t, text_from(one), &got));
	assert_int_equal(got.expires_s, 77);
	assert_false(ticket_redeem(t, text_from(one), &got));
	assert_false(ticket_redeem(t, text_from("x"), &got));
	clock_turn(1000000 + TICKET_LIFE_S * 1000000LL);
	assert_false(ticket_redeem(t, text_from(two), &got));
	clock_turn(-1);
	talloc_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_carry_users_and_guests),
		cmocka_unit_test(tokens_of_our_own_making_elsewhere_are_good),
		cmocka_unit_test(tokens_refuse_other_algorithms),
		cmocka_unit_test(tokens_refuse_other_keys_and_changed_bytes),
		cmocka_unit_test(tokens_refuse_broken_forms),
		cmocka_unit_test(tokens_check_every_claim),
		cmocka_unit_test(tokens_refuse_weak_keys_outside_of_debug),
		cmocka_unit_test(tokens_of_an_old_key_are_read_and_none_is_signed_with_it),
		cmocka_unit_test(tokens_refuse_other_settings),
		cmocka_unit_test(bearer_is_split_from_its_scheme),
		cmocka_unit_test(cookies_are_found_by_their_whole_name),
		cmocka_unit_test(tickets_are_good_once_and_for_a_while),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
