#include "http.h"

#include <ctype.h>

#include "accept.h"
#include "cors.h"
#include "hosts.h"
#include "problem.h"

#define VALUE_MAX 16384 /* no head is longer */
#define KEY_MAX 255 /* Idempotency-Key */
#define EVENT_ID_MAX 64 /* Last-Event-ID: ours are far shorter */

struct text http_request_header(struct http_request *r, enum lws_token_indexes token, size_t max)
{
	int len = lws_hdr_total_length(r->conn->wsi, token);
	char *value;

	if (len <= 0 || (size_t)len > max)
		return (struct text){ 0 };
	/* Fragments of a repeated header are joined by commas: room for those as well. */
	value = talloc_zero_size(r, (size_t)len + 64);
	len = lws_hdr_copy(r->conn->wsi, value, len + 64, token);
	return len > 0 ? text_from(value) : (struct text){ 0 };
}

struct text http_request_custom(struct http_request *r, enum header header, size_t max)
{
	char name[40];
	int name_len = snprintf(name, sizeof(name), "%s:", header_name(header));
	int len = lws_hdr_custom_length(r->conn->wsi, name, name_len);
	char *value;

	if (len <= 0 || (size_t)len > max)
		return (struct text){ 0 };
	value = talloc_zero_size(r, (size_t)len + 1);
	len = lws_hdr_custom_copy(r->conn->wsi, value, len + 1, name, name_len);
	return len > 0 ? text_from(value) : (struct text){ 0 };
}

struct text http_query(struct http_request *r, const char *name)
{
	size_t name_len = strlen(name);
	char *arg = talloc_zero_size(r, VALUE_MAX);

	for (int i = 0; lws_hdr_copy_fragment(r->conn->wsi, arg, VALUE_MAX, WSI_TOKEN_HTTP_URI_ARGS, i) >= 0; i++)
		if (strncmp(arg, name, name_len) == 0 && arg[name_len] == '=')
			return text_from(arg + name_len + 1);
	return (struct text){ 0 };
}

struct text http_query_piece(struct http_request *r, int i)
{
	char *arg = talloc_zero_size(r, VALUE_MAX);

	return lws_hdr_copy_fragment(r->conn->wsi, arg, VALUE_MAX, WSI_TOKEN_HTTP_URI_ARGS, i) >= 0
		       ? text_from(arg)
		       : (struct text){ 0 };
}

static bool read_method(struct http_request *r)
{
	static const struct {
		enum lws_token_indexes token;
		enum http_method method;
	} methods[] = {
		{ WSI_TOKEN_GET_URI, HTTP_GET },         { WSI_TOKEN_POST_URI, HTTP_POST },
		{ WSI_TOKEN_OPTIONS_URI, HTTP_OPTIONS }, { WSI_TOKEN_PUT_URI, HTTP_PUT },
		{ WSI_TOKEN_PATCH_URI, HTTP_PATCH },     { WSI_TOKEN_DELETE_URI, HTTP_DELETE },
		{ WSI_TOKEN_HEAD_URI, HTTP_HEAD },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (lws_hdr_total_length(r->conn->wsi, methods[i].token) > 0) {
			r->method = methods[i].method;
			return true;
		}
	return false;
}

/* Refuses what could be framed in two ways (RFC 9112, section 6). The connection ends with the answer. */
static bool refuse_framing(struct http_request *r, unsigned status, const char *detail)
{
	r->close = true;
	problem_detail(r, status, detail);
	return false;
}

/* ... after what is on its way was read, so that the answer is not lost in a reset. lws reads it only in these cases. */
static bool refuse_body(struct http_request *r, unsigned status, const char *detail)
{
	r->linger = r->method == HTTP_POST || r->method == HTTP_PUT || r->method == HTTP_PATCH;
	return refuse_framing(r, status, detail);
}

static bool read_length(struct http_request *r)
{
	struct lws *wsi = r->conn->wsi;
	bool has_length = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
	struct text length = http_request_header(r, WSI_TOKEN_HTTP_CONTENT_LENGTH, 16);

	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
		return has_length ? refuse_framing(r, 400, "Content-Length and Transfer-Encoding exclude each other")
				  : refuse_body(r, 411, "Length Required");
	if (!has_length) {
		if (r->match.result == ROUTE_FOUND && r->match.route->body == BODY_JSON)
			return refuse_body(r, 411, "Length Required");
		/* lws waits for the body of a POST without a length, so its connection cannot be kept. */
		r->close = r->method == HTTP_POST || r->method == HTTP_PUT || r->method == HTTP_PATCH;
		return true;
	}
	if (length.len == 0)
		return refuse_framing(r, 400, "Malformed Content-Length");
	for (size_t i = 0; i < length.len; i++) {
		if (!isdigit((unsigned char)length.p[i]))
			return refuse_framing(r, 400, "Malformed Content-Length");
		r->body_length = r->body_length * 10 + (size_t)(length.p[i] - '0');
	}
	if (r->body_length > (size_t)r->gw->config->http_body_max)
		return refuse_body(r, 413, "Request Entity Too Large");
	return true;
}

static void read_trace(struct http_request *r)
{
	bool given = trace_accept(r->trace, http_request_custom(r, HEADER_TRACEPARENT, 64));

	span_begin(&r->span, r->trace, SPAN_SERVER, "HTTP");
	if (!given)
		span_root(&r->span);
	memcpy(r->trace, r->span.context, sizeof(r->trace));
	log_child(&r->log, &r->gw->log, "trace=%.32s", r->trace + 3);
}

/* A header that says which request or position is meant: one that is too long may not count as none. */
static struct text read_key(struct http_request *r, enum header header, const char *name, size_t max)
{
	struct text value = http_request_custom(r, header, HEAD_MAX);

	if (value.len <= max)
		return value;
	r->too_long = name;
	return (struct text){ 0 };
}

static void read_wishes(struct http_request *r)
{
	struct text accept = http_request_header(r, WSI_TOKEN_HTTP_ACCEPT, VALUE_MAX);
	struct text type = http_request_header(r, WSI_TOKEN_HTTP_CONTENT_TYPE, 256);
	struct text version = http_request_header(r, WSI_TOKEN_HTTP, 16); /* HTTP/1.1 */

	r->wants_problem = accept_prefers(accept, "application/problem+json", "application/json");
	r->wants_events = accept_prefers(accept, "text/event-stream", "application/json");
	r->last_event_id = read_key(r, HEADER_LAST_EVENT_ID, "Last-Event-ID", EVENT_ID_MAX);
	r->takes_chunks = version.len == 8 && version.p[7] == '1';
	r->body_is_json = lws_hdr_total_length(r->conn->wsi, WSI_TOKEN_HTTP_CONTENT_TYPE) <= 0 ||
			  (type.len > 0 && content_is_json(type));
	language_from_header(http_request_header(r, WSI_TOKEN_HTTP_ACCEPT_LANGUAGE, 512), r->caller.language);
	r->authorization = http_request_header(r, WSI_TOKEN_HTTP_AUTHORIZATION, VALUE_MAX);
	r->idempotency_key = read_key(r, HEADER_IDEMPOTENCY_KEY, "Idempotency-Key", KEY_MAX);
	r->origin = http_request_header(r, WSI_TOKEN_ORIGIN, 256);
	r->origin_allowed = cors_allows(r->gw->config, r->origin);
	r->origin_same = cors_is_same(r->origin, http_request_header(r, WSI_TOKEN_HOST, 256));
}

/* What the head filter found. */
static bool refuse_fault(struct http_request *r, const struct head_fault *fault)
{
	if (fault->query[0] == '\0')
		return refuse_body(r, fault->status, fault->detail);
	r->close = true;
	problem_query(r, fault->query, "value_error", fault->detail, WORD_FIELD_REFUSED);
	return false;
}

bool http_read_head(struct http_request *r)
{
	const struct head_fault *fault = head_filter_fault(&r->conn->filter, ++r->conn->heads);

	r->caller = caller_nobody;
	read_trace(r);
	read_wishes(r);
	if (!read_method(r))
		return refuse_framing(r, 400, "Bad Request");
	if (fault != NULL && fault->status != 405)
		return refuse_fault(r, fault);
	/* Without one it is no browser's (HTTP/1.0, probes): nobody was led here. */
	if (lws_hdr_total_length(r->conn->wsi, WSI_TOKEN_HOST) > 0 &&
	    !hosts_allow(r->gw->config, http_request_header(r, WSI_TOKEN_HOST, 512)))
		return refuse_body(r, 421, "Misdirected Request");
	/* lws ends a piece of the path there, with a NUL in its place. */
	if (memchr(r->path.p, '\0', r->path.len) != NULL)
		return refuse_framing(r, 400, "';' and '&' in a path are written %3B and %26");
	if (!text_is_utf8(r->path))
		return refuse_framing(r, 400, "The path is not valid UTF-8");
	if (fault != NULL) { /* a method that nothing of ours has: the route, if there is one, tells which it has */
		r->method = HTTP_OTHER;
		r->close = true;
	}
	routes_match(r->method, r->path, &r->match);
	return fault != NULL || read_length(r);
}
