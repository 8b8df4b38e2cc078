/* sqlstate: what an SQLSTATE (PostgreSQL, appendix A) means for a request. Any thread; pure. */
#ifndef ALP_SQLSTATE_H
#define ALP_SQLSTATE_H

#include "err.h"

enum sql_verdict {
	SQL_REFUSED, /* final: err says why */
	SQL_AGAIN, /* the same may succeed in a moment: deadlock, lock, timeout */
	SQL_RELINK, /* this connection is of no more use; on another one it may succeed */
};

/*
 * Judges a failed statement. err gets the code a peer sees and a sentence
 * without data of users: what to answer should trying again not help.
 * state NULL or "" (libpq's own failures) judges as a lost connection.
 */
enum sql_verdict sqlstate_judge(const char *state, struct err *err);

/* True when the schema is not the one our SQL was written for. */
bool sqlstate_is_schema(const char *state);

#endif
