#include "ws_conn.h"

#include <strings.h>

#include "auth.h"
#include "http.h"
#include "problem.h"
#include "tickets.h"

#define ROOT "/ws/chat/"
#define SWITCH "/switch"

/* Who asks for a socket, and for which. */
struct wish {
	struct token token;
	struct text session;
	bool is_switch;
};

/* For logs, metrics and spans; the paths are not among those of the API. */
static const struct route planning_route = { .method = HTTP_GET, .pattern = "/ws/chat/{session_id}" };
static const struct route switch_route = { .method = HTTP_GET, .pattern = "/ws/chat/{session_id}/switch" };

static bool name_is_good(struct text name)
{
	if (name.len == 0 || text_chars(name) > ROUTE_ID_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.p[i] < 0x20 || name.p[i] == '/' || name.p[i] == 0x7F)
			return false;
	return true;
}

/* /ws/chat/{session} or /ws/chat/{session}/switch; a UUID in its canonical form. */
static bool read_path(struct http_request *r, struct wish *wish)
{
	size_t root = sizeof(ROOT) - 1, tail = sizeof(SWITCH) - 1;
	struct text name = r->path;
	struct uuid_text uuid;

	if (name.len <= root || memcmp(name.p, ROOT, root) != 0)
		return false;
	name = text_of(name.p + root, name.len - root);
	if (name.len > tail && memcmp(name.p + name.len - tail, SWITCH, tail) == 0) {
		wish->is_switch = true;
		name.len -= tail;
	}
	if (!name_is_good(name))
		return false;
	wish->session = uuid_from_text(name, &uuid) ? text_copy(r, uuid_as_text(&uuid)) : name;
	r->match.result = ROUTE_FOUND;
	r->match.route = wish->is_switch ? &switch_route : &planning_route;
	return true;
}

/* RFC 6455, 4.2.1; lws would hang up without a word. */
static bool handshake_is_good(struct http_request *r)
{
	if (!text_is(http_request_header(r, WSI_TOKEN_VERSION, 8), "13")) {
		http_header(r, "sec-websocket-version", "13");
		problem_detail(r, 426, "Upgrade Required");
		return false;
	}
	if (http_request_header(r, WSI_TOKEN_KEY, 64).len != 24 ||
	    strcasestr(text_dup(r, http_request_header(r, WSI_TOKEN_CONNECTION, 128)), "upgrade") == NULL ||
	    lws_hdr_total_length(r->conn->wsi, WSI_TOKEN_PROTOCOL) > 0) {
		problem_detail(r, 400, "Bad Request");
		return false;
	}
	return true;
}

/* The socket's cookie counts only from a page we know: browsers send it along from any. */
static bool read_cookie(struct http_request *r, struct text value, struct wish *wish)
{
	struct err err = { 0 };

	if (!r->origin_allowed && !r->origin_same) {
		problem_detail(r, 403, "Origin not allowed");
		return false;
	}
	if (token_read(r->gw->tokens, value, &wish->token, &err))
		return true;
	problem_unauthorized(r, WORD_UNAUTHORIZED);
	return false;
}

static bool read_bearer(struct http_request *r, struct wish *wish)
{
	struct text text = { 0 };
	struct err err = { 0 };

	if (bearer_split(r->authorization, &text) == BEARER_TOKEN &&
	    token_read(r->gw->tokens, text, &wish->token, &err))
		return true;
	problem_unauthorized(r, WORD_UNAUTHORIZED);
	return false;
}

/* The first of: Authorization, cookie, ticket. None of them: nobody (contract/streaming.md 1). */
static bool read_identity(struct http_request *r, struct wish *wish)
{
	struct text cookie = cookie_value(http_request_header(r, WSI_TOKEN_HTTP_COOKIE, 16384), "access_token");
	struct text ticket = http_query(r, "ticket");

	wish->token = (struct token){ .caller = caller_nobody };
	if (r->authorization.len > 0)
		return read_bearer(r, wish);
	if (cookie.len > 0)
		return read_cookie(r, cookie, wish);
	if (ticket.len == 0 || ticket_redeem(r->gw->tickets, ticket, &wish->token))
		return true;
	problem_unauthorized(r, WORD_UNAUTHORIZED);
	return false;
}

/* One person's pages cannot take the room of all. */
static bool has_room(struct http_request *r, const struct caller *caller)
{
	if (caller->kind == CALLER_NOBODY ||
	    sockets_of_user(r->gw->sockets, &caller->user_id) < (size_t)r->gw->config->sockets_per_user)
		return true;
	problem_later(r, 429, WORD_SOCKETS_FULL, 5);
	return false;
}

static bool check(struct http_request *r, struct wish *wish)
{
	if (r->gw->daemon->draining) {
		problem_later(r, 503, WORD_UNAVAILABLE, 1);
		return false;
	}
	if (!read_path(r, wish)) {
		problem_detail(r, 403, "Forbidden");
		return false;
	}
	return handshake_is_good(r) && read_identity(r, wish) && auth_token_stands(r, &wish->token) &&
	       has_room(r, &wish->token.caller);
}

int ws_on_upgrade(struct conn *conn)
{
	char kind[16];
	struct http_request *r;
	struct wish wish = { 0 };
	struct caller caller;

	if (lws_hdr_copy(conn->wsi, kind, sizeof(kind), WSI_TOKEN_UPGRADE) <= 0 || strcasecmp(kind, "websocket") != 0 ||
	    lws_hdr_total_length(conn->wsi, WSI_TOKEN_GET_URI) <= 0 || conn->request != NULL)
		return -1;
	r = http_new(conn, (struct text){ 0 });
	r->path = http_request_header(r, WSI_TOKEN_GET_URI, 16384);
	r->inside = true;
	r->close = true;
	if (!http_read_head(r) || !check(r, &wish)) {
		http_leave(r);
		return -1;
	}
	caller = wish.token.caller;
	memcpy(caller.language, r->caller.language, sizeof(caller.language));
	ws_new(conn, &caller, &wish.token, wish.session, wish.is_switch);
	http_upgraded(r);
	return 0;
}
