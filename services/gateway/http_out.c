#include "http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cors.h"

#define HEAD_ROOM 3072 /* status line and the usual headers */

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
	bool line = r->status == 304 ? lws_add_http_header_status(r->conn->wsi, r->status, p, end) == 0
				     : lws_add_http_common_headers(r->conn->wsi, r->status, type, len, p, end) == 0;

	return line &&
	       (strstr(utstring_body(&r->headers), "cache-control:") != NULL ||
		add(r, "cache-control:", "no-store", p, end)) &&
	       (!r->close || add(r, "connection:", "close", p, end));
}

/* Head and body in one buffer: half the cost of two writes. more: bytes that follow from elsewhere. */
static void compose(struct http_request *r, unsigned status, const char *type, struct text body, size_t more)
{
	size_t written = r->method == HTTP_HEAD ? 0 : body.len; /* HEAD: its length is told, no more */
	size_t room = HEAD_ROOM + written;
	unsigned char *p, *end;

	if (r->out != NULL)
		abort(); /* a handler that answers twice */
	r->close = r->close || r->gw->daemon->draining;
	r->status = status;
	cors_headers(r);
	room += utstring_len(&r->headers);
	p = r->out = talloc_size(r, room);
	end = r->out + room;
	if (!add_usual(r, type != NULL ? type : "application/json", body.len + more, &p, end))
		abort();
	memcpy(p, utstring_body(&r->headers), utstring_len(&r->headers));
	p += utstring_len(&r->headers);
	if (lws_finalize_http_header(r->conn->wsi, &p, end) != 0)
		abort();
	if (written > 0)
		memcpy(p, body.p, written);
	r->out_len = (size_t)(p - r->out) + written;
}

/* Never from inside of the one who answers: the request is freed when all is sent. */
static void send_later(struct http_request *r)
{
	struct conn *conn = r->conn;

	if (!r->inside)
		ev_feed_event(r->gw->loop->ev, &conn->writer, EV_WRITE);
}

void http_answer(struct http_request *r, unsigned status, const char *type, struct text body)
{
	compose(r, status, type, body, 0);
	send_later(r);
}

void http_answer_file(struct http_request *r, const char *type, int take_fd, size_t len)
{
	compose(r, 200, type, (struct text){ 0 }, len);
	if (r->method == HTTP_HEAD) {
		close(take_fd);
	} else {
		r->file = take_fd;
		r->file_left = len;
	}
	send_later(r);
}

void http_answer_json(struct http_request *r, const UT_string *json)
{
	http_answer(r, 200, NULL, json_written(json));
}
