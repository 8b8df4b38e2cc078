#include "workers.h"

#include <stdlib.h>

#include <utlist.h>

#include "chat.h"
#include "clock.h"
#include "fault.h"
#include "prompt.h"

#define PULL_HELD_US 55000000 /* shorter than a worker waits */
#define PULL_LEFT_US 2000000 /* one that was asked again, after another chat died with it, is waited for less long */
#define GONE_GRACE_US 300000 /* a connection may come back */
#define UNLISTED_US 1500000 /* of beats without an attempt: a late one alone proves nothing */
#define WORKER_OLD_US 180000000 /* then its name is forgotten */
#define CALLS_RESERVED 64 /* of the listener's calls, for results and beats */

void workers_init(struct workers *w, size_t calls_max)
{
	*w = (struct workers){ .ctx = talloc_new(NULL) };
	w->pulls_max = calls_max > 2 * CALLS_RESERVED ? calls_max - CALLS_RESERVED : calls_max / 2;
}

void workers_done(struct workers *w)
{
	HASH_CLEAR(hh, w->by_name);
	talloc_free(w->ctx);
}

size_t workers_count(const struct workers *w)
{
	size_t n = 0;

	for (const struct worker *worker = w->by_name; worker != NULL; worker = worker->hh.next)
		n += worker->gone_us == 0 && !worker->leaving;
	return n;
}

static struct worker *worker_get(struct workers *w, struct text name)
{
	struct worker *worker = NULL;

	HASH_FIND(hh, w->by_name, name.p, name.len, worker);
	if (worker == NULL) {
		worker = talloc_zero(w->ctx, struct worker);
		worker->name = text_dup(worker, name);
		HASH_ADD_KEYPTR(hh, w->by_name, worker->name, name.len, worker);
	}
	worker->heard_us = clock_us();
	worker->gone_us = 0;
	return worker;
}

/* ---- meeting: a waiting turn and a free slot ---------------------------------------- */

static void pull_drop(struct workers *w, struct pull *pull)
{
	DL_DELETE(w->pulls, pull);
	w->pulls_n--;
	talloc_free(pull);
}

static struct pull *pull_of_least_busy(struct workers *w)
{
	struct pull *pull, *best = NULL;

	DL_FOREACH (w->pulls, pull)
		if (best == NULL || pull->worker->running < best->worker->running)
			best = pull;
	return best;
}

static void hand_out(struct chat *chat, struct turn *turn, struct pull *pull)
{
	struct ans_work_pull work = { .found = true,
				      .turn_id = turn->id,
				      .attempt = turn->attempt,
				      .kind = turn->context.kind,
				      .messages = turn->messages,
				      .traceparent = text_from(turn->trace) };
	struct call *call = pull->call;

	prompt_parameters(turn, &work);
	settings_apply(turn, &work);
	workers_assign(chat, turn, text_from(pull->worker->name));
	pull_drop(&chat->workers, pull);
	FAULT_POINT(chat_before_dispatch);
	call_answer(call, &work);
	FAULT_POINT(chat_after_dispatch);
	turn_go(turn, TURN_REPLY);
}

/* Somebody waits in front of a form for it, and they are few. */
static void hand_out_trials(struct chat *chat)
{
	struct workers *w = &chat->workers;
	struct ans_work_pull work;

	while (w->pulls != NULL && trials_take(chat, &work)) {
		struct pull *pull = pull_of_least_busy(w);
		struct call *call = pull->call;

		pull_drop(w, pull);
		call_answer(call, &work);
	}
}

void workers_match(struct chat *chat)
{
	struct workers *w = &chat->workers;
	struct waiting *entry, *tmp;

	hand_out_trials(chat);
	DL_FOREACH_SAFE (w->waiting, entry, tmp) {
		struct turn *turn = entry->turn;

		if (w->pulls == NULL)
			return;
		if (turn->doubtful)
			continue; /* matched again when it turns out to be ours still */
		DL_DELETE(w->waiting, entry);
		w->waiting_n--;
		talloc_free(entry);
		hand_out(chat, turn, pull_of_least_busy(w));
	}
}

bool workers_enqueue(struct chat *chat, struct turn *turn)
{
	struct workers *w = &chat->workers;
	struct waiting *entry;

	if ((int64_t)w->waiting_n >= chat->config->turns_waiting_max)
		return false;
	entry = talloc_zero(w->ctx, struct waiting);
	entry->turn = turn;
	DL_APPEND(w->waiting, entry);
	w->waiting_n++;
	workers_match(chat);
	return true;
}

void workers_assign(struct chat *chat, struct turn *turn, struct text name)
{
	struct worker *worker = worker_get(&chat->workers, name);

	if (turn->worker != NULL)
		return;
	turn->worker = talloc_strdup(turn, worker->name);
	worker->running++;
}

void workers_forget(struct chat *chat, struct turn *turn)
{
	struct workers *w = &chat->workers;
	struct waiting *entry, *tmp;
	struct worker *worker = NULL;

	DL_FOREACH_SAFE (w->waiting, entry, tmp) {
		if (entry->turn != turn)
			continue;
		DL_DELETE(w->waiting, entry);
		w->waiting_n--;
		talloc_free(entry);
	}
	if (turn->worker == NULL)
		return;
	HASH_FIND_STR(w->by_name, turn->worker, worker);
	if (worker != NULL && worker->running > 0)
		worker->running--;
	TALLOC_FREE(turn->worker);
}

/* Answers the held pulls of one worker, or of all, with nothing. */
static void pulls_release(struct workers *w, const struct worker *of)
{
	struct pull *pull, *tmp;

	DL_FOREACH_SAFE (w->pulls, pull, tmp) {
		if (of != NULL && pull->worker != of)
			continue;
		call_answer(pull->call, &(struct ans_work_pull){ 0 });
		pull_drop(w, pull);
	}
}

/* ---- what workers send ------------------------------------------------------------------- */

enum rc workers_pull(struct chat *chat, const struct msg_work_pull *m, struct call *call)
{
	struct workers *w = &chat->workers;
	struct pull *pull;

	if (m->worker.len == 0 || m->worker.len > 128)
		return RC_INVALID;
	if (chat->daemon->draining)
		return RC_BUSY;
	if (w->pulls_n >= w->pulls_max) {
		struct pull *oldest = w->pulls;

		call_answer(oldest->call, &(struct ans_work_pull){ 0 });
		pull_drop(w, oldest);
	}
	keys_heard(chat, m->seal_key);
	pull = talloc_zero(w->ctx, struct pull);
	pull->call = call;
	pull->worker = worker_get(w, m->worker);
	DL_APPEND(w->pulls, pull);
	w->pulls_n++;
	workers_match(chat);
	return RC_PENDING;
}

/*
 * The answer of a pull may be lost, or a pull may come twice: the worker never
 * hears of the work that it was given. Its beats then do not name the attempt.
 * A beat may also have been on its way when the work was given, or for long:
 * only the next ones tell.
 */
static void beat_look_for_lost(struct chat *chat, const struct worker *worker, int64_t now)
{
	struct turn *turn, *next;

	HASH_ITER (hh, chat->turns, turn, next) {
		if (turn->step != TURN_REPLY || turn->worker == NULL || strcmp(turn->worker, worker->name) != 0)
			continue;
		if (turn->listed_us == now)
			turn->unlisted_us = 0;
		else if (turn->unlisted_us == 0)
			turn->unlisted_us = now;
		else if (now - turn->unlisted_us >= UNLISTED_US)
			turn_worker_lost(turn, LOSS_UNLISTED);
	}
}

/* "turn_id:attempt,turn_id:attempt" */
void workers_beat(struct chat *chat, const struct msg_work_beat *m)
{
	const char *p = m->attempts.p, *end = p + m->attempts.len;
	struct worker *worker = worker_get(&chat->workers, m->worker);
	int64_t now = clock_us();

	worker->leaving = m->leaving;
	if (m->leaving)
		pulls_release(&chat->workers, worker);
	while (p != NULL && end - p > 37) {
		struct uuid_text id;
		struct turn *turn = uuid_from_text(text_of(p, 36), &id) ? turn_find(chat, &id) : NULL;

		if (turn != NULL && turn->attempt == strtoll(p + 37, NULL, 10)) {
			turn_on_seen(turn, m->worker);
			turn->listed_us = now;
		}
		p = memchr(p, ',', (size_t)(end - p));
		p = p != NULL ? p + 1 : NULL;
	}
	if (worker->running > 0)
		beat_look_for_lost(chat, worker, now);
}

void workers_on_gone(void *service, struct call *call)
{
	struct chat *chat = service;
	struct pull *pull, *tmp;

	if (call_msg(call) != MSG_WORK_PULL)
		return; /* a gateway or a result: answered when its turn ends */
	DL_FOREACH_SAFE (chat->workers.pulls, pull, tmp) {
		if (pull->call != call)
			continue;
		if (pull->worker->gone_us == 0)
			pull->worker->gone_us = clock_us();
		pull_drop(&chat->workers, pull);
		call_fail(call, RC_UNAVAILABLE, NULL, "the asker is gone");
		return;
	}
}

void workers_tell(struct chat *chat, const char *action, const struct turn *turn)
{
	struct msg_ai_control m = { .action = text_from(action), .turn_id = turn->id, .attempt = turn->attempt };

	bus_publish(chat->control, MSG_AI_CONTROL, &m, turn->trace);
}

/* ---- time -------------------------------------------------------------------------------------- */

static void worker_lost(struct chat *chat, const struct worker *worker, enum turn_loss loss)
{
	struct turn *turn, *next;

	HASH_ITER (hh, chat->turns, turn, next)
		if (turn->worker != NULL && strcmp(turn->worker, worker->name) == 0)
			turn_worker_lost(turn, loss);
}

void workers_hear_all(struct workers *w)
{
	int64_t now = clock_us();

	for (struct worker *worker = w->by_name; worker != NULL; worker = worker->hh.next) {
		worker->heard_us = now;
		if (worker->gone_us != 0)
			worker->gone_us = now;
	}
}

/* Before the worker gives up: what it is handed then would be lost, and silence is taken for a chat that hangs. */
static void pulls_return(struct workers *w)
{
	struct pull *pull, *next;

	DL_FOREACH_SAFE (w->pulls, pull, next) {
		if (call_age_us(pull->call) <= PULL_HELD_US && call_left_us(pull->call) >= PULL_LEFT_US)
			continue;
		call_answer(pull->call, &(struct ans_work_pull){ 0 });
		pull_drop(w, pull);
	}
}

void workers_tick(struct chat *chat)
{
	struct workers *w = &chat->workers;
	int64_t now = clock_us(), silence = chat->config->worker_silence_ms * 1000;
	struct worker *worker, *next;

	HASH_ITER (hh, w->by_name, worker, next) {
		bool gone = worker->gone_us != 0 && now - worker->gone_us > GONE_GRACE_US;
		bool silent = now - worker->heard_us > silence;

		if (worker->running > 0 && (gone || silent)) {
			++*metrics_counter(chat->daemon->metrics, METRIC_WORKERS_LOST, "");
			log_warning(&chat->log, "worker.lost", "worker=%s attempts=%zu reason=%s", worker->name,
				    worker->running, gone ? "gone" : "silent");
			pulls_release(w, worker); /* what it asked for before would only be lost with it */
			worker_lost(chat, worker, gone ? LOSS_GONE : LOSS_SILENT);
		}
		if (worker->running == 0 && now - worker->heard_us > WORKER_OLD_US) {
			HASH_DEL(w->by_name, worker);
			talloc_free(worker);
		}
	}
	pulls_return(w);
}

void workers_drain(struct chat *chat)
{
	pulls_release(&chat->workers, NULL);
}
