/*
 * http: the life of one request: head, body (bounded in size and time), route,
 * handler, one answer. A handler answers exactly once, at once or later from a
 * completion; if the client goes away first, its completions do not run.
 * Everything of a request belongs to it (a talloc context). Loop thread only.
 */
#ifndef ALP_HTTP_H
#define ALP_HTTP_H

#include "conn.h"
#include "json.h"
#include "routes.h"
#include "tokens.h"

struct http_request;
struct passwords_job;
struct event_stream;

/* Runs once with a peer's answer, unless the client is gone. */
typedef void http_answered_fn(struct http_request *r, const struct answer *answer);

struct http_request {
	struct conn *conn;
	struct gateway *gw;
	struct log log;
	int64_t since_us;
	char trace[TRACE_SIZE]; /* W3C traceparent: of our span, or the client's */
	struct span span;

	enum http_method method;
	struct text path; /* decoded by lws */
	struct route_match match;
	struct text origin; /* empty: none */
	bool origin_allowed; /* on the CORS list */
	bool origin_same; /* the page came from here */
	bool wants_problem; /* Accept: application/problem+json rather than JSON */
	bool wants_events; /* Accept: text/event-stream rather than JSON */
	bool takes_chunks; /* HTTP/1.1 */
	struct text last_event_id; /* empty: none */
	bool body_is_json; /* by its content type, or without one */
	struct text idempotency_key; /* empty: none */
	const char *too_long; /* the header of the two above that is; NULL: none */
	struct text authorization; /* empty: none */
	struct caller caller; /* CALLER_NOBODY until the token was read */
	struct sign_in sign_in; /* of its token */
	int64_t issued_s, expires_s; /* of its token, wall clock */

	size_t body_length; /* as announced */
	UT_string body;
	cJSON *json; /* the body when the route wants JSON: an object */

	struct request *asking; /* at most one request on the bus */
	http_answered_fn *then;
	struct passwords_job *hashing; /* at most one password in work */
	void *state; /* the handler's own */
	bool waiting; /* counted in gw->waits_open */

	UT_string headers; /* of the answer, besides the usual ones: "name: value\r\n" */
	unsigned char *out; /* head and body of the answer; NULL until there is one */
	size_t out_len, out_at; /* out_at: sent so far */
	size_t out_room; /* of a stream: bytes allocated */
	int64_t handed; /* bytes of the answer that the kernel has had */
	int64_t taken; /* ... that the reader had when the timer last looked */
	bool streaming; /* the answer is not complete: more is written behind what is sent */
	struct event_stream *stream; /* who writes it; told when all is sent, and when the client is gone */
	int file; /* sent behind them; -1: none */
	size_t file_left;
	unsigned status;
	bool close; /* hang up after the answer */
	bool linger; /* ... but let the refused body come first */
	bool inside; /* in a callback of lws: the answer is sent when we return */
	bool held; /* lws reads nothing for now */
};

/* ---- for handlers ------------------------------------------------------------------ */

/* Asks a peer on behalf of the caller. timeout_ms 0: the default. */
void http_ask(struct http_request *r, struct peer *peer, enum msg_id msg, const void *body, int64_t timeout_ms,
	      http_answered_fn *then);

/* ... on behalf of another one, whose token came with the request. */
void http_ask_as(struct http_request *r, const struct caller *who, struct peer *peer, enum msg_id msg, const void *body,
		 int64_t timeout_ms, http_answered_fn *then);

/* A header of the answer to come. Values from outside are checked for line breaks. */
void http_header(struct http_request *r, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The answer. type NULL: application/json. */
void http_answer(struct http_request *r, unsigned status, const char *type, struct text body);

/* 200 with the len bytes of an open file, which is closed afterwards. */
void http_answer_file(struct http_request *r, const char *type, int take_fd, size_t len);
void http_answer_json(struct http_request *r, const UT_string *json); /* 200 */

/*
 * 200 with a body that is written piece by piece, until http_stream_end. From
 * a completion only. What the reader did not take yet is kept: whoever writes
 * looks at http_stream_waiting, and goes on when event_stream_on_drained tells
 * that nothing waits.
 */
void http_stream_begin(struct http_request *r, const char *type);
void http_stream_write(struct http_request *r, struct text bytes);
void http_stream_end(struct http_request *r);
size_t http_stream_waiting(const struct http_request *r);

/* Hangs up on a reader that is too slow, soon after the current callback. */
void http_stream_kill(struct http_request *r);

/* 307 to the same path without its last slash. */
void http_redirect_without_slash(struct http_request *r);

/* A header of the request as a text of its own; empty when absent or longer than max. */
struct text http_request_header(struct http_request *r, enum lws_token_indexes token, size_t max);
struct text http_request_custom(struct http_request *r, enum header header,
				size_t max); /* one that lws has no token of */

/* An argument of the query, decoded; empty with p NULL when absent. */
struct text http_query(struct http_request *r, const char *name);

/* The i-th of them as "name=value"; p NULL: there are no more. */
struct text http_query_piece(struct http_request *r, int i);

/* ---- for server and conn --------------------------------------------------------------- */

/* As lws wants them: 0 goes on, -1 hangs up. */
int http_on_head(struct conn *conn, struct text path);
int http_on_body(struct conn *conn, struct text piece);
int http_on_body_end(struct conn *conn);

void http_on_writable(struct ev_loop *ev, ev_io *w, int events);

/* The reader of an answer has taken some of it since this was asked last. */
bool http_is_taken(struct http_request *r);

void http_on_slow_body(struct conn *conn);
void http_on_closed(struct conn *conn);

/* ---- between http.c, http_head.c, http_out.c, http_send.c and ws_upgrade.c ------------------------------------------ */

/* A request whose head is complete; conn owns it. path is copied. */
struct http_request *http_new(struct conn *conn, struct text path);

/* Reads the head. False: the framing is refused and answered, the connection will end. */
bool http_read_head(struct http_request *r);

/* From inside of a callback of lws: sends the answer that is ready, or waits for it. As lws wants it. */
int http_leave(struct http_request *r);

/* The connection is a WebSocket from here on: its request ends well. */
void http_upgraded(struct http_request *r);

void http_free(struct http_request *r);

#endif
