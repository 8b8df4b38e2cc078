#include "schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "json.h"
#include "sql_split.h"

#define LOCK_KEY "7236241985" /* any number, the same for all instances */
#define SETTINGS \
	"set timezone = 'UTC'; set statement_timeout = 0; set idle_session_timeout = '60s';" \
	" set idle_in_transaction_session_timeout = '60s'; "
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
	char copy[sizeof(schema->why)];

	pg_message(why, copy, sizeof(copy));
	pg_conn_close(&schema->conn);
	memcpy(schema->why, copy, sizeof(copy));
	loop_arm(schema->loop, &schema->retry, after_ms);
}

static void schema_refuse(struct schema *schema, const char *why)
{
	schema_again(schema, why, REFUSED_RETRY_MS);
	if (!schema->rehearsal)
		schema_tell(schema, LOG_ERROR, "schema.refused");
	schema->hooks->refused(schema->arg, schema->why);
}

static void schema_say(struct schema *schema, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void schema_say(struct schema *schema, const char *format, ...)
{
	char line[128];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	schema->hooks->tell(schema->arg, line);
}

static void schema_finish(struct schema *schema)
{
	const struct migrations *m = &schema->migrations;
	long long version = m->n > 0 ? m->list[m->n - 1].version : 0;

	pg_conn_close(&schema->conn); /* gives the lock back, and a rehearsal everything */
	if (schema->rehearsal && schema->applied == 0)
		schema_say(schema, "nothing to do: the schema is current (version %lld)", version);
	else if (!schema->rehearsal)
		log_info(schema->log, "schema.current", "version=%lld applied=%d", version, schema->applied);
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

/* A process that stands still for a minute loses its transaction and its lock to another one. */
static void schema_send_lock(struct schema *schema)
{
	schema_send(schema, schema->rehearsal ? SETTINGS
				    "set lock_timeout = '10s'; begin; select pg_advisory_lock(" LOCK_KEY ")"
					      : SETTINGS "set lock_timeout = 0; select pg_advisory_lock(" LOCK_KEY ")");
}

static void schema_send_survey(struct schema *schema)
{
	CLEANUP(string_done) UT_string sql = { 0 };

	utstring_init(&sql);
	for (const struct embedded_file *file = alp_surveys; file->name != NULL; file++)
		utstring_bincpy(&sql, file->bytes, file->len);
	utstring_printf(&sql, "\n;select * from pg_temp.survey(true)");
	schema_send(schema, utstring_body(&sql));
}

static void schema_send_begin(struct schema *schema, const struct migration *m)
{
	schema->script = m->sql;
	schema->statement = 0;
	if (schema->rehearsal)
		schema_say(schema, "would apply %04lld_%s", (long long)m->version, m->name);
	else
		log_info(schema->log, "schema.apply", "version=%lld name=%s", (long long)m->version, m->name);
	schema_send(schema, schema->rehearsal ? "savepoint migration" : "begin");
}

static bool schema_send_statement(struct schema *schema)
{
	CLEANUP(string_done) UT_string sql = { 0 };
	struct text one = sql_next(&schema->script);

	if (one.len == 0)
		return false;
	schema->statement++;
	utstring_init(&sql);
	utstring_bincpy(&sql, one.p, one.len);
	schema_send(schema, utstring_body(&sql));
	return true;
}

static void schema_send_record(struct schema *schema, const struct migration *m)
{
	CLEANUP(string_done) UT_string sql = { 0 };

	utstring_init(&sql);
	utstring_printf(&sql,
			"insert into schema_migrations (version, name, checksum, applied_at)"
			" values (%lld, '%s', '%s', now() at time zone 'utc')",
			(long long)m->version, m->name, m->checksum);
	schema_send(schema, utstring_body(&sql));
}

static void schema_enter(struct schema *schema, enum schema_step step)
{
	struct migration *next = migrations_next(&schema->migrations);

	if (step == SCHEMA_SURVEY && !schema->rehearsal)
		step = SCHEMA_BEGIN;
	if (step == SCHEMA_BEGIN && next == NULL)
		step = SCHEMA_RESULT;
	schema->step = step;
	switch (step) {
	case SCHEMA_LOCK:
		schema_send_lock(schema);
		break;
	case SCHEMA_TABLE:
		schema_send(schema, "create table if not exists schema_migrations (version bigint primary key,"
				    " name text not null, checksum text not null, applied_at timestamp not null)");
		break;
	case SCHEMA_READ:
		schema_send(schema, "select version, name, checksum from schema_migrations order by version");
		break;
	case SCHEMA_SURVEY:
		schema_send_survey(schema);
		break;
	case SCHEMA_BEGIN:
		schema_send_begin(schema, next);
		break;
	case SCHEMA_STATEMENT:
		if (!schema_send_statement(schema))
			schema_enter(schema, SCHEMA_RECORD);
		break;
	case SCHEMA_RECORD:
		schema_send_record(schema, next);
		break;
	case SCHEMA_COMMIT:
		schema_send(schema, schema->rehearsal ? "release savepoint migration" : "commit");
		break;
	case SCHEMA_RESULT:
		if (schema->rehearsal && schema->applied > 0)
			schema_send(schema, "select * from pg_temp.survey(false)");
		else
			schema_finish(schema);
		break;
	}
}

/* ---- what the connection tells ------------------------------------------------------------ */

static void schema_on_up(void *arg)
{
	struct schema *schema = arg;

	schema->failed = false;
	schema->applied = 0;
	schema->up_us = clock_us();
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

/* Where it happened, and what the server says. */
static void schema_fail(struct schema *schema, const PGresult *result)
{
	const struct migration *m = migrations_next(&schema->migrations);
	char message[sizeof(schema->why) - 100];

	schema->failed = true;
	pg_message(PQresultErrorMessage(result), message, sizeof(message));
	if (schema->step == SCHEMA_STATEMENT && m != NULL)
		snprintf(schema->why, sizeof(schema->why), "migration %04lld_%s, statement %d: %s",
			 (long long)m->version, m->name, schema->statement, message);
	else
		snprintf(schema->why, sizeof(schema->why), "%s", message);
}

static void schema_on_result(void *arg, PGresult *take_result)
{
	struct schema *schema = arg;
	bool tuples = PQresultStatus(take_result) == PGRES_TUPLES_OK;

	if (PQresultStatus(take_result) == PGRES_FATAL_ERROR && !schema->failed)
		schema_fail(schema, take_result);
	else if (schema->step == SCHEMA_READ && tuples)
		schema_read_rows(schema, take_result);
	else if ((schema->step == SCHEMA_SURVEY || schema->step == SCHEMA_RESULT) && tuples)
		for (int i = 0; i < PQntuples(take_result); i++)
			schema->hooks->tell(schema->arg, PQgetvalue(take_result, i, 0));
	PQclear(take_result);
}

static void schema_on_idle(void *arg)
{
	struct schema *schema = arg;

	if (schema->failed) {
		schema_refuse(schema, schema->why);
	} else if (schema->step == SCHEMA_STATEMENT) {
		schema_enter(schema, SCHEMA_STATEMENT);
	} else if (schema->step == SCHEMA_COMMIT) {
		migrations_next(&schema->migrations)->applied = true;
		schema->applied++;
		schema_enter(schema, SCHEMA_BEGIN);
	} else if (schema->step == SCHEMA_RESULT) {
		schema_finish(schema);
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

void schema_rehearse(struct schema *schema)
{
	schema->rehearsal = true;
}

void schema_start(struct schema *schema)
{
	schema->current = false;
	if (schema->conn.pg == NULL && !ev_is_active(&schema->retry))
		pg_conn_open(&schema->conn, schema->url);
}
