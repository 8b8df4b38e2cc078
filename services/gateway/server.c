#include "server.h"

#include <sys/resource.h>

#include <utlist.h>

#include "event_stream.h"
#include "http.h"
#include "listener.h"
#include "lws_recv.h"
#include "ws_conn.h"

#define SERV_BUF 65536 /* also the longest piece of a WebSocket message written at once */
#define WS_RX_BUF 2048 /* kept per WebSocket: what an idle one costs */
#define LWS_TIMEOUT_S 30 /* a backstop behind the timer of each connection */
#define FDS_APART 512 /* descriptors that are not connections: bus, files, logs */

struct server {
	struct gateway *gw;
	struct lws_context *lws;
	struct lws_vhost *vhost;
	struct listener listener;
	struct conns conns;
	struct conn *adopting;
	bool draining;
};

/* On every answer, also on those that lws makes itself. A socket of the page's own origin is 'self' as well. */
static const struct lws_protocol_vhost_options security_headers[] = {
	{ &security_headers[1], NULL, "content-security-policy:",
	  "default-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; "
	  "base-uri 'none'; form-action 'self'" },
	{ &security_headers[2], NULL, "x-content-type-options:", "nosniff" },
	{ &security_headers[3], NULL, "referrer-policy:", "same-origin" },
	{ &security_headers[4], NULL, "cross-origin-opener-policy:", "same-origin" },
	{ &security_headers[5], NULL, "cross-origin-resource-policy:", "same-origin" },
	{ NULL, NULL, "x-frame-options:", "DENY" },
};

static void conn_gone(struct server *server, struct conn *conn)
{
	if (server->adopting == conn)
		server->adopting = NULL;
	lws_recv_plain(conn);
	conn_free(&server->conns, conn);
}

static int on_http(struct conn *conn, enum lws_callback_reasons reason, void *in, size_t len)
{
	switch ((int)reason) {
	case LWS_CALLBACK_HTTP:
		return http_on_head(conn, text_of(in, len));
	case LWS_CALLBACK_HTTP_BODY:
		return http_on_body(conn, text_of(in, len));
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return http_on_body_end(conn);
	/*
	 * CVE-2025-11677: after an upgrade to something unknown on a kept-alive
	 * connection lws uses freed memory. Nothing but "websocket" gets past
	 * here, and `in` is not touched: it dangles in that case.
	 */
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return ws_on_upgrade(conn);
	}
	return 0;
}

static int on_websocket(struct conn *conn, enum lws_callback_reasons reason, void *in, size_t len)
{
	switch ((int)reason) {
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return conn->ws != NULL ? 0 : -1;
	case LWS_CALLBACK_ESTABLISHED:
		return ws_on_open(conn);
	case LWS_CALLBACK_RECEIVE:
		return ws_on_receive(conn, text_of(in, len));
	case LWS_CALLBACK_RECEIVE_PONG:
		ws_on_pong(conn);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return ws_on_writable(conn);
	}
	return 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct conn *conn;

	(void)user;
	switch ((int)reason) {
	case LWS_CALLBACK_HTTP:
	case LWS_CALLBACK_HTTP_BODY:
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		conn = lws_get_opaque_user_data(wsi);
		conn->wsi = wsi;
		return on_http(conn, reason, in, len);
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_RECEIVE_PONG:
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return on_websocket(lws_get_opaque_user_data(wsi), reason, in, len);
	case LWS_CALLBACK_CLOSED_HTTP: /* the descriptor is still ours */
		conn = lws_get_opaque_user_data(wsi);
		ev_io_stop(conn->gw->loop->ev, &conn->writer);
		lws_recv_plain(conn);
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		conn = lws_get_opaque_user_data(wsi);
		if (conn != NULL)
			conn_gone(lws_context_user(lws_get_context(wsi)), conn);
		return 0;
	/* What is not HTTP (a CONNECT) would become a raw connection. */
	case LWS_CALLBACK_RAW_ADOPT:
	case LWS_CALLBACK_RAW_RX:
		return -1;
	}
	return 0;
}

static void server_on_accept(void *arg, int take_fd, const char *address)
{
	struct server *server = arg;
	struct conn *conn = conn_new(server->gw, &server->conns, take_fd, address);
	lws_adopt_desc_t desc = {
		.vh = server->vhost, .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP, .fd.sockfd = take_fd, .opaque = conn
	};
	struct lws *wsi;

	if (conn == NULL) {
		close(take_fd);
		return;
	}
	lws_recv_filtered(conn);
	server->adopting = conn;
	wsi = lws_adopt_descriptor_vhost_via_info(&desc);
	if (wsi != NULL && server->adopting != NULL)
		conn->wsi = wsi;
	else if (server->adopting != NULL) /* refused before lws called back */
		conn_gone(server, conn);
	server->adopting = NULL;
}

static void on_lws_log(int level, const char *line)
{
	log_debug(NULL, "lws", "level=%d line=\"%.200s\"", level, line);
}

/*
 * lws sizes its table by the descriptor limit, and searches it one by one
 * when it is given another size (fd_limit_per_thread): so the limit is set.
 */
static void set_descriptor_limit(const struct config *config)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)config->connections_max + FDS_APART;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		log_warning(NULL, "server.descriptors", "limit=%llu wanted=%llu", (unsigned long long)limit.rlim_cur,
			    (unsigned long long)wanted);
}

static bool open_lws(struct server *server, struct err *err)
{
	static const struct lws_protocols protocols[] = {
		{ "alp", on_lws, 0, WS_RX_BUF, 0, NULL, SERV_BUF },
		{ NULL, NULL, 0, 0, 0, NULL, 0 },
	};
	void *loops[1] = { server->gw->loop->ev };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.options =
			LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8,
		.foreign_loops = loops,
		.max_http_header_data = HEAD_MAX + 1024,
		.pt_serv_buf_size = SERV_BUF,
		.timeout_secs = LWS_TIMEOUT_S,
		.keepalive_timeout = 2 * LWS_TIMEOUT_S,
		.headers = security_headers,
		.user = server,
	};

	lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
	server->lws = lws_create_context(&info);
	server->vhost = server->lws != NULL ? lws_create_vhost(server->lws, &info) : NULL;
	return server->vhost != NULL || err_set(err, RC_INTERNAL, "libwebsockets could not be started");
}

struct server *server_new(struct gateway *gw, struct err *err)
{
	struct server *server = talloc_zero(gw->daemon->ctx, struct server);

	server->gw = gw;
	set_descriptor_limit(gw->config);
	lws_recv_init(server, (size_t)gw->config->connections_max + FDS_APART);
	if (!open_lws(server, err) || !listener_open(&server->listener, gw->loop->ev, "GATEWAY_LISTEN",
						     gw->config->gateway_listen, true, server_on_accept, server, err))
		return NULL;
	return server;
}

void server_free(struct server *server)
{
	listener_close(&server->listener);
	lws_context_destroy(server->lws);
	talloc_free(server);
}

void server_drain(struct server *server)
{
	struct conn *conn, *next;

	server->draining = true;
	listener_close(&server->listener);
	DL_FOREACH_SAFE (server->conns.all, conn, next) {
		if (conn->phase == CONN_SOCKET)
			ws_close(conn->ws, WS_CLOSE_RESTART);
		else if (conn->request != NULL && conn->request->stream != NULL)
			event_stream_break_off(conn->request->stream);
		else if (conn->phase == CONN_IDLE || conn->phase == CONN_HEADERS)
			conn_kill(conn);
	}
}

bool server_is_idle(const struct server *server)
{
	const struct conn *conn;

	DL_FOREACH (server->conns.all, conn)
		if (conn->phase != CONN_IDLE && conn->phase != CONN_LINGER)
			return false;
	return true;
}

const struct conns *server_conns(const struct server *server)
{
	return &server->conns;
}
