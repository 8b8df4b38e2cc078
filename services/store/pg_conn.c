#include "pg_conn.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_MS 5000

void pg_message(const char *message, char *out, size_t size)
{
	size_t len = strcspn(message, "\n");

	snprintf(out, size, "%.*s", (int)len, message);
	for (char *p = out; *p != '\0'; p++)
		if (*p == '"')
			*p = '\''; /* it becomes a quoted field of a log line */
}

/* The one watcher. It is stopped before it is changed: libev wants it so. */
static void conn_watch(struct pg_conn *conn, int events)
{
	if (events == conn->events)
		return;
	ev_io_stop(conn->loop->ev, &conn->io);
	assert(!ev_is_active(&conn->io));
	conn->events = events;
	if (events != 0) {
		ev_io_set(&conn->io, PQsocket(conn->pg), events);
		ev_io_start(conn->loop->ev, &conn->io);
	}
}

void pg_conn_close(struct pg_conn *conn)
{
	conn_watch(conn, 0);
	loop_disarm(conn->loop, &conn->timer);
	if (conn->pg != NULL)
		PQfinish(conn->pg);
	conn->pg = NULL;
	conn->connected = conn->waiting = false;
}

static void conn_lose(struct pg_conn *conn, const char *why)
{
	if (why != conn->why)
		pg_message(why, conn->why, sizeof(conn->why));
	pg_conn_close(conn);
	conn->hooks->lost(conn->arg, conn->why[0] != '\0' ? conn->why : "connection lost");
}

static void conn_flush(struct pg_conn *conn)
{
	int rv = PQflush(conn->pg);

	if (rv < 0)
		conn_lose(conn, PQerrorMessage(conn->pg));
	else
		conn_watch(conn, rv > 0 ? EV_READ | EV_WRITE : EV_READ);
}

void pg_conn_sent(struct pg_conn *conn)
{
	assert(conn->connected && !conn->waiting);
	conn->waiting = true;
	/* A failed write shows itself as a failed read: lost is never called from here. */
	conn_watch(conn, PQflush(conn->pg) > 0 ? EV_READ | EV_WRITE : EV_READ);
}

/* ---- results ---------------------------------------------------------------------- */

/* True when this was the end of all that was sent. */
static bool conn_take(struct pg_conn *conn, PGresult *result)
{
	bool pipeline = PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF;

	if (result == NULL)
		return !pipeline; /* in a pipeline it only ends one statement */
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
		PQclear(result);
		return true;
	}
	conn->hooks->result(conn->arg, result);
	return false;
}

static void conn_read(struct pg_conn *conn)
{
	int nothing = 0;

	if (PQconsumeInput(conn->pg) == 0) {
		conn_lose(conn, PQerrorMessage(conn->pg));
		return;
	}
	while (conn->pg != NULL && conn->waiting && PQisBusy(conn->pg) == 0) {
		PGresult *result = PQgetResult(conn->pg);

		nothing = result == NULL ? nothing + 1 : 0;
		if (conn_take(conn, result)) {
			conn->waiting = false;
			conn->hooks->idle(conn->arg);
		} else if (nothing > 1) { /* a broken connection answers nothing for ever */
			conn_lose(conn, PQerrorMessage(conn->pg));
			return;
		}
	}
	if (conn->pg != NULL && PQstatus(conn->pg) == CONNECTION_BAD)
		conn_lose(conn, PQerrorMessage(conn->pg));
}

/* ---- connecting ---------------------------------------------------------------------- */

static void conn_established(struct pg_conn *conn)
{
	loop_disarm(conn->loop, &conn->timer);
	PQsetnonblocking(conn->pg, 1);
	conn->connected = true;
	conn_watch(conn, EV_READ);
	conn->hooks->up(conn->arg);
}

/* The socket may be another one after each poll (next host, next address). */
static void conn_poll(struct pg_conn *conn)
{
	PostgresPollingStatusType status;

	conn_watch(conn, 0);
	status = PQconnectPoll(conn->pg);
	if (status == PGRES_POLLING_FAILED)
		conn_lose(conn, PQerrorMessage(conn->pg));
	else if (status == PGRES_POLLING_OK)
		conn_established(conn);
	else
		conn_watch(conn, status == PGRES_POLLING_READING ? EV_READ : EV_WRITE);
}

static void conn_on_io(struct ev_loop *ev, ev_io *w, int events)
{
	struct pg_conn *conn = w->data;

	(void)ev;
	if (!conn->connected) {
		conn_poll(conn);
		return;
	}
	if (events & EV_WRITE)
		conn_flush(conn);
	if (conn->pg != NULL && (events & EV_READ))
		conn_read(conn);
}

static void conn_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct pg_conn *conn = w->data;

	(void)ev, (void)events;
	conn_lose(conn, conn->why[0] != '\0' ? conn->why : "no connection in time");
}

/* Server messages that are no errors: not ours to log as such. */
static void quiet_notice(void *arg, const char *message)
{
	(void)arg, (void)message;
}

void pg_conn_init(struct pg_conn *conn, struct loop *loop, const struct pg_conn_hooks *hooks, void *arg)
{
	*conn = (struct pg_conn){ .loop = loop, .hooks = hooks, .arg = arg };
	ev_init(&conn->io, conn_on_io);
	conn->io.data = conn;
	loop_timer(&conn->timer, conn_on_timer, conn);
}

/* What libpq says of a string that it cannot read holds the string, and a password in it: it is not passed on. */
bool pg_url_check(const char *url, struct err *err)
{
	bool has_form = strncmp(url, "postgres://", 11) == 0 || strncmp(url, "postgresql://", 13) == 0 ||
			strchr(url, '=') != NULL;
	PQconninfoOption *options = has_form ? PQconninfoParse(url, NULL) : NULL;

	PQconninfoFree(options);
	return options != NULL ||
	       err_field(err, RC_INVALID, "DATABASE_URL",
			 "DATABASE_URL is no connection string (postgresql://user:password@host/database)");
}

void pg_conn_open(struct pg_conn *conn, const char *url)
{
	/* The URL first: what stands behind it wins. */
	static const char *const keys[] = { "dbname",           "application_name", "client_encoding",
					    "keepalives",       "keepalives_idle",  "keepalives_interval",
					    "keepalives_count", "tcp_user_timeout", NULL };
	const char *const values[] = { url, "alp-store", "UTF8", "1", "3", "2", "3", "9000", NULL };

	assert(conn->pg == NULL);
	conn->why[0] = '\0';
	conn->pg = PQconnectStartParams(keys, values, 1);
	if (conn->pg == NULL || PQstatus(conn->pg) == CONNECTION_BAD) {
		pg_message(conn->pg != NULL ? PQerrorMessage(conn->pg) : "out of memory", conn->why, sizeof(conn->why));
		loop_arm(conn->loop, &conn->timer, 0);
		return;
	}
	PQsetNoticeProcessor(conn->pg, quiet_notice, NULL);
	loop_arm(conn->loop, &conn->timer, CONNECT_MS);
	conn_watch(conn, EV_WRITE);
}
