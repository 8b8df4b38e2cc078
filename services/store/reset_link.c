/* --password-reset: a link to set a new password, for an operator whom no administrator can help. */
#include <stdio.h>

#include "opaque.h"
#include "rows.h"
#include "store.h"

#define CONNECT_S "10"
#define SETTINGS "set timezone = 'UTC'; set statement_timeout = '10s'; set lock_timeout = '10s'"
/* The account that would sign in with this address, as USER_BY_EMAIL finds it. */
#define MAKE \
	"select r.rc, r.message, r.good_until from (select u.id from users u" \
	" where lower(u.email) = lower($1::text) and not u.is_guest" \
	" order by u.email = $1::text desc, u.created_at limit 1) u" \
	" cross join lateral password_reset_make(u.id, $2::text, $3::bigint) r"

enum { MADE_RC, MADE_MESSAGE, MADE_UNTIL };

static int complain(const struct daemon *d, const char *why)
{
	char line[256];

	pg_message(why, line, sizeof(line));
	fprintf(stderr, "alp-%s: %s\n", d->name, line);
	return 1;
}

/* What asking for it came to: the exit status. */
static int tell(const struct daemon *d, const PGresult *made, const char *token)
{
	char iso[ISO_SIZE];

	if (PQresultStatus(made) != PGRES_TUPLES_OK)
		return complain(d, PQresultErrorMessage(made));
	if (PQntuples(made) == 0)
		return complain(d, "there is no account with this address");
	if (strcmp(PQgetvalue(made, 0, MADE_RC), "ok") != 0)
		return complain(d, PQgetvalue(made, 0, MADE_MESSAGE));
	if (!iso_from_pg(row_text(made, 0, MADE_UNTIL), iso))
		return complain(d, "the database told no time");
	printf("/reset#%s\n", token);
	fprintf(stderr, "Behind the address of the page; good once, until %s. It is not shown again.\n", iso);
	return 0;
}

static int make_link(const struct daemon *d, PGconn *pg, const char *email)
{
	char token[OPAQUE_SIZE], hash[OPAQUE_HASH_SIZE], minutes[24];
	const char *const values[] = { email, hash, minutes };
	PGresult *made;
	int status;

	opaque_make(token, hash);
	snprintf(minutes, sizeof(minutes), "%lld", (long long)d->config.password_reset_ttl_minutes);
	PQclear(PQexec(pg, SETTINGS));
	made = PQexecParams(pg, MAKE, 3, NULL, values, NULL, NULL, 0);
	status = tell(d, made, token);
	PQclear(made);
	return status;
}

/* Nothing else runs in this process, so it simply waits for the server. */
int store_reset_link(struct daemon *d, const char *email)
{
	static const char *const keywords[] = { "dbname", "connect_timeout", NULL };
	const char *const values[] = { d->config.database_url, CONNECT_S, NULL };
	struct err err = { 0 };
	PGconn *pg;

	if (!daemon_settings(d, &err)) {
		d->status = complain(d, err.message);
		return daemon_status(d);
	}
	pg = PQconnectdbParams(keywords, values, 1);
	d->status = PQstatus(pg) == CONNECTION_OK ? make_link(d, pg, email) : complain(d, PQerrorMessage(pg));
	PQfinish(pg);
	return daemon_status(d);
}
