#include "gateway.h"

#include "events.h"
#include "ranges.h"
#include "rate_limits.h"
#include "revocations.h"
#include "passwords.h"
#include "server.h"
#include "static_files.h"
#include "tickets.h"
#include "tokens.h"
#include "upstream.h"
#include "ws_conn.h"

#define DISPATCH_TABLE
#include "handlers.h"

static size_t gateway_dependencies(void *arg, struct dependency out[DEPENDENCIES_MAX])
{
	struct gateway *gw = arg;

	return upstream_dependencies(gw->upstream, out);
}

static void gateway_numbers(void *arg, UT_string *json)
{
	struct gateway *gw = arg;

	json_i64(json, "connections", server_conns(gw->server)->open_n);
	json_i64(json, "connections_refused", (int64_t)server_conns(gw->server)->refused_n);
	json_i64(json, "sockets", (int64_t)sockets_count(gw->sockets));
	json_i64(json, "mirrors", (int64_t)events_mirrors(gw->events));
	json_i64(json, "waits", gw->waits_open);
	json_i64(json, "revocations", (int64_t)revocations_count(gw->revocations));
	json_i64(json, "passwords_waiting", passwords_waiting(gw->passwords));
}

static void gateway_drain(void *arg)
{
	struct gateway *gw = arg;

	server_drain(gw->server);
}

static bool gateway_idle(void *arg)
{
	const struct gateway *gw = arg;

	return server_is_idle(gw->server);
}

static void gateway_refresh_metrics(void *arg)
{
	struct gateway *gw = arg;
	struct metrics *m = gw->daemon->metrics;

	*metrics_gauge(m, METRIC_CONNECTIONS, "") = (double)server_conns(gw->server)->open_n;
	*metrics_counter(m, METRIC_CONNECTIONS_REFUSED, "") = server_conns(gw->server)->refused_n;
	*metrics_gauge(m, METRIC_SOCKETS, "") = (double)sockets_count(gw->sockets);
	*metrics_gauge(m, METRIC_MIRRORS, "") = (double)events_mirrors(gw->events);
	*metrics_counter(m, METRIC_TURN_PULLS, "") = events_pulls(gw->events);
	*metrics_gauge(m, METRIC_HTTP_WAITING, "") = gw->waits_open;
	*metrics_gauge(m, METRIC_PASSWORDS_WAITING, "") = passwords_waiting(gw->passwords);
}

static void open_bus(struct gateway *gw)
{
	struct bus *bus = gw->daemon->bus;
	struct err err = { 0 };

	gw->chat = bus_dial(bus, "chat", gw->config->bus_chat, &err);
	gw->store = gw->chat != NULL ? bus_dial(bus, "store", gw->config->bus_store, &err) : NULL;
	if (gw->store == NULL || !bus_subscribe_dial(bus, "event", gw->config->bus_event, &dispatch_rows, gw, &err))
		daemon_fail(gw->daemon, &err);
}

static bool check_numbers(const struct config *c, struct err *err)
{
	const struct range rows[] = {
		{ "HASH_THREADS", c->hash_threads, 1, 16 },
		{ "CONNECTIONS_MAX", c->connections_max, 1, 1000000 },
		{ "CONNECTIONS_PER_ADDRESS", c->connections_per_address, 1, INT32_MAX },
		{ "SOCKETS_PER_USER", c->sockets_per_user, 1, INT32_MAX },
		{ "HTTP_BODY_MAX", c->http_body_max, 1024, 64 << 20 },
		{ "WS_FRAME_MAX", c->ws_frame_max, 1024, 16 << 20 },
		{ "WS_QUEUE_MAX", c->ws_queue_max, 1024, INT32_MAX },
		{ "LOGIN_RATE_PER_MINUTE", c->login_rate_per_minute, 1, INT32_MAX },
		{ "GUEST_RATE_PER_MINUTE", c->guest_rate_per_minute, 1, INT32_MAX },
		{ "REFRESH_TOKEN_EXPIRE_DAYS", c->refresh_token_expire_days, 1, 3650 },
		{ "AI_MAX_TOKENS", c->ai_max_tokens, 1, INT32_MAX },
	};

	return ranges_check(rows, sizeof(rows) / sizeof(rows[0]), err);
}

bool gateway_settings(void *service, struct daemon *d, struct err *err)
{
	struct gateway *gw = service;
	const struct config *c = &d->config;

	*gw = (struct gateway){ .daemon = d, .loop = &d->loop, .config = c };
	if (!check_numbers(c, err) || !bus_addresses_check("BUS_CHAT", c->bus_chat, true, err) ||
	    !bus_addresses_check("BUS_STORE", c->bus_store, true, err) ||
	    !bus_addresses_check("BUS_EVENT", c->bus_event, true, err))
		return false;
	gw->tokens = tokens_new(d->ctx, c, &gw->warning, err);
	if (gw->tokens != NULL)
		gw->files = static_files_new(d->ctx, c->static_dir, err);
	return gw->files != NULL;
}

static void tell_files(const struct gateway *gw)
{
	const char *dir = gw->config->static_dir;

	if (dir[0] != '\0' && static_files_count(gw->files) == 0)
		log_warning(&gw->log, "gateway.files", "dir=\"%s\" reason=\"no files: only the API is served\"", dir);
	else
		log_debug(&gw->log, "gateway.files", "dir=\"%s\" files=%zu", dir, static_files_count(gw->files));
}

void gateway_init(struct gateway *gw, struct daemon *d)
{
	struct err err = { 0 };

	if (gw->warning != NULL)
		daemon_warn(d, "gateway.secret", gw->warning);
	tell_files(gw);
	gw->tickets = tickets_new(d->ctx);
	gw->limits = limits_new(d->ctx);
	gw->passwords = passwords_new(d->ctx, gw->loop, (int)gw->config->hash_threads, (int)gw->config->hash_queue_max);
	gw->sockets = sockets_new(d->ctx, &d->loop);
	gw->events = events_new(gw);
	open_bus(gw);
	gw->upstream = upstream_new(gw);
	gw->revocations = revocations_new(gw);
	gw->server = server_new(gw, &err);
	if (gw->server == NULL)
		daemon_fail(d, &err);
	d->hooks = (struct daemon_hooks){ gateway_dependencies, gateway_numbers, gateway_drain, gateway_idle, gw };
	metrics_on_write(d->metrics, gateway_refresh_metrics, gw);
}

void gateway_done(struct gateway *gw)
{
	server_free(gw->server);
	revocations_free(gw->revocations);
	upstream_free(gw->upstream);
	events_free(gw->events);
	passwords_free(gw->passwords);
}
