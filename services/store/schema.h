/*
 * schema: brings the database's schema up to date, on a connection of its own,
 * one migration per transaction, one process at a time (advisory lock). Its
 * statements are sent one by one: killed anywhere, the server takes back the
 * migration under way, and the next start begins with that one.
 *
 * A rehearsal does the same inside of one transaction, tells what it sees, and
 * takes everything back. Loop thread only; nothing blocks.
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
	X(SURVEY) /* rehearsal: what is there */ \
	X(BEGIN) /* a migration; when none is left, RESULT */ \
	X(STATEMENT) /* one of the migration; again until none is left */ \
	X(RECORD) /* that it has been applied */ \
	X(COMMIT) /* both or none; on with BEGIN */ \
	X(RESULT) /* rehearsal: what would be there */

enum schema_step {
#define X(step) SCHEMA_##step,
	SCHEMA_STEPS(X)
#undef X
};

struct schema_hooks {
	void (*current)(void *arg); /* all is applied */
	void (*refused)(void *arg, const char *why); /* not a database for this program; looked at again later */
	void (*tell)(void *arg, const char *line); /* of a rehearsal; NULL when there is none */
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
	struct text script; /* what is left of the migration under way */
	int statement; /* the one that was sent last, from 1 */
	bool rehearsal;
	bool current; /* as last found */
	bool failed; /* this round met an error; why says which */
	int applied; /* in this round */
	int64_t up_us; /* when the connection of this round was made; 0: never yet */
	char why[512]; /* why it is not current: for operators */
	char told[512]; /* the reason that has been logged */
};

/* False with err: the program's own list is broken. */
bool schema_init(struct schema *schema, struct loop *loop, const char *url, const struct log *log,
		 const struct schema_hooks *hooks, void *arg, struct err *err);
void schema_done(struct schema *schema);

/* Before schema_start: nothing will be changed, hooks->tell is called for each line of the report. */
void schema_rehearse(struct schema *schema);

/* Begins a round, unless one is under way. It is repeated by itself until the schema is current. */
void schema_start(struct schema *schema);

#endif
