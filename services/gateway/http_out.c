#include "http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>

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

/* The length of a body that is written piece by piece is not known. */
static bool add_stream(struct http_request *r, const char *type, unsigned char **p, unsigned char *end)
{
	return lws_add_http_header_status(r->conn->wsi, r->status, p, end) == 0 &&
	       add(r, "content-type:", type, p, end) &&
	       (!r->takes_chunks || add(r, "transfer-encoding:", "chunked", p, end));
}

static bool add_usual(struct http_request *r, const char *type, size_t len, unsigned char **p, unsigned char *end)
{
	/* 304 stands for a body it does not have: no length, no type */
	bool line = r->streaming       ? add_stream(r, type, p, end)
		    : r->status == 304 ? lws_add_http_header_status(r->conn->wsi, r->status, p, end) == 0
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
	r->out_room = room;
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

/* ---- streams ----------------------------------------------------------------------- */

void http_stream_begin(struct http_request *r, const char *type)
{
	r->streaming = true;
	r->close = r->close || !r->takes_chunks; /* then the end of the connection is the end of the body */
	http_header(r, "x-accel-buffering", "no"); /* a proxy in front shall not collect it */
	compose(r, 200, type, (struct text){ 0 }, 0);
	send_later(r);
}

static void append(struct http_request *r, struct text bytes)
{
	if (r->out_at > 0) {
		memmove(r->out, r->out + r->out_at, r->out_len - r->out_at);
		r->out_len -= r->out_at;
		r->out_at = 0;
	}
	if (r->out_len + bytes.len > r->out_room) {
		r->out_room = 2 * (r->out_len + bytes.len);
		r->out = talloc_realloc_size(r, r->out, r->out_room);
	}
	if (bytes.len > 0)
		memcpy(r->out + r->out_len, bytes.p, bytes.len);
	r->out_len += bytes.len;
}

void http_stream_write(struct http_request *r, struct text bytes)
{
	char size[24];

	if (bytes.len == 0)
		return; /* an empty chunk would be the end */
	if (r->takes_chunks) {
		snprintf(size, sizeof(size), "%zx\r\n", bytes.len);
		append(r, text_from(size));
	}
	append(r, bytes);
	if (r->takes_chunks)
		append(r, text_from("\r\n"));
	send_later(r);
}

void http_stream_end(struct http_request *r)
{
	if (r->takes_chunks)
		append(r, text_from("0\r\n\r\n"));
	r->streaming = false;
	send_later(r);
}

size_t http_stream_waiting(const struct http_request *r)
{
	return r->out_len - r->out_at;
}

void http_stream_kill(struct http_request *r)
{
	shutdown(lws_get_socket_fd(r->conn->wsi), SHUT_RDWR); /* the next write fails, and that ends the connection */
	send_later(r);
}
