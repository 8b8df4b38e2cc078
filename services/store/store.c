#include "store.h"

#include "clock.h"
#include "ids.h"
#include "ranges.h"

#define DISPATCH_TABLE
#include "handlers.h"

#define UNDO_DAYS_MAX 36500
#define CONNECTIONS_MAX 64
#define RESET_MINUTES_MAX 10080 /* a week */

/* ---- what the daemon asks ------------------------------------------------------------ */

static size_t store_dependencies(void *arg, struct dependency out[DEPENDENCIES_MAX])
{
	struct store *store = arg;
	const char *why = pg_pool_why(store->pool);

	out[0] = (struct dependency){ "schema", store->schema.current, store->schema.why };
	out[1] = (struct dependency){ "database", pg_pool_numbers(store->pool).up > 0,
				      why[0] != '\0' ? why : "not connected" };
	return 2;
}

static void store_numbers(void *arg, UT_string *json)
{
	struct store *store = arg;
	struct pg_pool_numbers n = pg_pool_numbers(store->pool);

	json_i64(json, "pg_connections", store->config->pg_connections);
	json_i64(json, "pg_up", n.up);
	json_i64(json, "pg_busy", n.busy);
	json_i64(json, "pg_waiting", n.waiting);
}

static void store_refresh_metrics(void *arg)
{
	struct store *store = arg;
	struct metrics *m = store->daemon->metrics;
	struct pg_pool_numbers n = pg_pool_numbers(store->pool);

	*metrics_gauge(m, METRIC_PG_CONNECTIONS, "state=\"up\"") = n.up;
	*metrics_gauge(m, METRIC_PG_CONNECTIONS, "state=\"busy\"") = n.busy;
	*metrics_gauge(m, METRIC_PG_WAITING, "") = n.waiting;
}

static void store_drain(void *arg)
{
	struct store *store = arg;

	purge_stop(&store->purge);
}

static bool store_idle(void *arg)
{
	struct store *store = arg;
	struct pg_pool_numbers n = pg_pool_numbers(store->pool);

	return n.busy == 0 && n.waiting == 0;
}

/* ---- schema and pool take turns --------------------------------------------------------- */

static void store_on_current(void *arg)
{
	struct store *store = arg;

	pg_pool_refuse(store->pool, NULL);
	pg_pool_open(store->pool);
	purge_start(&store->purge);
}

static void store_on_refused(void *arg, const char *why)
{
	struct store *store = arg;

	pg_pool_refuse(store->pool, why);
}

/* The database was exchanged or changed under us: its schema is looked at again. */
static void store_on_schema_lost(void *arg, const char *why)
{
	struct store *store = arg;

	log_warning(&store->log, "schema.lost", "reason=\"%s\"", why);
	schema_start(&store->schema);
}

/* ---- start and stop ------------------------------------------------------------------------ */

static bool check_numbers(const struct config *c, struct err *err)
{
	const struct range rows[] = {
		{ "PG_CONNECTIONS", c->pg_connections, 1, CONNECTIONS_MAX },
		{ "PG_QUEUE_MAX", c->pg_queue_max, 1, INT32_MAX },
		{ "PG_STATEMENT_MS", c->pg_statement_ms, 1, INT32_MAX },
		{ "GUEST_TTL_HOURS", c->guest_ttl_hours, 1, INT32_MAX },
		{ "GUESTS_MAX", c->guests_max, 1, INT32_MAX },
		{ "GUESTS_PER_ADDRESS", c->guests_per_address, 1, INT32_MAX },
		{ "GUEST_TRACKS_MAX", c->guest_tracks_max, 1, INT32_MAX },
		{ "GUEST_SESSIONS_MAX", c->guest_sessions_max, 1, INT32_MAX },
		{ "GUEST_CHATS_MAX", c->guest_chats_max, 1, INT32_MAX },
		{ "GUEST_MESSAGES_MAX", c->guest_messages_max, 1, INT32_MAX },
		{ "REFRESH_TOKEN_EXPIRE_DAYS", c->refresh_token_expire_days, 1, 3650 },
		{ "CHAT_UNDO_DAYS", c->chat_undo_days, 1, UNDO_DAYS_MAX },
		{ "PASSWORD_RESET_TTL_MINUTES", c->password_reset_ttl_minutes, 1, RESET_MINUTES_MAX },
	};

	return ranges_check(rows, sizeof(rows) / sizeof(rows[0]), err);
}

bool store_settings(void *service, struct daemon *d, struct err *err)
{
	struct store *store = service;

	*store = (struct store){ .daemon = d, .config = &d->config, .instance = id_new() };
	return pg_url_check(d->config.database_url, err) && check_numbers(&d->config, err) &&
	       bus_addresses_check("BUS_STORE", d->config.bus_store, false, err);
}

static char *guest_limits(struct daemon *d)
{
	const struct config *c = &d->config;

	return talloc_asprintf(d->ctx, "%lld,%lld,%lld,%lld,%lld,%lld", (long long)c->guest_tracks_max,
			       (long long)c->guest_chats_max, (long long)c->guest_messages_max,
			       (long long)c->guests_per_address, (long long)c->guests_max,
			       (long long)c->guest_sessions_max);
}

void store_init(struct store *store, struct daemon *d)
{
	static const struct schema_hooks schema_hooks = { store_on_current, store_on_refused, NULL };
	struct config *c = &d->config;
	struct err err = { 0 };

	store->pool = pg_pool_new(d->ctx, &(struct pg_pool_config){ .loop = &d->loop,
								    .url = c->database_url,
								    .connections = (int)c->pg_connections,
								    .queue_max = (int)c->pg_queue_max,
								    .guest_limits = guest_limits(d),
								    .statement_ms = c->pg_statement_ms,
								    .metrics = d->metrics,
								    .log = &store->log,
								    .schema_lost = store_on_schema_lost,
								    .arg = store });
	purge_init(&store->purge, &d->loop, store->pool, d->metrics, &store->log, c);
	if (!schema_init(&store->schema, &d->loop, c->database_url, &store->log, &schema_hooks, store, &err) ||
	    !bus_serve(d->bus, "store", c->bus_store, &dispatch_rows, store, &err))
		daemon_fail(d, &err);
	metrics_on_write(d->metrics, store_refresh_metrics, store);
	d->hooks = (struct daemon_hooks){ .dependencies = store_dependencies,
					  .numbers = store_numbers,
					  .drain = store_drain,
					  .idle = store_idle,
					  .arg = store };
	schema_start(&store->schema);
}

void store_done(struct store *store)
{
	schema_done(&store->schema);
	purge_stop(&store->purge);
	pg_pool_free(store->pool);
	store->pool = NULL;
}
