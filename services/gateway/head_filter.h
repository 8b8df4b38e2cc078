/*
 * head_filter: what libwebsockets gets to see of a connection's bytes.
 *
 * The reader of heads in lws 4.1 runs on over the end of a line when a header's
 * name is the beginning of one it knows ("Auth: x" swallows the next line, or
 * the end of the head), takes folded lines and blanks before a colon for
 * headers, decodes %00 and hangs up without a word on much else. So each head
 * passes here first, line by line. It is framed as RFC 9112 wants it; headers
 * that nobody reads are left out; what is wrong is replaced by something
 * harmless and noted as the head's fault, which http_read_head answers. Behind
 * a faulty head nothing of the connection is read any more.
 *
 * Pure: no sockets, no clock. One per connection.
 */
#ifndef ALP_HEAD_FILTER_H
#define ALP_HEAD_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define HEAD_MAX 16384 /* bytes of a head, with what is left out of it: 431, or 414 */
#define HEAD_GROWTH 32 /* bytes by which what comes out may be more than what goes in */

/* NAME, the header. No other is ever seen by lws or by a handler. */
#define HEADERS(X) \
	X(HOST, "host") \
	X(CONNECTION, "connection") \
	X(UPGRADE, "upgrade") /* to a WebSocket only: others may be ignored (RFC 9110, 7.8) */ \
	X(WS_KEY, "sec-websocket-key") \
	X(WS_VERSION, "sec-websocket-version") \
	X(WS_PROTOCOL, "sec-websocket-protocol") \
	X(CONTENT_LENGTH, "content-length") \
	X(TRANSFER_ENCODING, "transfer-encoding") \
	X(CONTENT_TYPE, "content-type") \
	X(EXPECT, "expect") \
	X(ACCEPT, "accept") \
	X(ACCEPT_ENCODING, "accept-encoding") \
	X(ACCEPT_LANGUAGE, "accept-language") \
	X(AUTHORIZATION, "authorization") \
	X(COOKIE, "cookie") \
	X(ORIGIN, "origin") \
	X(REQUEST_METHOD, "access-control-request-method") \
	X(REQUEST_HEADERS, "access-control-request-headers") \
	X(IF_NONE_MATCH, "if-none-match") \
	X(TRACEPARENT, "traceparent") \
	X(LAST_EVENT_ID, "last-event-id") \
	X(IDEMPOTENCY_KEY, "idempotency-key")

enum header {
#define X(name, text) HEADER_##name,
	HEADERS(X)
#undef X
		HEADER_COUNT
};

const char *header_name(enum header header);

enum head_state { HEAD_LINE, HEAD_HEADERS, HEAD_BODY, HEAD_TUNNEL, HEAD_DEAF };

struct head_fault {
	unsigned status; /* 0: none */
	const char *detail; /* for the answer */
	char query[64]; /* 422: the argument of the query that is meant */
};

struct head_filter {
	enum head_state state;
	char *held; /* the beginning of a line whose end has not come; NULL: none */
	size_t held_n;
	bool skipping; /* the rest of a line that is too long */
	uint64_t heads; /* that have come to their end */
	uint64_t expects; /* the number of the latest that wants to be told 100; 0: none */
	struct head_fault fault; /* of the last one */

	/* of the head that is being read */
	size_t head_n;
	bool is_get, is_1_1, has_host, has_length, has_transfer, upgrades, waits;
	uint64_t length;
};

void head_filter_done(struct head_filter *f);

/*
 * Bytes that came, to what lws reads of them. out has room for what is held, n
 * and HEAD_GROWTH. Returns how much was written there; 0: nothing yet.
 */
size_t head_filter_run(struct head_filter *f, const char *in, size_t n, char *out);

/* From here on bytes go past it: a WebSocket. */
static inline bool head_filter_is_past(const struct head_filter *f)
{
	return f->state == HEAD_TUNNEL;
}

/* Behind a head that was refused: what comes is read and forgotten, nothing is written to out. */
static inline bool head_filter_is_deaf(const struct head_filter *f)
{
	return f->state == HEAD_DEAF;
}

/* Bytes of a body that are still to come; they may go past it, and are told. */
static inline size_t head_filter_body_left(const struct head_filter *f)
{
	return f->state == HEAD_BODY ? (size_t)f->length : 0;
}

void head_filter_body_came(struct head_filter *f, size_t n);

/* What is wrong with the head of this number, the first being 1. NULL: nothing. */
const struct head_fault *head_filter_fault(const struct head_filter *f, uint64_t head);

/* ---- between head_filter.c and head_line.c ------------------------------------------- */

/* The first one of a head counts. */
void head_fault(struct head_filter *f, unsigned status, const char *detail);

bool head_is_token(struct text t); /* RFC 9110, 5.6.2 */
bool head_is_control(unsigned char c);

/* The line as lws gets it, with its end; returns its length. */
size_t head_request_line(struct head_filter *f, struct text line, char *out);

#endif
