#include "sqlstate.h"

#include <string.h>

/* The first row whose prefix fits decides: exact codes stand before their classes. */
static const struct {
	const char *prefix;
	enum sql_verdict verdict;
	enum rc rc;
	const char *message;
} rows[] = {
	{ "40", SQL_AGAIN, RC_BUSY, "the database was busy with the same rows" },
	{ "55P03", SQL_AGAIN, RC_BUSY, "the database was busy with the same rows" },
	{ "57014", SQL_AGAIN, RC_STORAGE, "the database took too long" },
	{ "08", SQL_RELINK, RC_STORAGE, "the database went away" },
	{ "57P", SQL_RELINK, RC_STORAGE, "the database is restarting" },
	{ "25006", SQL_RELINK, RC_STORAGE, "the database is read-only" }, /* a standby: the primary is elsewhere */
	{ "26000", SQL_RELINK, RC_INTERNAL, "a prepared statement is gone" },
	{ "0A000", SQL_RELINK, RC_INTERNAL, "a prepared statement is outdated" },
	{ "53100", SQL_REFUSED, RC_STORAGE, "the database's disk is full" },
	{ "53", SQL_REFUSED, RC_STORAGE, "the database is out of resources" },
	{ "58", SQL_REFUSED, RC_STORAGE, "the database could not read or write its files" },
	{ "23505", SQL_REFUSED, RC_CONFLICT, "this id is taken" },
	/* What rows of ours refer to goes away only with its owner. */
	{ "23503", SQL_REFUSED, RC_UNAUTHORIZED, "the account does not exist any more" },
	{ "AL001", SQL_REFUSED, RC_LIMITED, "a guest stores no more" }, /* ours: guest_quota */
	{ "AL002", SQL_REFUSED, RC_LIMITED, "too many guests" },
	{ "28000", SQL_REFUSED, RC_UNAUTHORIZED, "the account is gone or disabled" },
	{ "23", SQL_REFUSED, RC_INVALID, "a value is not acceptable" },
	{ "22021", SQL_REFUSED, RC_INVALID, "a text is not well-formed UTF-8, or holds U+0000" },
	{ "22P05", SQL_REFUSED, RC_INVALID, "a text is not well-formed UTF-8, or holds U+0000" },
	{ "22001", SQL_REFUSED, RC_INVALID, "a text is too long" },
	{ "22", SQL_REFUSED, RC_INVALID, "a value is not acceptable" },
};

enum sql_verdict sqlstate_judge(const char *state, struct err *err)
{
	if (state == NULL || state[0] == '\0')
		state = "08006";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strncmp(state, rows[i].prefix, strlen(rows[i].prefix)) == 0) {
			err_set(err, rows[i].rc, "%s", rows[i].message);
			return rows[i].verdict;
		}
	err_set(err, RC_INTERNAL, "the database refused a statement (%.5s)", state);
	return SQL_REFUSED;
}

bool sqlstate_is_schema(const char *state)
{
	return state != NULL && (strncmp(state, "42", 2) == 0 || strncmp(state, "3F", 2) == 0);
}
