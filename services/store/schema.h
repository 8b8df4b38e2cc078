/*
 * schema: brings the database's schema up to date, on a connection of its own,
 * one migration per transaction, one process at a time (advisory lock). Killed
 * anywhere, it goes on at the next start. Loop thread only; nothing blocks.
 */
#ifndef ALP_SCHEMA_H
#define ALP_SCHEMA_H

#include "log.h"
#include "loop.h"
#include "migrations.h"
#include "pg_conn.h"

/* Read from top to bottom: what happens on the connection. schema.c has a function for each. */
#define SCHEMA_STEPS(X) \
	X(LOCK) /* wait for another process that is at it */ \
	X(TABLE) /* schema_migrations exists */ \
	X(READ) /* what has been applied; may we work on this? */ \
	X(APPLY) /* one migration; again until none is left */

enum schema_step {
#define X(step) SCHEMA_##step,
	SCHEMA_STEPS(X)
#undef X
};

struct schema_hooks {
	void (*current)(void *arg); /* all is applied */
	void (*refused)(void *arg, const char *why); /* not a database for this program; looked at again later */
};

struct schema {
	struct loop *loop;
	const char *url;
	const struct log *log;
	const struct schema_hooks *hooks;
	void *arg;
	struct migrations migrations;
	struct pg_conn conn;
	ev_timer retry;
	enum schema_step step;
	bool current; /* as last found */
	bool failed; /* this round met an error; why says which */
	int applied; /* in this round */
	char why[256]; /* why it is not current: for operators */
	char told[256]; /* the reason that has been logged */
};

/* False with err: the program's own list is broken. */
bool schema_init(struct schema *schema, struct loop *loop, const char *url, const struct log *log,
		 const struct schema_hooks *hooks, void *arg, struct err *err);
void schema_done(struct schema *schema);

/* Begins a round, unless one is under way. It is repeated by itself until the schema is current. */
void schema_start(struct schema *schema);

#endif
