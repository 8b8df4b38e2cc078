#include "trials.h"

#include <utlist.h>

#include "chat.h"
#include "clock.h"
#include "ids.h"

#define TRIALS_MAX 16 /* at once: strangers may not take the workers' slots */
#define CALL_MS 12000 /* of the call to the model's server */
#define TRIAL_US 14000000 /* of the whole, with the wait for a slot */
#define TOKENS_MAX 5

static void trial_end(struct chat *chat, struct trial *trial)
{
	request_forget(trial->asking);
	DL_DELETE(chat->trials.list, trial);
	chat->trials.n--;
	talloc_free(trial);
}

static struct trial *trial_find(struct chat *chat, const struct uuid_text *id)
{
	struct trial *trial;

	DL_FOREACH (chat->trials.list, trial)
		if (strcmp(trial->wish.test_id.s, id->s) == 0)
			return trial;
	return NULL;
}

/* ---- whose settings ------------------------------------------------------------------- */

static struct text without_slashes(struct text url)
{
	while (url.len > 0 && url.p[url.len - 1] == '/')
		url.len--;
	return url;
}

/* What was left out is the caller's own. False: his key is not for the address that was named. */
static bool fill_test(struct trial *trial, const struct ans_settings_get *own)
{
	struct msg_connection_test *w = &trial->wish;
	struct text base_url = without_slashes(own->settings.base_url);

	if (!w->set_model)
		w->model = text_copy(trial, own->settings.model);
	if (w->api_key.len == 0 && (!w->set_base_url || text_equal(w->base_url, base_url))) {
		w->api_key = text_copy(trial, own->api_key);
		trial->owner = call_caller(trial->call)->user_id;
	} else if (w->api_key.len == 0 && w->base_url.len > 0) {
		return false;
	}
	if (!w->set_base_url)
		w->base_url = text_copy(trial, base_url);
	return true;
}

static void fill_seal(struct trial *trial, const struct ans_settings_get *own)
{
	trial->owner = call_caller(trial->call)->user_id;
	trial->wish.api_key = text_copy(trial, own->api_key);
	trial->wish.base_url = text_copy(trial, own->settings.base_url);
}

/* True: it goes on to a worker; otherwise it was answered. */
static bool trial_fill(struct trial *trial, const struct answer *answer)
{
	static const struct ans_connection_test refused = { .error_class = { .p = "own_key_needed", .len = 14 } };
	const struct ans_settings_get *own = answer->body;

	if (own == NULL) {
		call_refuse(trial->call, &answer->err);
	} else if (trial->seal_for.s[0] == '\0') {
		if (fill_test(trial, own))
			return true;
		call_answer(trial->call, &refused);
	} else {
		fill_seal(trial, own);
		if (own->api_key.len > 0)
			return true;
		call_answer(trial->call, &(struct ans_key_move){ 0 });
	}
	return false;
}

static void on_own_settings(void *arg, const struct answer *answer)
{
	struct trial *trial = arg;
	struct chat *chat = trial->chat;

	trial->asking = NULL;
	if (trial_fill(trial, answer))
		workers_match(chat);
	else
		trial_end(chat, trial);
}

/* ---- life ------------------------------------------------------------------------------ */

static enum rc start(struct chat *chat, const struct msg_connection_test *wish, const struct uuid_text *seal_for,
		     struct call *call)
{
	struct trial *trial;

	if (chat->trials.n >= TRIALS_MAX || chat->daemon->draining)
		return RC_BUSY;
	if (workers_count(&chat->workers) == 0)
		return RC_UNAVAILABLE;
	if (trial_find(chat, &wish->test_id) != NULL)
		return RC_CONFLICT;
	trial = talloc_zero(chat->workers.ctx, struct trial);
	trial->chat = chat;
	trial->call = call;
	trial->since_us = clock_us();
	trial->wish = *wish;
	trial->owner = wish->test_id;
	trial->seal_for = *seal_for;
	msg_connection_test_keep(trial, &trial->wish);
	DL_APPEND(chat->trials.list, trial);
	chat->trials.n++;
	if (wish->own) {
		struct ask ask = daemon_ask(call);

		trial->asking =
			bus_request(chat->store, MSG_SETTINGS_GET, &(struct msg_settings_get){ .with_key = true }, &ask,
				    on_own_settings, trial);
	} else {
		workers_match(chat);
	}
	return RC_PENDING;
}

enum rc trials_start(struct chat *chat, const struct msg_connection_test *m, struct call *call)
{
	return start(chat, m, &(struct uuid_text){ "" }, call);
}

enum rc trials_seal(struct chat *chat, const struct msg_key_move *m, struct call *call)
{
	struct msg_connection_test wish = { .test_id = id_new(), .own = true };

	return start(chat, &wish, &m->user_id, call);
}

bool trials_take(struct chat *chat, struct ans_work_pull *work)
{
	static const char messages[] = "{\"role\":\"user\",\"content\":\"Say OK.\"}";
	struct trial *trial;

	DL_FOREACH (chat->trials.list, trial)
		if (!trial->handed_out && trial->asking == NULL)
			break;
	if (trial == NULL)
		return false;
	trial->handed_out = true;
	*work = (struct ans_work_pull){ .found = true,
					.turn_id = trial->wish.test_id,
					.attempt = 1,
					.kind = text_from(trial->seal_for.s[0] != '\0' ? "seal" : "test"),
					.messages = text_from(messages),
					.max_tokens = TOKENS_MAX,
					.time_ms = CALL_MS,
					.user_id = trial->owner,
					.seal_for = trial->seal_for,
					.model = trial->wish.model,
					.base_url = trial->wish.base_url,
					.api_key = trial->wish.api_key,
					.traceparent = text_from(call_trace(trial->call)) };
	return true;
}

bool trials_on_done(struct chat *chat, const struct msg_work_done *m)
{
	struct trial *trial = trial_find(chat, &m->turn_id);
	/* A model that thinks first may have no room for a word: its server has answered all the same. */
	bool good = text_is(m->result, "completed") || text_is(m->error_class, "no_room");
	struct ans_connection_test ans = { .success = good,
					   .error_class = good ? (struct text){ 0 } : m->error_class,
					   .model = m->model,
					   .usage = m->usage };

	if (trial == NULL)
		return false;
	if (trial->seal_for.s[0] == '\0')
		call_answer(trial->call, &ans);
	else if (m->api_key.len > 0)
		call_answer(trial->call, &(struct ans_key_move){ trial->wish.api_key, m->api_key });
	else
		call_fail(trial->call, RC_UNKNOWN, NULL, "no worker opens the key (" TEXT_FMT ")",
			  TEXT_ARG(m->error_class));
	trial_end(chat, trial);
	return true;
}

void trials_tick(struct chat *chat)
{
	struct trial *trial, *next;
	int64_t now = clock_us();

	DL_FOREACH_SAFE (chat->trials.list, trial, next) {
		if (now - trial->since_us < TRIAL_US && !call_is_gone(trial->call))
			continue;
		call_fail(trial->call, trial->handed_out ? RC_UNKNOWN : RC_BUSY, NULL,
			  "no end of it was heard in time");
		trial_end(chat, trial);
	}
}

void trials_done(struct chat *chat)
{
	struct trial *trial, *next;

	DL_FOREACH_SAFE (chat->trials.list, trial, next) {
		call_fail(trial->call, RC_UNAVAILABLE, NULL, "the process ends");
		trial_end(chat, trial);
	}
}
