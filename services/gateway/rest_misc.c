#include "rest.h"

#include "upstream.h"

void misc_root(struct http_request *r)
{
	CLEANUP(string_done) UT_string json;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_str(&json, "message", r->gw->config->app_name);
	json_str(&json, "version", "1.0.0");
	json_str(&json, "docs", "/docs");
	json_str(&json, "frontend", "http://localhost:3000");
	json_close(&json, '}');
	http_answer_json(r, &json);
}

/* What is known of the suite while a health request asks one after the other. */
struct suite_health {
	bool database;
	bool chat;
	int64_t workers;
};

static const char *up_or_down(bool up)
{
	return up ? "up" : "down";
}

/* Without a worker everything but the model's replies works: that is no reason to take the service away. */
static void health_answer(struct http_request *r, const struct suite_health *h)
{
	CLEANUP(string_done) UT_string json;
	bool usable = h->database && h->chat;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_str(&json, "status", !usable ? "unhealthy" : h->workers > 0 ? "healthy" : "degraded");
	json_str(&json, "service", "ai-learning-platform");
	json_str(&json, "version", ALP_VERSION);
	json_str(&json, "database", up_or_down(h->database));
	json_open(&json, "services", '{');
	json_str(&json, "gateway", "up");
	json_str(&json, "chat", up_or_down(h->chat));
	json_str(&json, "store", up_or_down(peer_is_up(r->gw->store) && !peer_is_mute(r->gw->store)));
	json_str(&json, "ai", up_or_down(h->workers > 0));
	json_close(&json, '}');
	json_i64(&json, "workers", h->workers);
	json_close(&json, '}');
	http_answer(r, usable ? 200 : 503, NULL, json_written(&json));
}

static void health_on_suite(void *arg, const struct answer *answer)
{
	struct http_request *r = arg;
	struct suite_health *h = r->state;
	const struct ans_suite_state *state = answer->body;

	r->asking = NULL;
	/* an older chat, in the middle of an upgrade, serves without knowing the question */
	h->chat = state != NULL || answer->err.rc == RC_UNSUPPORTED;
	h->workers = state != NULL ? state->workers : 0;
	health_answer(r, h);
}

static void health_on_database(void *arg, const struct answer *answer)
{
	struct http_request *r = arg;
	struct suite_health *h = r->state;

	r->asking = NULL;
	h->database = upstream_is_database_up(answer);
	if (peer_is_up(r->gw->chat))
		r->asking = upstream_ask_suite(r->gw->upstream, health_on_suite, r);
	else
		health_answer(r, h);
}

void misc_health(struct http_request *r)
{
	r->state = talloc_zero(r, struct suite_health);
	r->asking = upstream_ask_database(r->gw->upstream, health_on_database, r);
}

void misc_livez(struct http_request *r)
{
	http_answer(r, 200, NULL, text_from("{\"status\":\"live\"}"));
}

static void answer_report(struct http_request *r, bool full)
{
	CLEANUP(string_done) UT_string json;
	bool ready;

	utstring_init(&json);
	ready = health_report(r->gw->daemon, full, &json);
	http_answer(r, ready ? 200 : 503, NULL, json_written(&json));
}

void misc_startupz(struct http_request *r)
{
	CLEANUP(string_done) UT_string json;
	bool started;

	utstring_init(&json);
	started = health_started(r->gw->daemon, &json);
	http_answer(r, started ? 200 : 503, NULL, json_written(&json));
}

void misc_readyz(struct http_request *r)
{
	answer_report(r, false);
}

void misc_healthz(struct http_request *r)
{
	answer_report(r, true);
}
