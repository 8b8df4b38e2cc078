/* AI settings: the server's, the caller's own, and the test of a connection. Keys go on sealed from here. */
#include "rest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ids.h"
#include "outbound.h"
#include "problem.h"
#include "rate_limits.h"
#include "rest_auth.h"
#include "rest_turn.h"
#include "schema.h"
#include "seal.h"

#define MODEL_MAX 100
#define BASE_URL_MAX 255
/* What the API has always called the defaults; each kind of call has its own instead. */
#define MAX_TOKENS_SHOWN 2000
#define TEMPERATURE_SHOWN 0.7
#define TEMPERATURE_MAX 2
#define TEST_MS 15000

struct settings_body {
	struct text model_name, base_url, api_key;
	int64_t max_tokens; /* -1: not given */
	double temperature; /* -1: not given */
	bool names_model, names_base_url; /* the server's own, or another */
};

/* What is asked for once the key is sealed. */
struct settings_wish {
	struct settings_body body;
	char temperature[16];
	struct msg_settings_set set;
	struct msg_connection_test test;
	struct text api_key; /* in clear */
};

/* ---- answers ------------------------------------------------------------------------------ */

static double temperature_of(struct text decimal)
{
	char number[32];

	if (decimal.len == 0 || decimal.len >= sizeof(number))
		return TEMPERATURE_SHOWN;
	memcpy(number, decimal.p, decimal.len);
	number[decimal.len] = '\0';
	return strtod(number, NULL);
}

static void answer_config(struct http_request *r, const struct ans_settings_get *a)
{
	CLEANUP(string_done) UT_string json;
	const struct config *c = r->gw->config;
	const struct ai_settings *s = &a->settings;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	put_text_or(&json, "model_name", s->model, c->default_openai_model);
	put_text_or(&json, "base_url", s->base_url, c->default_openai_base_url);
	json_i64(&json, "max_tokens", s->max_tokens > 0 ? s->max_tokens : MAX_TOKENS_SHOWN);
	json_real(&json, "temperature", temperature_of(s->temperature));
	json_bool(&json, "has_custom_key", a->has_key);
	if (a->key_hint.len > 0)
		json_text(&json, "key_hint", a->key_hint);
	else
		json_null(&json, "key_hint");
	json_bool(&json, "demo_model", c->demo_model && s->base_url.len == 0);
	json_close(&json, '}');
	http_answer_json(r, &json);
}

void ai_default_config(struct http_request *r)
{
	answer_config(r, &(struct ans_settings_get){ 0 });
}

static void config_on_answer(struct http_request *r, const struct answer *answer)
{
	if (answer->err.rc == RC_OK)
		answer_config(r, answer->body);
	else
		problem_rc(r, &answer->err);
}

void ai_user_config(struct http_request *r)
{
	http_ask(r, r->gw->store, MSG_SETTINGS_GET, &(struct msg_settings_get){}, 0, config_on_answer);
}

/* ---- the body --------------------------------------------------------------------------------- */

/* The key becomes a header at the model's server: whatever could end that header early is none. */
static bool key_is_plain(struct text key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.p[i] <= ' ' || key.p[i] > '~')
			return false;
	return true;
}

static struct text without_slashes(struct text url)
{
	while (url.len > 0 && url.p[url.len - 1] == '/')
		url.len--;
	return url;
}

/* The server's own values come back from a form that was not touched: they are no choice. */
static void forget_defaults(const struct config *c, struct settings_body *b)
{
	b->names_model = b->model_name.len > 0;
	b->names_base_url = b->base_url.len > 0;
	b->base_url = without_slashes(b->base_url);
	if (text_equal(b->base_url, without_slashes(text_from(c->default_openai_base_url))))
		b->base_url.len = 0;
	if (text_is(b->model_name, c->default_openai_model))
		b->model_name.len = 0;
	if (b->max_tokens == MAX_TOKENS_SHOWN)
		b->max_tokens = 0;
}

static bool read_body(struct http_request *r, struct settings_body *b)
{
	const struct config *c = r->gw->config;
	const struct field fields[] = {
		FIELD_OF(struct settings_body, model_name, FIELD_LINE, false, 0, MODEL_MAX),
		FIELD_OF(struct settings_body, base_url, FIELD_LINE, false, 0, BASE_URL_MAX),
		FIELD_OF(struct settings_body, api_key, FIELD_LINE, false, 0, SEAL_TEXT_MAX),
		FIELD_OF(struct settings_body, max_tokens, FIELD_INT, false, 1, c->ai_max_tokens),
		FIELD_OF(struct settings_body, temperature, FIELD_REAL, false, 0, TEMPERATURE_MAX),
	};

	b->max_tokens = -1;
	b->temperature = -1;
	if (!schema_body(r, fields, FIELDS_N(fields), b))
		return false;
	if (!key_is_plain(b->api_key)) {
		problem_field(r, "api_key", "value_error", "Value is not an API key", WORD_FIELD_KEY);
		return false;
	}
	forget_defaults(c, b);
	return true;
}

static bool address_is_good(struct http_request *r, struct text url)
{
	bool listed;

	return outbound_check(text_dup(r, url), &r->gw->config->ai_allowed_hosts, &listed, NULL);
}

/* ---- sealing ------------------------------------------------------------------------------------- */

/* The sealed key; NULL when the request was answered. */
static char *seal_for(struct http_request *r, const struct answer *answer, const struct uuid_text *owner,
		      struct text plain)
{
	const struct ans_seal_key *a = answer->body;
	struct seal_key key;

	if (answer->err.rc == RC_UNAVAILABLE) {
		problem_word(r, 503, WORD_NO_KEYS);
		return NULL;
	}
	if (a == NULL) {
		problem_rc(r, &answer->err);
		return NULL;
	}
	if (seal_key_read(&key, a->seal_key))
		return seal_text(r, &key, owner, plain);
	problem_word(r, 500, WORD_INTERNAL);
	return NULL;
}

/* ---- the caller's own --------------------------------------------------------------------------- */

static void set_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_settings_set *a = answer->body;

	if (a != NULL)
		answer_config(r, &(struct ans_settings_get){
					 .settings = a->settings, .has_key = a->has_key, .key_hint = a->key_hint });
	else if (answer->err.rc == RC_INVALID && strcmp(answer->err.field, "base_url") == 0)
		problem_field(r, "base_url", "value_error", "An address of your own needs your own key, given with it",
			      WORD_FIELD_OWN_KEY);
	else
		problem_rc(r, &answer->err);
}

static void set_on_seal_key(struct http_request *r, const struct answer *answer)
{
	struct settings_wish *w = r->state;
	char *sealed = seal_for(r, answer, &r->caller.user_id, w->api_key);
	char hint[SEAL_HINT_SIZE];

	if (sealed == NULL)
		return;
	seal_hint(w->api_key, hint);
	w->set.api_key = text_from(sealed);
	w->set.key_hint = text_from(hint);
	http_ask(r, r->gw->store, MSG_SETTINGS_SET, &w->set, 0, set_on_answer);
}

static void fill_set(struct settings_wish *w)
{
	const struct settings_body *b = &w->body;

	w->set = (struct msg_settings_set){ .set_model = b->model_name.p != NULL,
					    .set_base_url = b->base_url.p != NULL,
					    .set_api_key = b->api_key.p != NULL,
					    .set_max_tokens = b->max_tokens >= 0,
					    .set_temperature = b->temperature >= 0 };
	w->set.settings.model = b->model_name;
	w->set.settings.base_url = b->base_url;
	w->set.settings.max_tokens = b->max_tokens > 0 ? b->max_tokens : 0;
	snprintf(w->temperature, sizeof(w->temperature), "%.6g", b->temperature);
	if (b->temperature >= 0 && fabs(b->temperature - TEMPERATURE_SHOWN) > 1e-9)
		w->set.settings.temperature = text_from(w->temperature);
}

void ai_set_user_config(struct http_request *r)
{
	struct settings_wish *w = talloc_zero(r, struct settings_wish);

	r->state = w;
	if (!read_body(r, &w->body))
		return;
	if (w->body.base_url.len > 0 && !address_is_good(r, w->body.base_url)) {
		problem_field(r, "base_url", "value_error", "Value is not an address of a public https server",
			      WORD_FIELD_BASE_URL);
		return;
	}
	fill_set(w);
	w->api_key = w->body.api_key;
	if (w->api_key.len > 0)
		http_ask(r, r->gw->chat, MSG_SEAL_KEY, &(struct msg_seal_key){}, 0, set_on_seal_key);
	else
		http_ask(r, r->gw->store, MSG_SETTINGS_SET, &w->set, 0, set_on_answer);
}

/* ---- the test of a connection --------------------------------------------------------------------- */

/* What a worker's word for a failure (services/ai/ending.h) means to people. */
static enum word class_word(struct text class)
{
	static const struct {
		const char *class;
		enum word id;
	} rows[] = {
		{ "not_configured", WORD_NOT_CONFIGURED },
		{ "key_refused", WORD_TEST_KEY },
		{ "key_unreadable", WORD_TEST_KEY },
		{ "no_credit", WORD_TEST_CREDIT },
		{ "no_model", WORD_TEST_MODEL },
		{ "rate_limited", WORD_TEST_LIMIT },
		{ "address_refused", WORD_TEST_ADDRESS },
		{ "own_key_needed", WORD_TEST_OWN_KEY },
		{ "no_connection", WORD_TEST_UNREACHABLE },
		{ "slow_connect", WORD_TEST_UNREACHABLE },
		{ "certificate", WORD_TEST_CERTIFICATE },
		{ "slow_start", WORD_TEST_SLOW },
		{ "stalled", WORD_TEST_SLOW },
		{ "overdue", WORD_TEST_SLOW },
		{ "server_error", WORD_TEST_SERVER },
		{ "garbled", WORD_TEST_GARBLED },
		{ "too_large", WORD_TEST_GARBLED },
		{ "redirected", WORD_TEST_GARBLED },
		{ "empty", WORD_TEST_GARBLED },
		{ "broken_off", WORD_TEST_GARBLED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_is(class, rows[i].class))
			return rows[i].id;
	return WORD_TEST_REFUSED;
}

static void answer_test(struct http_request *r, const struct ans_connection_test *a)
{
	CLEANUP(string_done) UT_string json;
	const char *language = r->caller.language;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_bool(&json, "success", a->success);
	json_str(&json, "message", word(language, a->success ? WORD_TEST_GOOD : WORD_TEST_FAILED));
	if (a->success && a->model.len > 0)
		json_text(&json, "model_used", a->model);
	else
		json_null(&json, "model_used");
	if (a->success)
		json_i64(&json, "tokens_used", a->usage.prompt_tokens + a->usage.completion_tokens);
	else
		json_null(&json, "tokens_used");
	json_str(&json, "error", a->success ? NULL : word(language, class_word(a->error_class)));
	json_close(&json, '}');
	http_answer_json(r, &json);
}

static void answer_test_failed(struct http_request *r, const char *class)
{
	answer_test(r, &(struct ans_connection_test){ .error_class = text_from(class) });
}

static void test_on_answer(struct http_request *r, const struct answer *answer)
{
	if (answer->err.rc == RC_OK)
		answer_test(r, answer->body);
	else if (answer->err.rc == RC_UNKNOWN)
		answer_test_failed(r, "overdue");
	else
		problem_rc(r, &answer->err);
}

static void test_on_seal_key(struct http_request *r, const struct answer *answer)
{
	struct settings_wish *w = r->state;
	char *sealed = seal_for(r, answer, &w->test.test_id, w->api_key);

	if (sealed == NULL)
		return;
	w->test.api_key = text_from(sealed);
	http_ask(r, r->gw->chat, MSG_CONNECTION_TEST, &w->test, TEST_MS, test_on_answer);
}

void ai_test_connection(struct http_request *r)
{
	struct settings_wish *w = talloc_zero(r, struct settings_wish);

	r->state = w;
	if (!read_body(r, &w->body))
		return;
	if (auth_slow_down(r, limits_take(r->gw->limits, "ai test", text_from(r->conn->address->name),
					  r->gw->config->ai_test_rate_per_minute)))
		return;
	w->test = (struct msg_connection_test){ .test_id = id_new(),
						.model = w->body.model_name,
						.base_url = w->body.base_url,
						.own = r->caller.kind != CALLER_NOBODY,
						.set_model = w->body.names_model,
						.set_base_url = w->body.names_base_url };
	w->api_key = w->body.api_key;
	if (w->test.base_url.len > 0 && w->api_key.len == 0 && !w->test.own)
		answer_test_failed(r, "own_key_needed"); /* the server's key goes nowhere else */
	else if (w->test.base_url.len > 0 && !address_is_good(r, w->test.base_url))
		answer_test_failed(r, "address_refused");
	else if (w->api_key.len > 0)
		http_ask(r, r->gw->chat, MSG_SEAL_KEY, &(struct msg_seal_key){}, 0, test_on_seal_key);
	else
		http_ask(r, r->gw->chat, MSG_CONNECTION_TEST, &w->test, TEST_MS, test_on_answer);
}
