#include "trials.h"

#include <utlist.h>

#include "chat.h"
#include "clock.h"

#define TRIALS_MAX 16 /* at once: strangers may not take the workers' slots */
#define CALL_MS 12000 /* of the call to the model's server */
#define TRIAL_US 14000000 /* of the whole, with the wait for a slot */
#define TOKENS_MAX 5

static void trial_end(struct chat *chat, struct trial *trial)
{
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

enum rc trials_start(struct chat *chat, const struct msg_connection_test *m, struct call *call)
{
	struct trial *trial;

	if (chat->trials.n >= TRIALS_MAX || chat->daemon->draining)
		return RC_BUSY;
	if (workers_count(&chat->workers) == 0)
		return RC_UNAVAILABLE;
	if (trial_find(chat, &m->test_id) != NULL)
		return RC_CONFLICT;
	trial = talloc_zero(chat->workers.ctx, struct trial);
	trial->call = call;
	trial->since_us = clock_us();
	trial->wish = *m;
	msg_connection_test_keep(trial, &trial->wish);
	DL_APPEND(chat->trials.list, trial);
	chat->trials.n++;
	workers_match(chat);
	return RC_PENDING;
}

bool trials_take(struct chat *chat, struct ans_work_pull *work)
{
	static const char messages[] = "{\"role\":\"user\",\"content\":\"Say OK.\"}";
	struct trial *trial;

	DL_SEARCH_SCALAR(chat->trials.list, trial, handed_out, false);
	if (trial == NULL)
		return false;
	trial->handed_out = true;
	*work = (struct ans_work_pull){ .found = true,
					.turn_id = trial->wish.test_id,
					.attempt = 1,
					.kind = text_from("test"),
					.messages = text_from(messages),
					.max_tokens = TOKENS_MAX,
					.time_ms = CALL_MS,
					.user_id = trial->wish.test_id,
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
	call_answer(trial->call, &ans);
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
