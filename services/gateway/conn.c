#include "conn.h"

#include <sys/socket.h>

#include <utlist.h>

#include "http.h"
#include "ws_conn.h"

static const int64_t phase_ms[] = {
#define X(phase, ms) [CONN_##phase] = (ms),
	CONN_PHASES(X)
#undef X
};

/* The head of a request did not come in time: lws itself would only hang up. */
static void refuse_slow_head(struct conn *conn)
{
	static const char answer[] = "HTTP/1.1 408 Request Timeout\r\n"
				     "content-type: application/json\r\n"
				     "content-length: 28\r\n"
				     "connection: close\r\n\r\n"
				     "{\"detail\":\"Request Timeout\"}";

	/* Nothing was written before, so this fits; should it not, the connection ends all the same. */
	if (send(lws_get_socket_fd(conn->wsi), answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug(&conn->gw->log, "http.slow", "address=%s", conn->address->name);
	conn_kill(conn);
}

static void conn_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct conn *conn = w->data;

	(void)ev, (void)events;
	switch (conn->phase) {
	case CONN_HEADERS:
		refuse_slow_head(conn);
		return;
	case CONN_BODY:
		http_on_slow_body(conn);
		return;
	case CONN_SENDING:
		if (http_is_taken(conn->request))
			conn_enter(conn, CONN_SENDING);
		else
			conn_kill(conn);
		return;
	case CONN_IDLE:
	case CONN_LINGER:
		conn_kill(conn);
		return;
	case CONN_SOCKET:
		conn_enter(conn, CONN_SOCKET);
		ws_on_tick(conn->ws); /* may end the connection */
		return;
	case CONN_WORK:
		return;
	}
}

static struct conn_address *address_get(struct conns *conns, const char *name)
{
	struct conn_address *address;

	HASH_FIND_STR(conns->addresses, name, address);
	if (address != NULL)
		return address;
	address = talloc_zero(NULL, struct conn_address);
	snprintf(address->name, sizeof(address->name), "%s", name);
	HASH_ADD_STR(conns->addresses, name, address);
	return address;
}

static void address_drop(struct conns *conns, struct conn_address *address)
{
	if (address->open > 0)
		return;
	HASH_DEL(conns->addresses, address);
	talloc_free(address);
}

struct conn *conn_new(struct gateway *gw, struct conns *conns, int fd, const char *name)
{
	struct conn_address *address = address_get(conns, name);
	struct conn *conn;

	if (conns->open_n >= gw->config->connections_max || address->open >= gw->config->connections_per_address) {
		conns->refused_n++;
		address_drop(conns, address);
		return NULL;
	}
	conn = talloc_zero(NULL, struct conn);
	conn->gw = gw;
	conn->fd = fd;
	conn->address = address;
	loop_timer(&conn->timer, conn_on_timer, conn);
	ev_init(&conn->writer, http_on_writable);
	conn->writer.data = conn;
	address->open++;
	conns->open_n++;
	DL_APPEND(conns->all, conn);
	conn_enter(conn, CONN_HEADERS);
	return conn;
}

void conn_free(struct conns *conns, struct conn *conn)
{
	loop_disarm(conn->gw->loop, &conn->timer);
	ev_io_stop(conn->gw->loop->ev, &conn->writer);
	http_on_closed(conn);
	ws_on_closed(conn);
	head_filter_done(&conn->filter);
	DL_DELETE(conns->all, conn);
	conns->open_n--;
	conn->address->open--;
	address_drop(conns, conn->address);
	talloc_free(conn);
}

void conn_enter(struct conn *conn, enum conn_phase phase)
{
	int64_t ms = phase == CONN_SENDING ? conn->gw->config->http_stall_ms : phase_ms[phase];

	conn->phase = phase;
	if (ms > 0)
		loop_arm(conn->gw->loop, &conn->timer, ms);
	else
		loop_disarm(conn->gw->loop, &conn->timer);
}

void conn_kill(struct conn *conn)
{
	ev_io_stop(conn->gw->loop->ev, &conn->writer);
	/* lws keeps what it could not send and would wait for a peer that never reads. */
	shutdown(lws_get_socket_fd(conn->wsi), SHUT_RDWR);
	lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}
