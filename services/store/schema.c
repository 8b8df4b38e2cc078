#include "schema.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"

#define LOCK_KEY "7236241985" /* any number, the same for all instances */
#define RETRY_MS 500
#define REFUSED_RETRY_MS 5000

/* ---- how a round ends -------------------------------------------------------------- */

/* The same reason is logged once, however often it is met. */
static void schema_tell(struct schema *schema, enum log_level level, const char *event)
{
	if (strcmp(schema->why, schema->told) != 0)
		log_line(level, schema->log, event, "reason=\"%s\"", schema->why);
	snprintf(schema->told, sizeof(schema->told), "%s", schema->why);
}

static void schema_again(struct schema *schema, const char *why, int64_t after_ms)
{
	char copy[256];

	pg_message(why, copy, sizeof(copy));
	pg_conn_close(&schema->conn);
	memcpy(schema->why, copy, sizeof(copy));
	loop_arm(schema->loop, &schema->retry, after_ms);
}

static void schema_refuse(struct schema *schema, const char *why)
{
	schema_again(schema, why, REFUSED_RETRY_MS);
	schema_tell(schema, LOG_ERROR, "schema.refused");
	schema->hooks->refused(schema->arg, schema->why);
}

static void schema_finish(struct schema *schema)
{
	const struct migrations *m = &schema->migrations;

	pg_conn_close(&schema->conn); /* gives the lock back */
	log_info(schema->log, "schema.current", "version=%lld applied=%d",
		 (long long)(m->n > 0 ? m->list[m->n - 1].version : 0), schema->applied);
	schema->current = true;
	schema->why[0] = schema->told[0] = '\0';
	schema->hooks->current(schema->arg);
}

/* ---- steps: each sends one query --------------------------------------------------------- */

static void schema_send(struct schema *schema, const char *sql)
{
	if (PQsendQuery(schema->conn.pg, sql) == 1)
		pg_conn_sent(&schema->conn);
	else
		schema_again(schema, PQerrorMessage(schema->conn.pg), RETRY_MS);
}

/* The migration and the record of it: both or none. */
static void schema_send_migration(struct schema *schema, const struct migration *m)
{
	CLEANUP(string_done) UT_string sql = { 0 };

	utstring_init(&sql);
	utstring_printf(&sql, "begin;\n");
	utstring_bincpy(&sql, m->sql.p, m->sql.len);
	utstring_printf(&sql,
			"\n;insert into schema_migrations (version, name, checksum, applied_at)"
			" values (%lld, '%s', '%s', now() at time zone 'utc');\ncommit",
			(long long)m->version, m->name, m->checksum);
	schema_send(schema, utstring_body(&sql));
}

static void schema_enter(struct schema *schema, enum schema_step step)
{
	struct migration *next = migrations_next(&schema->migrations);

	schema->step = step;
	switch (step) {
	case SCHEMA_LOCK:
		schema_send(schema, "set timezone = 'UTC'; set statement_timeout = 0; set lock_timeout = 0;"
				    " select pg_advisory_lock(" LOCK_KEY ")");
		break;
	case SCHEMA_TABLE:
		schema_send(schema, "create table if not exists schema_migrations (version bigint primary key,"
				    " name text not null, checksum text not null, applied_at timestamp not null)");
		break;
	case SCHEMA_READ:
		schema_send(schema, "select version, name, checksum from schema_migrations order by version");
		break;
	case SCHEMA_APPLY:
		if (next == NULL) {
			schema_finish(schema);
		} else {
			log_info(schema->log, "schema.apply", "version=%lld name=%s", (long long)next->version,
				 next->name);
			schema_send_migration(schema, next);
		}
		break;
	}
}

/* ---- what the connection tells ------------------------------------------------------------ */

static void schema_on_up(void *arg)
{
	struct schema *schema = arg;

	schema->failed = false;
	schema->applied = 0;
	for (int i = 0; i < schema->migrations.n; i++)
		schema->migrations.list[i].applied = false;
	schema_enter(schema, SCHEMA_LOCK);
}

static void schema_read_rows(struct schema *schema, const PGresult *rows)
{
	struct err err = { 0 };

	for (int i = 0; i < PQntuples(rows) && !schema->failed; i++)
		if (!migrations_mark(&schema->migrations, strtoll(PQgetvalue(rows, i, 0), NULL, 10),
				     PQgetvalue(rows, i, 1), PQgetvalue(rows, i, 2), &err)) {
			schema->failed = true;
			snprintf(schema->why, sizeof(schema->why), "%s", err.message);
		}
}

static void schema_on_result(void *arg, PGresult *take_result)
{
	struct schema *schema = arg;

	if (PQresultStatus(take_result) == PGRES_FATAL_ERROR && !schema->failed) {
		schema->failed = true;
		snprintf(schema->why, sizeof(schema->why), "%s", PQresultErrorMessage(take_result));
	} else if (schema->step == SCHEMA_READ && PQresultStatus(take_result) == PGRES_TUPLES_OK) {
		schema_read_rows(schema, take_result);
	}
	PQclear(take_result);
}

static void schema_on_idle(void *arg)
{
	struct schema *schema = arg;
	struct migration *next = migrations_next(&schema->migrations);

	if (schema->failed) {
		schema_refuse(schema, schema->why);
	} else if (schema->step == SCHEMA_APPLY) {
		assert(next != NULL);
		next->applied = true;
		schema->applied++;
		schema_enter(schema, SCHEMA_APPLY);
	} else {
		schema_enter(schema, schema->step + 1);
	}
}

static void schema_on_lost(void *arg, const char *why)
{
	struct schema *schema = arg;

	schema_again(schema, why, RETRY_MS);
	schema_tell(schema, LOG_WARNING, "schema.waiting");
}

static void schema_on_retry(struct ev_loop *ev, ev_timer *w, int events)
{
	struct schema *schema = w->data;

	(void)ev, (void)events;
	pg_conn_open(&schema->conn, schema->url);
}

bool schema_init(struct schema *schema, struct loop *loop, const char *url, const struct log *log,
		 const struct schema_hooks *hooks, void *arg, struct err *err)
{
	static const struct pg_conn_hooks conn_hooks = { schema_on_up, schema_on_result, schema_on_idle,
							 schema_on_lost };

	*schema = (struct schema){ .loop = loop, .url = url, .log = log, .hooks = hooks, .arg = arg };
	snprintf(schema->why, sizeof(schema->why), "not looked at yet");
	loop_timer(&schema->retry, schema_on_retry, schema);
	pg_conn_init(&schema->conn, loop, &conn_hooks, schema);
	return migrations_read(alp_migrations, &schema->migrations, err);
}

void schema_done(struct schema *schema)
{
	loop_disarm(schema->loop, &schema->retry);
	pg_conn_close(&schema->conn);
}

void schema_start(struct schema *schema)
{
	schema->current = false;
	if (schema->conn.pg == NULL && !ev_is_active(&schema->retry))
		pg_conn_open(&schema->conn, schema->url);
}
