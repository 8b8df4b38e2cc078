/*
 * pg_conn: one connection to PostgreSQL on the loop. It connects, writes what
 * libpq has queued, and hands out results; what they mean is its owner's.
 * Loop thread only; nothing blocks, except that libpq resolves a host name in
 * pg_conn_open (give an address, or a socket folder, where that can be slow).
 *
 * The server's silence is found by TCP keepalives and tcp_user_timeout in at
 * most 10 s; who waits for an answer has a deadline of its own besides.
 */
#ifndef ALP_PG_CONN_H
#define ALP_PG_CONN_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "err.h"
#include "loop.h"

struct pg_conn_hooks {
	void (*up)(void *arg); /* connected: may send */
	void (*result)(void *arg, PGresult *take_result); /* one of what was sent */
	void (*idle)(void *arg); /* all that was sent has been answered: may send */
	void (*lost)(void *arg, const char *why); /* closed; why is for operators and holds no secret */
};

struct pg_conn {
	struct loop *loop;
	PGconn *pg; /* NULL when closed */
	const struct pg_conn_hooks *hooks;
	void *arg;
	ev_io io;
	ev_timer timer; /* connecting: its deadline; closed: tells of a failed start */
	int events; /* what io watches; 0 when stopped */
	bool connected;
	bool waiting; /* something sent is not answered yet */
	char why[200];
};

/* hooks and arg live as long as the connection. */
void pg_conn_init(struct pg_conn *conn, struct loop *loop, const struct pg_conn_hooks *hooks, void *arg);

/* Begins to connect to url (URI or keywords); up or lost is called later. The connection is closed before. */
void pg_conn_open(struct pg_conn *conn, const char *url);

/* Quiet: lost is not called. May be called from within a hook. */
void pg_conn_close(struct pg_conn *conn);

/* After PQsend... on conn->pg: writes it out. With a pipeline, after PQpipelineSync. */
void pg_conn_sent(struct pg_conn *conn);

/* False with err, which does not hold it, for what libpq cannot read as a connection string. */
bool pg_url_check(const char *url, struct err *err);

/* First line of libpq's message, without what could be a secret. Into out. */
void pg_message(const char *message, char *out, size_t size);

#endif
