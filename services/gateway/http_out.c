#include "http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "cors.h"

#define HEAD_ROOM 3072	/* status line and the usual headers */

void http_header(struct http_request *r, const char *name, const char *fmt, ...)
{
	va_list args;
	char *value;

	va_start(args, fmt);
	value = talloc_vasprintf(r, fmt, args);
	va_end(args);
	/* A line break would start a header of the writer's choice (CWE-113). */
	if (value[strcspn(value, "\r\n")] != '\0')
		return;
	utstring_printf(&r->headers, "%s: %s\r\n", name, value);
}

static bool add(struct http_request *r, const char *name, const char *value, unsigned char **p, unsigned char *end)
{
	return lws_add_http_header_by_name(r->conn->wsi, (const unsigned char *)name, (const unsigned char *)value,
					   (int)strlen(value), p, end) == 0;
}

static bool add_usual(struct http_request *r, const char *type, size_t len, unsigned char **p, unsigned char *end)
{
	/* 304 stands for a body it does not have: no length, no type */
	bool line = r->status == 304
			    ? lws_add_http_header_status(r->conn->wsi, r->status, p, end) == 0
			    : lws_add_http_common_headers(r->conn->wsi, r->status, type, len, p, end) == 0;

	return line &&
	       (strstr(utstring_body(&r->headers), "cache-control:") != NULL ||
		add(r, "cache-control:", "no-store", p, end)) &&
	       (!r->close || add(r, "connection:", "close", p, end));
}

/* Head and body in one buffer: half the cost of two writes. */
void http_answer(struct http_request *r, unsigned status, const char *type, struct text body)
{
	size_t room = LWS_PRE + HEAD_ROOM + body.len;
	unsigned char *p, *end;

	if (r->out != NULL)
		abort();	/* a handler that answers twice */
	r->close = r->close || r->gw->daemon->draining;
	r->status = status;
	cors_headers(r);
	room += utstring_len(&r->headers);
	r->out = talloc_size(r, room);
	p = r->out + LWS_PRE;
	end = r->out + room;
	if (!add_usual(r, type != NULL ? type : "application/json", body.len, &p, end))
		abort();
	memcpy(p, utstring_body(&r->headers), utstring_len(&r->headers));
	p += utstring_len(&r->headers);
	if (lws_finalize_http_header(r->conn->wsi, &p, end) != 0)
		abort();
	if (body.len > 0)
		memcpy(p, body.p, body.len);
	r->out_len = (size_t)(p - (r->out + LWS_PRE)) + body.len;
	if (r->inside)
		return;
	/* lws does not look at writability while reading is held back. */
	lws_rx_flow_control(r->conn->wsi, 1);
	lws_callback_on_writable(r->conn->wsi);
}

void http_answer_json(struct http_request *r, const UT_string *json)
{
	http_answer(r, 200, NULL, json_written(json));
}

static void account(const struct http_request *r)
{
	struct metrics *m = r->gw->daemon->metrics;
	const char *route = route_name(&r->match);
	int64_t us = clock_us() - r->since_us;
	char labels[160];

	snprintf(labels, sizeof(labels), "method=\"%s\",route=\"%s\",status=\"%u\"", http_method_name(r->method), route,
		 r->status);
	++*metrics_counter(m, "alp_http_requests_total", labels, "HTTP requests, by route and status.");
	snprintf(labels, sizeof(labels), "route=\"%s\"", route);
	histogram_add(metrics_histogram(m, "alp_http_request_seconds", labels, "Time from head to answer."),
		      (double)us / 1e6);
	/* Probes and files are no news. */
	log_line(strncmp(route, "/api", 4) == 0 ? LOG_INFO : LOG_DEBUG, &r->log, "http.done",
		 "method=%s route=%s status=%u us=%lld caller=%s", http_method_name(r->method), route, r->status,
		 (long long)us, caller_kind_name(r->caller.kind));
}

int http_write(struct http_request *r)
{
	struct conn *conn = r->conn;
	bool close = r->close, linger = r->linger;
	int written = lws_write(conn->wsi, r->out + LWS_PRE, r->out_len, LWS_WRITE_HTTP_FINAL);

	account(r);
	http_free(r);
	conn_enter(conn, linger ? CONN_LINGER : CONN_IDLE);
	if (written < 0)
		return -1;
	if (linger)
		return 0;
	if (close)
		return -1;
	return lws_http_transaction_completed(conn->wsi) ? -1 : 0;
}
