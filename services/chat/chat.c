#include "chat.h"

#include "clock.h"
#include "ids.h"
#include "ranges.h"
#include "takeover.h"

#define DISPATCH_TABLE
#include "handlers.h"

#define TICK_MS 100
#define STOOD_STILL_US 2000000 /* a tick that comes so late: the process was stopped */

static size_t chat_dependencies(void *arg, struct dependency out[DEPENDENCIES_MAX])
{
	struct chat *chat = arg;

	out[0] = (struct dependency){ "store", peer_is_up(chat->store) && !peer_is_mute(chat->store),
				      peer_is_up(chat->store) ? "store does not answer; has it the same BUS_KEY?"
							      : "no link to store" };
	out[1] = (struct dependency){ "takeover", chat->takeover.own_done, "unfinished turns are being looked for" };
	return 2;
}

static void chat_numbers(void *arg, UT_string *json)
{
	struct chat *chat = arg;

	json_i64(json, "turns_running", (int64_t)chat->turns_n);
	json_i64(json, "turns_waiting", (int64_t)chat->workers.waiting_n);
	json_i64(json, "workers", (int64_t)workers_count(&chat->workers));
	json_i64(json, "slots_free", (int64_t)chat->workers.pulls_n);
}

static void chat_drain(void *arg)
{
	struct chat *chat = arg;

	workers_drain(chat);
}

static bool chat_idle(void *arg)
{
	struct chat *chat = arg;

	return chat->turns_n == 0 && chat->trials.n == 0;
}

static void chat_refresh_metrics(void *arg)
{
	struct chat *chat = arg;
	struct metrics *m = chat->daemon->metrics;

	*metrics_gauge(m, METRIC_TURNS_RUNNING, "") = (double)chat->turns_n;
	*metrics_gauge(m, METRIC_TURNS_WAITING, "") = (double)chat->workers.waiting_n;
	*metrics_gauge(m, METRIC_WORKERS, "") = (double)workers_count(&chat->workers);
	*metrics_gauge(m, METRIC_SLOTS_FREE, "") = (double)chat->workers.pulls_n;
}

/*
 * A process that stood still may have lost its turns to another meanwhile, and
 * whatever its workers said waits unread. Nobody is given up for lost before
 * that is read, and before the store has said whose the turns are.
 */
static void chat_woke(struct chat *chat, int64_t slept_us)
{
	struct turn *turn, *next;

	log_warning(&chat->log, "chat.stood_still", "ms=%lld turns=%zu", (long long)slept_us / 1000, chat->turns_n);
	workers_hear_all(&chat->workers);
	HASH_ITER (hh, chat->turns, turn, next)
		turn_renew(turn);
}

static void chat_on_tick(struct ev_loop *ev, ev_timer *w, int events)
{
	struct chat *chat = w->data;
	int64_t now = clock_us(), slept = chat->ticked_us > 0 ? now - chat->ticked_us : 0;
	struct turn *turn, *next;

	(void)ev, (void)events;
	chat->ticked_us = now;
	if (slept > STOOD_STILL_US)
		chat_woke(chat, slept);
	workers_tick(chat);
	HASH_ITER (hh, chat->turns, turn, next)
		turn_tick(turn);
	takeover_tick(chat);
	trials_tick(chat);
	keys_tick(chat);
	loop_arm(chat->loop, w, TICK_MS);
}

static void chat_open_bus(struct chat *chat)
{
	struct bus *bus = chat->daemon->bus;
	const struct config *c = chat->config;
	struct err err = { 0 };

	dispatch_rows.gone = workers_on_gone;
	chat->store = bus_dial(bus, "store", c->bus_store, &err);
	if (chat->store == NULL || !bus_serve(bus, "chat", c->bus_chat, &dispatch_rows, chat, &err) ||
	    !bus_serve(bus, "work", c->bus_work, &dispatch_rows, chat, &err) ||
	    !bus_subscribe_listen(bus, "delta", c->bus_delta, &dispatch_rows, chat, &err))
		daemon_fail(chat->daemon, &err);
	chat->control = bus_publish_listen(bus, "control", c->bus_control, &err);
	chat->events = chat->control != NULL ? bus_publish_listen(bus, "event", c->bus_event, &err) : NULL;
	if (chat->events == NULL)
		daemon_fail(chat->daemon, &err);
}

/* "name#process": two processes of one name are two owners, and only one of them holds a lease. */
static char *owner_name(struct daemon *d)
{
	const char *name = d->config.chat_instance[0] != '\0' ? d->config.chat_instance : d->config.bus_chat;
	struct uuid_text process = id_new();

	return talloc_asprintf(d->ctx, "%s#%.8s", name, process.s);
}

static bool check_numbers(const struct config *c, struct err *err)
{
	const struct range rows[] = {
		{ "LEASE_MS", c->lease_ms, 100, INT32_MAX },
		{ "FLUSH_MS", c->flush_ms, 1, INT32_MAX },
		{ "WORKER_SILENCE_MS", c->worker_silence_ms, 100, INT32_MAX },
		{ "ATTEMPTS_MAX", c->attempts_max, 1, 100 },
		{ "TURNS_WAITING_MAX", c->turns_waiting_max, 1, INT32_MAX },
		{ "TURN_WAIT_MS", c->turn_wait_ms, 1, INT32_MAX },
		{ "AI_MAX_TOKENS", c->ai_max_tokens, 1, INT32_MAX },
	};

	return ranges_check(rows, sizeof(rows) / sizeof(rows[0]), err);
}

bool chat_settings(void *service, struct daemon *d, struct err *err)
{
	struct chat *chat = service;
	const struct config *c = &d->config;

	*chat = (struct chat){ .daemon = d, .loop = &d->loop, .config = c };
	return check_numbers(c, err) && bus_addresses_check("BUS_STORE", c->bus_store, true, err) &&
	       bus_addresses_check("BUS_CHAT", c->bus_chat, false, err) &&
	       bus_addresses_check("BUS_WORK", c->bus_work, false, err) &&
	       bus_addresses_check("BUS_DELTA", c->bus_delta, false, err) &&
	       bus_addresses_check("BUS_CONTROL", c->bus_control, false, err) &&
	       bus_addresses_check("BUS_EVENT", c->bus_event, false, err);
}

void chat_init(struct chat *chat, struct daemon *d)
{
	chat->owner = owner_name(d);
	d->hooks = (struct daemon_hooks){ chat_dependencies, chat_numbers, chat_drain, chat_idle, chat };
	workers_init(&chat->workers, (size_t)d->config.bus_inflight_max);
	chat_open_bus(chat);
	metrics_on_write(d->metrics, chat_refresh_metrics, chat);
	loop_timer(&chat->tick, chat_on_tick, chat);
	loop_arm(chat->loop, &chat->tick, 0);
}

void chat_done(struct chat *chat)
{
	struct turn *turn, *next;

	loop_disarm(chat->loop, &chat->tick);
	HASH_ITER (hh, chat->turns, turn, next)
		turn_abandon(turn);
	trials_done(chat);
	workers_done(&chat->workers);
}
