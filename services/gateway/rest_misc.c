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

static void health_on_answer(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	bool up = upstream_is_database_up(answer);

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_str(&json, "status", up ? "healthy" : "unhealthy");
	json_str(&json, "service", "ai-learning-platform");
	json_str(&json, "database", up ? "up" : "down");
	json_close(&json, '}');
	http_answer(r, up ? 200 : 503, NULL, json_written(&json));
}

static void health_on_asked(void *arg, const struct answer *answer)
{
	struct http_request *r = arg;

	r->asking = NULL;
	health_on_answer(r, answer);
}

void misc_health(struct http_request *r)
{
	r->asking = upstream_ask_database(r->gw->upstream, health_on_asked, r);
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

void misc_readyz(struct http_request *r)
{
	answer_report(r, false);
}

void misc_healthz(struct http_request *r)
{
	answer_report(r, true);
}
