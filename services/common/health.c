#include "health.h"

#include <signal.h>

#include <libwebsockets.h>

#include "clock.h"
#include "daemon.h"
#include "listener.h"

#define HEALTH_FDS 128

struct health {
	struct daemon *daemon;
	struct lws_context *lws;
	struct lws_vhost *vhost;
	struct listener listener;
};

/* One answer on its way out. */
struct answer_out {
	UT_string *body;
	unsigned status;
	const char *type;
};

/* What it depends on, and whether all of it is usable. */
static bool health_look(struct daemon *d, struct dependency deps[DEPENDENCIES_MAX], size_t *n_out)
{
	bool ready = !d->draining;

	*n_out = d->hooks.dependencies != NULL ? d->hooks.dependencies(d->hooks.arg, deps) : 0;
	for (size_t i = 0; i < *n_out; i++)
		ready = ready && deps[i].up;
	d->was_ready = d->was_ready || ready;
	return ready;
}

static void put_warnings(const struct daemon *d, UT_string *out)
{
	if (d->warnings[0] == NULL)
		return;
	json_open(out, "warnings", '[');
	for (int i = 0; i < WARNINGS_MAX && d->warnings[i] != NULL; i++)
		json_str(out, NULL, d->warnings[i]);
	json_close(out, ']');
}

bool health_report(struct daemon *d, bool full, UT_string *out)
{
	struct dependency deps[DEPENDENCIES_MAX];
	size_t n;
	bool ready = health_look(d, deps, &n);

	json_open(out, NULL, '{');
	json_str(out, "service", d->name);
	json_open(out, "dependencies", '{');
	for (size_t i = 0; i < n; i++)
		json_str(out, deps[i].name, deps[i].up ? "up" : deps[i].why != NULL ? deps[i].why : "down");
	json_close(out, '}');
	put_warnings(d, out);
	json_str(out, "status", d->draining ? "draining" : ready ? "ready" : "not ready");
	if (full) {
		json_str(out, "version", ALP_VERSION);
		json_str(out, "log_level", log_level_name(log_level()));
		json_i64(out, "uptime_s", (clock_us() - d->started_us) / 1000000);
		json_i64(out, "log_lines_dropped", (int64_t)log_dropped());
		json_i64(out, "calls_open", bus_stats(d->bus)->calls_open);
		json_i64(out, "requests_open", bus_stats(d->bus)->requests_open);
		if (d->hooks.numbers != NULL)
			d->hooks.numbers(d->hooks.arg, out);
	}
	json_close(out, '}');
	return ready;
}

bool health_started(struct daemon *d, UT_string *out)
{
	if (!d->was_ready)
		return health_report(d, false, out);
	utstring_printf(out, "{\"service\":\"%s\",\"status\":\"started\"}", d->name);
	return true;
}

static void health_refresh_metrics(void *arg)
{
	struct daemon *d = arg;
	struct dependency deps[DEPENDENCIES_MAX];
	char labels[96];
	size_t n;

	*metrics_gauge(d->metrics, METRIC_READY, "") = health_look(d, deps, &n);
	for (size_t i = 0; i < n; i++) {
		snprintf(labels, sizeof(labels), "dependency=\"%s\"", deps[i].name);
		*metrics_gauge(d->metrics, METRIC_DEPENDENCY_UP, labels) = deps[i].up;
	}
}

static void compose(struct daemon *d, const char *path, struct answer_out *a)
{
	a->status = HTTP_STATUS_OK;
	a->type = "application/json";
	if (strcmp(path, "/livez") == 0) {
		utstring_printf(a->body, "{\"status\":\"live\"}");
	} else if (strcmp(path, "/startupz") == 0) {
		a->status = health_started(d, a->body) ? HTTP_STATUS_OK : HTTP_STATUS_SERVICE_UNAVAILABLE;
	} else if (strcmp(path, "/readyz") == 0) {
		a->status = health_report(d, false, a->body) ? HTTP_STATUS_OK : HTTP_STATUS_SERVICE_UNAVAILABLE;
	} else if (strcmp(path, "/healthz") == 0) {
		a->status = health_report(d, true, a->body) ? HTTP_STATUS_OK : HTTP_STATUS_SERVICE_UNAVAILABLE;
	} else if (strcmp(path, "/metrics") == 0) {
		a->type = "text/plain; version=0.0.4; charset=utf-8";
		metrics_write(d->metrics, a->body);
	} else {
		a->status = HTTP_STATUS_NOT_FOUND;
		utstring_printf(a->body, "{\"detail\":\"Not Found\"}");
	}
}

/* Header and body leave in one buffer: half the cost of two writes. */
static int send_answer(struct lws *wsi, struct answer_out *a)
{
	size_t len = utstring_len(a->body), room = LWS_PRE + 1024 + len;
	unsigned char *buf = malloc(room), *start, *p, *end;
	int rv = -1;

	if (buf == NULL)
		abort();
	start = p = buf + LWS_PRE;
	end = buf + room;
	if (lws_add_http_common_headers(wsi, a->status, a->type, len, &p, end) == 0 &&
	    lws_add_http_header_by_name(wsi, (const unsigned char *)"cache-control:", (const unsigned char *)"no-store",
					8, &p, end) == 0 &&
	    lws_finalize_http_header(wsi, &p, end) == 0) {
		memcpy(p, utstring_body(a->body), len);
		rv = lws_write(wsi, start, (size_t)(p - start) + len, LWS_WRITE_HTTP_FINAL) < 0 ? -1 : 0;
	}
	free(buf);
	return rv != 0 || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int on_request(struct health *h, struct lws *wsi, const char *path)
{
	CLEANUP(string_done) UT_string body = { 0 };
	struct answer_out a = { .body = &body };

	utstring_init(&body);
	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0) {
		compose(h->daemon, path, &a);
	} else {
		a.status = HTTP_STATUS_METHOD_NOT_ALLOWED;
		a.type = "application/json";
		utstring_printf(&body, "{\"detail\":\"Method Not Allowed\"}");
	}
	return send_answer(wsi, &a);
}

static int health_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct lws_context *lws = lws_get_context(wsi);
	struct health *h = lws != NULL ? lws_context_user(lws) : NULL;

	if (reason == LWS_CALLBACK_HTTP)
		return h != NULL ? on_request(h, wsi, in) : -1;
	/* CVE-2025-11677: an upgrade header of any kind must not reach lws's own handling. */
	if (reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE)
		return -1;
	return lws_callback_http_dummy(wsi, reason, user, in, len);
}

static void health_on_accept(void *arg, int take_fd, const char *address)
{
	struct health *h = arg;

	(void)address;
	lws_adopt_socket_vhost(h->vhost, take_fd);
}

static void quiet_lws(int level, const char *line)
{
	log_debug(NULL, "lws", "level=%d line=\"%.200s\"", level, line);
}

struct health *health_new(struct daemon *d, const char *setting, const char *address, struct err *err)
{
	static const struct lws_protocols protocols[] = { { "http", health_callback, 0, 0, 0, NULL, 0 },
							  { NULL, NULL, 0, 0, 0, NULL, 0 } };
	struct health *h = talloc_zero(d->ctx, struct health);
	void *loops[1] = { d->loop.ev };
	struct lws_context_creation_info info = { .port = CONTEXT_PORT_NO_LISTEN_SERVER,
						  .protocols = protocols,
						  .options =
							  LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
						  .foreign_loops = loops,
						  .fd_limit_per_thread = HEALTH_FDS,
						  .timeout_secs = 5,
						  .keepalive_timeout = 15,
						  .user = h };

	h->daemon = d;
	metrics_on_write(d->metrics, health_refresh_metrics, d);
	lws_set_log_level(LLL_ERR | LLL_WARN, quiet_lws);
	h->lws = lws_create_context(&info);
	if (h->lws != NULL)
		h->vhost = lws_create_vhost(h->lws, &info);
	if (h->vhost == NULL) {
		err_set(err, RC_INTERNAL, "libwebsockets could not be started");
		return NULL;
	}
	return listener_open(&h->listener, d->loop.ev, setting, address, false, health_on_accept, h, err) ? h : NULL;
}

void health_free(struct health *h)
{
	if (h == NULL)
		return;
	listener_close(&h->listener);
	lws_context_destroy(h->lws);
	talloc_free(h);
}
