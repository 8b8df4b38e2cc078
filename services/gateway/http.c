#include "http.h"

#include <sys/socket.h>
#include <unistd.h>

#include "auth.h"
#include "clock.h"
#include "cors.h"
#include "event_stream.h"
#include "passwords.h"
#include "problem.h"
#include "schema.h"
#include "static_files.h"
#include "upstream.h"

static int request_done(struct http_request *r)
{
	utstring_done(&r->body);
	utstring_done(&r->headers);
	cJSON_Delete(r->json);
	r->json = NULL;
	return 0;
}

struct http_request *http_new(struct conn *conn, struct text path)
{
	struct http_request *r = talloc_zero(NULL, struct http_request);

	r->conn = conn;
	r->gw = conn->gw;
	r->since_us = clock_us();
	r->file = -1;
	r->path = text_copy(r, path);
	utstring_init(&r->body);
	utstring_init(&r->headers);
	talloc_set_destructor(r, request_done);
	conn->request = r;
	return r;
}

void http_free(struct http_request *r)
{
	if (r->file >= 0)
		close(r->file);
	request_forget(r->asking);
	passwords_forget(r->hashing);
	event_stream_on_gone(r->stream);
	if (r->waiting)
		r->gw->waits_open--;
	span_fail(&r->span); /* when it has not ended: the client is gone */
	span_end(&r->span);
	r->conn->request = NULL;
	talloc_free(r);
}

/* ---- from head to handler ------------------------------------------------------- */

/* lws has decoded it; what could end a header or start something else is coded again. */
static void put_coded(UT_string *to, struct text t, const char *reserved)
{
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.p[i];

		if (c > 0x20 && c < 0x7F && strchr(reserved, c) == NULL)
			utstring_printf(to, "%c", c);
		else
			utstring_printf(to, "%%%02X", c);
	}
}

void http_redirect_without_slash(struct http_request *r)
{
	CLEANUP(string_done) UT_string to;
	struct text piece;

	utstring_init(&to);
	put_coded(&to, text_of(r->path.p, r->path.len - 1), "%?#\"<>\\^`{|}");
	for (int i = 0; (piece = http_query_piece(r, i)).p != NULL; i++) {
		utstring_printf(&to, "%c", i == 0 ? '?' : '&');
		put_coded(&to, piece, "%&+#\"<>\\^`{|}");
	}
	http_header(r, "location", "%s", utstring_body(&to));
	http_answer(r, 307, "text/plain; charset=utf-8", (struct text){ 0 });
}

static bool read_json(struct http_request *r)
{
	struct err err = { 0 };
	size_t at = 0;

	if (!r->body_is_json) {
		problem_detail(r, 415, "Unsupported Media Type");
		return false;
	}
	if (utstring_len(&r->body) == 0) {
		problem_body(r, "missing", "Field required", WORD_BODY_MISSING, NULL);
		return false;
	}
	r->json = json_parse_at(json_written(&r->body), &at, &err);
	if (r->json == NULL && err.field[0] != '\0') {
		problem_field(r, err.field, "value_error", err.message, WORD_FIELD_REFUSED);
		return false;
	}
	if (r->json == NULL) {
		problem_body(r, "json_invalid", err.message, WORD_BODY_BROKEN, &at);
		return false;
	}
	if (cJSON_IsObject(r->json))
		return true;
	problem_body(r, "model_attributes_type", "Input should be a valid dictionary or object", WORD_BODY_TYPE, NULL);
	return false;
}

/*
 * No id has more characters, neither a row's nor a client's own name of a
 * session. One that is no UUID where a row is meant is the handler's to answer:
 * 400 or 404, as the original service did.
 */
static bool path_fits(struct http_request *r)
{
	for (size_t i = 0; i < ROUTE_PARAMS_MAX; i++) {
		const struct route_param *param = &r->match.params[i];

		if (text_chars(param->value) <= ROUTE_ID_MAX)
			continue;
		problem_path(r, text_dup(r, param->name), "string_too_long",
			     talloc_asprintf(r, "String should have at most %d characters", ROUTE_ID_MAX),
			     WORD_FIELD_LONG);
		return false;
	}
	return true;
}

/* Where those headers could count: a request that makes or asks for something. */
static bool headers_fit(struct http_request *r)
{
	if (r->too_long == NULL || r->match.route->body != BODY_JSON)
		return true;
	problem_header(r, r->too_long, "string_too_long", "Header value too long", WORD_FIELD_LONG);
	return false;
}

static void run_route(struct http_request *r)
{
	const struct route *route = r->match.route;

	bool reads = route->body == BODY_JSON || (route->body == BODY_MAYBE && utstring_len(&r->body) > 0);

	if (auth_check(r, route->auth) && path_fits(r) && (!reads || read_json(r)) && headers_fit(r))
		route->handler(r);
}

static void http_dispatch(struct http_request *r)
{
	if (r->method == HTTP_OPTIONS && cors_preflight(r))
		return;
	switch (r->match.result) {
	case ROUTE_FOUND:
		run_route(r);
		return;
	case ROUTE_UNKNOWN:
		problem_detail(r, 404, "Not Found");
		return;
	case ROUTE_WRONG_METHOD:
		http_header(r, "allow", "%s", r->match.allow);
		problem_detail(r, 405, "Method Not Allowed");
		return;
	case ROUTE_SLASH:
		http_redirect_without_slash(r);
		return;
	case ROUTE_STATIC:
		static_files_serve(r);
		return;
	}
}

/* RFC 9110, 10.1.1. Nothing else waits to be written between two requests, so this fits; if not, the peer goes on by itself. */
static void say_continue(const struct conn *conn)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (conn->filter.expects != conn->heads)
		return;
	if (send(conn->fd, line, sizeof(line) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug(&conn->gw->log, "http.continue", "address=%s", conn->address->name);
}

int http_on_head(struct conn *conn, struct text path)
{
	struct http_request *r;

	if (conn->request != NULL || conn->phase == CONN_LINGER)
		return -1;
	r = http_new(conn, path);
	r->inside = true;
	if (http_read_head(r)) {
		if (r->body_length > 0) {
			r->inside = false;
			conn_enter(conn, CONN_BODY);
			say_continue(conn);
			return 0;
		}
		http_dispatch(r);
	}
	return http_leave(r);
}

int http_on_body(struct conn *conn, struct text piece)
{
	struct http_request *r = conn->request;
	size_t left;

	if (r == NULL || r->out != NULL || conn->phase != CONN_BODY || piece.len == 0)
		return 0;
	left = r->body_length - utstring_len(&r->body);
	utstring_bincpy(&r->body, piece.p, piece.len < left ? piece.len : left);
	if (piece.len <= left)
		return 0; /* lws tells when it was the last */
	/*
	 * 4.3 hands over what follows a body (a pipelined request) as if it
	 * belonged to it and then waits for more: answer this one, and hang up.
	 */
	r->close = true;
	return http_on_body_end(conn);
}

int http_on_body_end(struct conn *conn)
{
	struct http_request *r = conn->request;

	if (conn->phase == CONN_LINGER)
		return -1;
	/* lws says so as well for a POST of length 0, and again for bytes that come while a handler waits. */
	if (r == NULL || r->out != NULL || conn->phase != CONN_BODY)
		return 0;
	r->inside = true;
	http_dispatch(r);
	return http_leave(r);
}

void http_on_slow_body(struct conn *conn)
{
	struct http_request *r = conn->request;

	r->close = true;
	problem_detail(r, 408, "Request Timeout");
}

void http_on_closed(struct conn *conn)
{
	if (conn->request != NULL)
		http_free(conn->request);
}

/* ---- for handlers ------------------------------------------------------------------- */

static void http_on_answered(void *arg, const struct answer *answer)
{
	struct http_request *r = arg;

	r->asking = NULL;
	r->then(r, answer);
}

void http_ask_as(struct http_request *r, const struct caller *who, struct peer *peer, enum msg_id msg, const void *body,
		 int64_t timeout_ms, http_answered_fn *then)
{
	struct ask ask = {
		.caller = *who, .trace = r->trace, .timeout_ms = timeout_ms, .elsewhere = upstream_elsewhere(msg)
	};

	r->then = then;
	r->asking = bus_request(peer, msg, body, &ask, http_on_answered, r);
}

void http_ask(struct http_request *r, struct peer *peer, enum msg_id msg, const void *body, int64_t timeout_ms,
	      http_answered_fn *then)
{
	http_ask_as(r, &r->caller, peer, msg, body, timeout_ms, then);
}
