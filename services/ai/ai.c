#include "ai.h"

#include <stdio.h>
#include <unistd.h>

#include "attempt.h"
#include "clock.h"
#include "ids.h"
#include "ranges.h"
#include "secret.h"

#define LEAVE_US 1000000 /* longest wait for chat to answer the pulls of a worker that leaves */
#define CUT_MARGIN_MS 1500 /* of the drain deadline: for telling what is given back */

/* ---- configuration --------------------------------------------------------------------- */

static bool check_numbers(const struct config *c, struct err *err)
{
	const struct range rows[] = {
		{ "AI_SLOTS", c->ai_slots, 1, 10000 },
		{ "AI_SLOTS_PER_KEY", c->ai_slots_per_key, 1, INT32_MAX },
		{ "AI_CONNECT_MS", c->ai_connect_ms, 1, INT32_MAX },
		{ "AI_FIRST_BYTE_MS", c->ai_first_byte_ms, 1, INT32_MAX },
		{ "AI_STALL_MS", c->ai_stall_ms, 1, INT32_MAX },
		{ "AI_TOTAL_MS", c->ai_total_ms, 1, INT32_MAX },
		{ "AI_REPLY_MAX", c->ai_reply_max, 1, c->bus_message_max / 2 },
	};

	return ranges_check(rows, sizeof(rows) / sizeof(rows[0]), err);
}

/* The three addresses of each chat stand at the same place of their lists. */
static bool check_addresses(const struct config *c, struct err *err)
{
	int n = bus_addresses_count(c->bus_work);

	if (n < 1 || n > CHATS_MAX || n != bus_addresses_count(c->bus_delta) ||
	    n != bus_addresses_count(c->bus_control))
		return err_field(err, RC_INVALID, "BUS_WORK",
				 "BUS_WORK, BUS_DELTA, BUS_CONTROL: equally many addresses, at most %d, were expected",
				 CHATS_MAX);
	return c->ai_slots >= n || err_field(err, RC_INVALID, "AI_SLOTS",
					     "AI_SLOTS: at least one for each address of BUS_WORK was expected");
}

static bool secret_add(struct ai *ai, const char *name, struct text master, struct err *err)
{
	char *text;

	if (!secret_check(name, master, ai->config->debug, SECRET_MIN, err))
		return false;
	ai->secrets_weak = ai->secrets_weak || secret_is_weak(master);
	text = text_dup(ai->daemon->ctx, master);
	ai->secrets = talloc_realloc(ai->daemon->ctx, ai->secrets, struct seal_secret, (unsigned)ai->secrets_n + 1);
	seal_secret_init(&ai->secrets[ai->secrets_n++], text);
	sodium_memzero(text, master.len);
	talloc_free(text);
	return true;
}

/* The present key first: it is the one that new texts are sealed for. */
static bool secrets_init(struct ai *ai, struct err *err)
{
	const char *p = ai->config->data_key_old;

	if (ai->config->data_key[0] == '\0')
		return *p == '\0' || err_field(err, RC_INVALID, "DATA_KEY_OLD", "DATA_KEY_OLD: without DATA_KEY");
	if (!secret_add(ai, "DATA_KEY", text_from(ai->config->data_key), err))
		return false;
	for (; *p != '\0'; p += strspn(p, ", \t")) {
		size_t len = strcspn(p, ", \t");

		if (len > 0 && !secret_add(ai, "DATA_KEY_OLD", text_of(p, len), err))
			return false;
		p += len;
	}
	seal_key_write(&ai->secrets[0].key, ai->seal_key);
	return true;
}

static char *worker_name(void *ctx)
{
	char host[65] = "";
	struct uuid_text id = id_new();

	if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0' || !text_is_utf8(text_from(host)))
		snprintf(host, sizeof(host), "ai");
	return talloc_asprintf(ctx, "%s-%d-%.8s", host, (int)getpid(), id.s);
}

/* ---- hooks ------------------------------------------------------------------------------- */

static size_t ai_dependencies(void *arg, struct dependency out[DEPENDENCIES_MAX])
{
	struct ai *ai = arg;

	tell_probe(ai);
	out[0] = (struct dependency){ .name = "chat", .why = "not reachable at BUS_WORK" };
	for (int i = 0; i < ai->chats_n; i++) {
		out[0].up |= peer_is_up(ai->chats[i].work) && !peer_is_mute(ai->chats[i].work);
		if (peer_is_mute(ai->chats[i].work))
			out[0].why = "chat does not answer; has it the same BUS_KEY?";
	}
	return 1;
}

static void ai_on_cut(struct ev_loop *ev, ev_timer *w, int events)
{
	struct ai *ai = w->data;
	struct attempt *a, *tmp;

	(void)ev, (void)events;
	HASH_ITER (hh, ai->attempts, a, tmp)
		attempt_stop(a, ENDING_LEAVING);
}

/* Pulls that chat answers with work now are still served; it is told not to. */
static void ai_drain(void *arg)
{
	struct ai *ai = arg;
	int64_t drain_ms = ai->config->drain_ms;
	int64_t margin_ms = drain_ms / 2 < CUT_MARGIN_MS ? drain_ms / 2 : CUT_MARGIN_MS;

	ai->leaving = true;
	ai->leave_us = clock_us();
	tell_leaving(ai);
	loop_arm(ai->loop, &ai->cut, drain_ms - margin_ms);
}

static bool ai_is_idle(void *arg)
{
	const struct ai *ai = arg;

	return ai->attempts == NULL && (pulls_open(ai) == 0 || clock_us() - ai->leave_us > LEAVE_US);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void chat_dial(struct ai *ai, const char *work, const char *delta, const char *control)
{
	struct daemon *d = ai->daemon;
	struct chat_link *chat = &ai->chats[ai->chats_n];
	struct err err = { 0 };

	*chat = (struct chat_link){ .ai = ai, .bit = 1U << ai->chats_n };
	chat->work = bus_dial(d->bus, "work", work, &err);
	if (chat->work == NULL)
		daemon_fail(d, &err);
	chat->delta = bus_publish_dial(d->bus, "delta", delta, &err);
	if (chat->delta == NULL)
		daemon_fail(d, &err);
	if (!bus_subscribe_dial(d->bus, "control", control, ai_handlers(), chat, &err))
		daemon_fail(d, &err);
	ai->chats_n++;
}

static void ai_dial(struct ai *ai)
{
	const char *work = ai->config->bus_work, *delta = ai->config->bus_delta, *control = ai->config->bus_control;
	void *ctx = talloc_new(NULL);

	for (int n = bus_addresses_count(work); n > 0; n--) {
		char *w = bus_address_next(ctx, &work), *d = bus_address_next(ctx, &delta),
		     *c = bus_address_next(ctx, &control);

		chat_dial(ai, w, d, c);
	}
	talloc_free(ctx);
}

bool ai_settings(void *service, struct daemon *d, struct err *err)
{
	struct ai *ai = service;

	*ai = (struct ai){ .daemon = d, .loop = &d->loop, .config = &d->config };
	if (!check_numbers(ai->config, err) || !check_addresses(ai->config, err) || !endpoint_check(ai->config, err) ||
	    !secrets_init(ai, err))
		return false;
	ai->prices = prices_new(d->ctx, ai->config->model_prices, err);
	return ai->prices != NULL;
}

/* What an operator is to know, though it serves. */
static void warn_of_keys(struct ai *ai)
{
	const char *key = ai->config->default_openai_api_key;

	if (!ai->endpoint.configured)
		daemon_warn(ai->daemon, "ai.model",
			    "DEFAULT_OPENAI_API_KEY is empty: only users with a key of their own get replies");
	else if (secret_is_placeholder(text_from(key)))
		daemon_warn(ai->daemon, "ai.model",
			    "DEFAULT_OPENAI_API_KEY is a placeholder: the model's server will refuse it");
	if (ai->secrets_n == 0)
		daemon_warn(ai->daemon, "ai.data_key", "DATA_KEY is empty: users cannot keep keys of their own");
	else if (ai->secrets_weak)
		daemon_warn(ai->daemon, "ai.data_key", "DATA_KEY is a placeholder: anyone can open the keys of users");
}

void ai_init(struct ai *ai, struct daemon *d)
{
	endpoint_init(&ai->endpoint, d->ctx, ai->config);
	breakers_init(&ai->breakers, d->ctx,
		      &(struct breaker_limits){ .failures = ai->config->ai_breaker_failures,
						.open_us = ai->config->ai_breaker_ms * 1000,
						.running = ai->config->ai_slots_per_key,
						.retry_percent = ai->config->ai_retry_percent });
	ai->worker = worker_name(d->ctx);
	ai->curl = curl_loop_new(d->ctx, ai->loop, ai->config->ai_slots);
	ai_dial(ai);
	loop_timer(&ai->cut, ai_on_cut, ai);
	d->hooks = (struct daemon_hooks){ ai_dependencies, count_numbers, ai_drain, ai_is_idle, ai };
	metrics_on_write(d->metrics, count_refresh, ai);
	standstill_init(&ai->standstill, ai->loop);
	tell_init(ai);
	pull_init(ai);
	warn_of_keys(ai);
	log_info(&ai->log, "ai.start", "worker=%s slots=%lld model=%s configured=%s data_key=%s curl=\"%s\"",
		 ai->worker, (long long)ai->config->ai_slots, ai->config->default_openai_model,
		 ai->endpoint.configured ? "yes" : "no", ai->secrets_n > 0 ? ai->secrets[0].key.id : "none",
		 curl_version());
}

void ai_done(struct ai *ai)
{
	struct attempt *a, *tmp;

	ai->leaving = true; /* nothing is pulled for the slots that become free now */
	for (int i = 0; i < ai->chats_n; i++)
		loop_disarm(ai->loop, &ai->chats[i].pull_pause);
	standstill_stop(&ai->standstill, ai->loop);
	loop_disarm(ai->loop, &ai->beat);
	loop_disarm(ai->loop, &ai->cut);
	HASH_ITER (hh, ai->attempts, a, tmp)
		attempt_free(a);
	curl_loop_free(ai->curl);
	breakers_done(&ai->breakers);
	endpoint_done(&ai->endpoint);
}
