/* --migrate and --dry-run: the schema without the daemon. */
#include <sodium.h>

#include "clock.h"
#include "store.h"

#define WAIT_MS 15000 /* for a server that is just starting */

struct migrate {
	struct loop loop;
	struct schema schema;
	ev_timer limit;
	int status;
};

static void migrate_on_current(void *arg)
{
	struct migrate *m = arg;

	m->status = 0;
	ev_break(m->loop.ev, EVBREAK_ALL);
}

static void migrate_on_refused(void *arg, const char *why)
{
	struct migrate *m = arg;

	if (m->schema.rehearsal)
		printf("problem: %s\n", why); /* else it is in the log */
	ev_break(m->loop.ev, EVBREAK_ALL);
}

static void migrate_on_tell(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

/*
 * Only a server that stays away ends it: a migration itself takes the time it
 * takes, and one whose connection is cut now and then goes on.
 */
static void migrate_on_limit(struct ev_loop *ev, ev_timer *w, int events)
{
	struct migrate *m = w->data;
	int64_t away_ms = (clock_us() - m->schema.up_us) / 1000;

	(void)events;
	if (m->schema.conn.connected)
		loop_arm(&m->loop, w, WAIT_MS);
	else if (m->schema.up_us != 0 && away_ms < WAIT_MS)
		loop_arm(&m->loop, w, WAIT_MS - away_ms);
	else
		ev_break(ev, EVBREAK_ALL);
}

int store_migrate(struct daemon *d, bool rehearsal)
{
	static const struct schema_hooks hooks = { migrate_on_current, migrate_on_refused, migrate_on_tell };
	struct migrate m = { .status = 1 };
	struct err err = { 0 };

	log_setup(d->name, LOG_INFO, strcmp(d->config.log_format, "json") == 0);
	loop_init(&m.loop);
	loop_timer(&m.limit, migrate_on_limit, &m);
	loop_arm(&m.loop, &m.limit, WAIT_MS);
	if (!pg_url_check(d->config.database_url, &err) || sodium_init() < 0 ||
	    !schema_init(&m.schema, &m.loop, d->config.database_url, &d->log, &hooks, &m, &err))
		daemon_fail(d, &err);
	if (rehearsal)
		schema_rehearse(&m.schema);
	schema_start(&m.schema);
	ev_run(m.loop.ev, 0);
	schema_done(&m.schema);
	loop_disarm(&m.loop, &m.limit);
	loop_done(&m.loop);
	d->status = m.status;
	return daemon_status(d);
}
