#include "http.h"

#include <errno.h>

#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include "clock.h"
#include "event_stream.h"

/*
 * Answers are handed to the kernel here and not by lws: in the state between
 * request and answer it either reads nothing but is woken for every waiting
 * byte, or (with reading held back) does not look at writability; and what is
 * sent by its own file server loses the request that follows.
 */

#define FILE_AT_ONCE 262144 /* then the loop's other work gets its turn */

enum sent { SENT_ALL, SENT_SOME, SENT_FAILED };

static void end_span(struct http_request *r, const char *route)
{
	char name[SPAN_TEXT_SIZE];

	snprintf(name, sizeof(name), "%s %s", http_method_name(r->method), route);
	span_rename(&r->span, name);
	span_text(&r->span, "http.request.method", http_method_name(r->method));
	span_text(&r->span, "http.route", route);
	span_number(&r->span, "http.response.status_code", r->status);
	if (r->status >= 500)
		span_fail(&r->span);
	span_end(&r->span);
}

static void account(struct http_request *r)
{
	struct metrics *m = r->gw->daemon->metrics;
	const char *route = route_name(&r->match);
	int64_t us = clock_us() - r->since_us;
	char labels[160];

	snprintf(labels, sizeof(labels), "method=\"%s\",route=\"%s\",status=\"%u\"", http_method_name(r->method), route,
		 r->status);
	++*metrics_counter(m, METRIC_HTTP_REQUESTS, labels);
	snprintf(labels, sizeof(labels), "route=\"%s\"", route);
	histogram_add(metrics_histogram(m, METRIC_HTTP_SECONDS, labels), (double)us / 1e6);
	end_span(r, route);
	/* Probes and files are no news. */
	log_line(strncmp(route, "/api", 4) == 0 ? LOG_INFO : LOG_DEBUG, &r->log, "http.done",
		 "method=%s route=%s status=%u us=%lld caller=%s", http_method_name(r->method), route, r->status,
		 (long long)us, caller_kind_name(r->caller.kind));
}

void http_upgraded(struct http_request *r)
{
	r->status = 101;
	account(r);
	http_free(r);
}

/* What a write that moved nothing means. */
static enum sent stalled(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? SENT_SOME : SENT_FAILED;
}

static enum sent send_out(struct http_request *r, int fd)
{
	int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (r->file_left > 0 ? MSG_MORE : 0);

	while (r->out_at < r->out_len) {
		ssize_t n = send(fd, r->out + r->out_at, r->out_len - r->out_at, flags);

		if (n <= 0)
			return stalled(n);
		r->out_at += (size_t)n;
		r->handed += n;
	}
	return SENT_ALL;
}

static enum sent send_file(struct http_request *r, int fd)
{
	ssize_t n;

	if (r->file_left == 0)
		return SENT_ALL;
	n = sendfile(fd, r->file, NULL, r->file_left < FILE_AT_ONCE ? r->file_left : FILE_AT_ONCE);
	if (n <= 0)
		return stalled(n); /* 0: the file became shorter than was announced */
	r->file_left -= (size_t)n;
	r->handed += n;
	return r->file_left == 0 ? SENT_ALL : SENT_SOME;
}

static enum sent send_answer(struct http_request *r)
{
	int fd = lws_get_socket_fd(r->conn->wsi);
	enum sent sent = send_out(r, fd);

	return sent == SENT_ALL ? send_file(r, fd) : sent;
}

/*
 * While a request is in work lws's timer for bodies must not strike, and bytes
 * that come early (a pipelined request) would keep the loop spinning.
 */
static void hold(struct http_request *r)
{
	lws_set_timeout(r->conn->wsi, NO_PENDING_TIMEOUT, 0);
	lws_rx_flow_control(r->conn->wsi, 0);
	r->held = true;
}

/* All is sent: the request ends. As lws wants it. */
static int finish(struct http_request *r)
{
	struct conn *conn = r->conn;
	bool hang_up = r->close, linger = r->linger;

	account(r);
	if (r->held)
		lws_rx_flow_control(conn->wsi, 1);
	http_free(r);
	conn_enter(conn, linger ? CONN_LINGER : CONN_IDLE);
	if (linger)
		return 0;
	return hang_up || lws_http_transaction_completed(conn->wsi) ? -1 : 0;
}

int http_leave(struct http_request *r)
{
	r->inside = false;
	if (r->out == NULL) {
		conn_enter(r->conn, CONN_WORK);
		hold(r);
		return 0;
	}
	switch (send_answer(r)) {
	case SENT_ALL:
		if (!r->streaming)
			return finish(r);
		conn_enter(r->conn, CONN_WORK);
		hold(r);
		return 0;
	case SENT_SOME:
		conn_enter(r->conn, CONN_SENDING);
		hold(r);
		ev_feed_event(r->gw->loop->ev, &r->conn->writer, EV_WRITE);
		return 0;
	case SENT_FAILED:
		return -1;
	}
	return -1;
}

static void wait_for_reader(struct conn *conn)
{
	struct ev_loop *ev = conn->gw->loop->ev;

	if (ev_is_active(&conn->writer))
		return;
	ev_io_set(&conn->writer, lws_get_socket_fd(conn->wsi), EV_WRITE);
	ev_io_start(ev, &conn->writer);
	conn_enter(conn, CONN_SENDING);
}

/*
 * By what the peer has acknowledged: a socket becomes writable only when a
 * third of its buffer is empty, which takes a slow reader longer than he may stall.
 */
bool http_is_taken(struct http_request *r)
{
	int waiting = 0;
	int64_t taken;

	if (ioctl(lws_get_socket_fd(r->conn->wsi), SIOCOUTQ, &waiting) != 0)
		return false;
	taken = r->handed - waiting;
	if (taken > r->taken) {
		r->taken = taken;
		return true;
	}
	log_info(&r->log, "http.stalled", "bytes=%lld", (long long)taken);
	return false;
}

/* Outside of lws: an answer came later, or its reader took some of it. */
void http_on_writable(struct ev_loop *ev, ev_io *w, int events)
{
	struct conn *conn = w->data;
	enum sent sent = conn->request != NULL && conn->request->out != NULL ? send_answer(conn->request) : SENT_FAILED;

	(void)events;
	if (sent == SENT_SOME) {
		wait_for_reader(conn);
		return;
	}
	ev_io_stop(ev, w);
	if (sent == SENT_ALL && conn->request->streaming) {
		conn_enter(conn, CONN_WORK);
		event_stream_on_drained(conn->request->stream);
		return;
	}
	if (sent == SENT_FAILED || finish(conn->request) != 0)
		conn_kill(conn);
}
