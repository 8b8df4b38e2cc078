#include "settings.h"

#include <math.h>
#include <stdlib.h>

#include "chat.h"
#include "clock.h"

#define TEMPERATURE_MAX 2.0
#define LOOK_EVERY_US 600000000
#define STORE_AWAY_US 1000000

/* ---- in work ---------------------------------------------------------------------------- */

static void apply_length(const struct turn *turn, struct ans_work_pull *work)
{
	int64_t own = turn->context.settings.max_tokens, most = turn->chat->config->ai_max_tokens;

	if (own <= 0)
		return;
	if (own > most)
		own = most;
	/* A structured answer that is cut off is none: it keeps the room it needs. */
	if (work->response_format.len == 0 || own > work->max_tokens)
		work->max_tokens = own;
}

static void apply_temperature(const struct turn *turn, struct ans_work_pull *work)
{
	struct text own = turn->context.settings.temperature;
	char number[32];
	double value;

	if (own.len == 0 || own.len >= sizeof(number))
		return;
	memcpy(number, own.p, own.len);
	number[own.len] = '\0';
	value = strtod(number, NULL);
	if (!isfinite(value) || value < 0 || value > TEMPERATURE_MAX)
		return;
	work->temperature = value;
	work->temperature_zero = value <= 0;
}

void settings_apply(const struct turn *turn, struct ans_work_pull *work)
{
	const struct turn_context *c = &turn->context;

	work->user_id = c->user_id;
	work->model = c->settings.model;
	work->api_key = c->api_key;
	if (c->api_key.len > 0)
		work->base_url = c->settings.base_url;
	apply_length(turn, work);
	apply_temperature(turn, work);
}

/* ---- keys --------------------------------------------------------------------------------- */

void keys_heard(struct chat *chat, struct text seal_key)
{
	struct keys *keys = &chat->keys;
	struct seal_key key;

	if (seal_key.len == 0 || text_is(seal_key, keys->seal_key) || !seal_key_read(&key, seal_key))
		return;
	log_info(&chat->log, "keys.heard", "id=%s", key.id);
	seal_key_write(&key, keys->seal_key);
}

static void on_sealed(void *arg, const struct answer *answer)
{
	struct chat *chat = arg;
	struct keys *keys = &chat->keys;
	const struct ans_keys_seal *a = answer->body;

	keys->asking = false;
	if (a == NULL)
		keys->next_us = clock_us() + STORE_AWAY_US;
	else if (a->done)
		keys->next_us = clock_us() + LOOK_EVERY_US;
	else
		log_info(&chat->log, "keys.sealed", "reason=\"it was kept in clear\"");
}

void keys_tick(struct chat *chat)
{
	struct keys *keys = &chat->keys;
	struct msg_keys_seal m = { .seal_key = text_from(keys->seal_key) };

	if (keys->seal_key[0] == '\0' || keys->asking || chat->daemon->draining || clock_us() < keys->next_us)
		return;
	keys->asking = true;
	bus_request(chat->store, MSG_KEYS_SEAL, &m, &(struct ask){ .background = true }, on_sealed, chat);
}

static void on_renewed(void *arg, const struct answer *answer)
{
	struct chat *chat = arg;

	if (answer->err.rc != RC_OK) /* the next reply tries again */
		log_warning(&chat->log, "keys.renew", "rc=%s reason=\"%s\"", rc_name(answer->err.rc),
			    answer->err.message);
}

void keys_renew(const struct turn *turn, struct text sealed)
{
	struct msg_key_reseal m = { .old_key = turn->context.api_key, .new_key = sealed };
	struct ask ask = { .caller = turn->caller, .trace = turn->trace, .background = true };

	if (sealed.len > 0 && m.old_key.len > 0)
		bus_request(turn->chat->store, MSG_KEY_RESEAL, &m, &ask, on_renewed, turn->chat);
}
