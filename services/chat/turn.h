/*
 * turn: one question to the model and its one reply, from the first request
 * to the terminal state in the store. Welcome, message, finalization, a
 * module's summary and a lesson are turns alike.
 *
 * What a turn needs lives in struct turn and its talloc context; the step is
 * the only truth about where it stands. A turn ends by turn_go(turn, TURN_END)
 * and is freed after the loop turn. Loop thread only.
 */
#ifndef ALP_TURN_H
#define ALP_TURN_H

#include <uthash.h>

#include "bus.h"
#include "log.h"
#include "reply_log.h"
#include "trace.h"

struct chat;
struct turn;

/* Read from top to bottom: a turn's story. turn_steps.c has a function for each. */
#define TURN_STEPS(X) \
	X(BEGIN, turn_begin) /* the store commits the user's message and the lease */ \
	X(REATTACH, turn_reattach) /* taken over: does a worker still hold its text? */ \
	X(RETRY, turn_retry) /* fence the attempt off, begin the next one */ \
	X(ASK, turn_ask) /* wait for a free slot */ \
	X(REPLY, turn_reply) /* a worker streams */ \
	X(FINISH, turn_finish) /* the store commits the reply and the terminal state */ \
	X(END, turn_end)

enum turn_step {
#define X(step, run) TURN_##step,
	TURN_STEPS(X)
#undef X
};

enum turn_kind { KIND_WELCOME, KIND_MESSAGE, KIND_FINALIZE, KIND_SUMMARY, KIND_LESSON, KIND_PLAN };

/* How strictly the model is told the form of its JSON: what a provider refuses is not asked for again. */
enum turn_format { FORMAT_SCHEMA, FORMAT_OBJECT, FORMAT_NONE };

/* A call that is answered with the turn's state: when it is accepted, or when it has ended. */
struct waiter {
	struct call *call;
	bool for_end;
	struct waiter *next;
};

struct turn {
	UT_hash_handle hh; /* chat->turns, by id; only from the end of BEGIN on */
	struct chat *chat;
	struct uuid_text id;
	enum turn_kind kind;
	enum turn_step step;
	int64_t step_us; /* when this step began */
	struct log log;
	struct caller caller;
	char trace[TRACE_SIZE]; /* of its span */
	struct span span;
	struct msg_turn_begin wish; /* what was asked for; texts are ours */
	struct turn_context context; /* as the store has it; texts are ours */
	bool known; /* in chat->turns */
	struct waiter *waiters;

	int64_t attempt;
	char *worker; /* who has the attempt; NULL while nobody */
	int64_t listed_us; /* when a beat last named the attempt */
	int64_t unlisted_us; /* since when its worker's beats do not name the attempt; 0: they do */
	bool taken_over; /* from another process, with this attempt: more may have been shown than is known here */
	struct reply_log reply;
	struct text partial; /* taken over: what was durable of the attempt's text */
	struct text messages; /* the prompt of this attempt: inside of the messages array */
	enum turn_format format; /* finalize, plan */
	bool repairing; /* finalize: the attempt that was told its fault */
	bool stopping; /* a stop was asked for */
	int64_t stop_us; /* when the worker was last told */
	int64_t refetch_us; /* when missing text was last asked for */
	int64_t retry_after_ms;
	char *retry_reason;
	struct call *result_call; /* the worker's work_done, confirmed when all is stored */

	struct outcome outcome; /* how it ends; texts are ours */
	struct text seen; /* finalize: for which modules of the track outcome was written */
	int64_t rewrites; /* finalize: times that they were others by then */
	bool stored; /* outcome is what the store has */
	struct request *request; /* of this step */
	struct request *progress; /* lease and partial text on their way */
	bool doubtful; /* another may have it by now: progress will tell */
	bool quiet; /* RETRY: nothing of the attempt was shown, so nobody needs to hear that another follows */
	bool fencing; /* RETRY: the next attempt was asked for, the store may have it already; no progress meanwhile */
	int64_t renewed_us;
	size_t flushed; /* bytes of partial text that are durable */
	int64_t started_us, store_us, queue_us, asked_us;
	struct timing timing;
};

/* A turn that will begin with wish (copied). It belongs to the chat until it ends. */
struct turn *turn_new(struct chat *chat, enum turn_kind kind, const struct msg_turn_begin *wish,
		      const struct caller *caller, const char *trace);

/* A turn found unfinished in the store, with what is durable of its text (copied); goes to REATTACH. */
void turn_adopt(struct chat *chat, const struct turn_context *context, struct text partial);

/* welcome, message, finalize, summary, lesson, plan */
enum turn_kind turn_kind_from(struct text name);
const char *turn_kind_name(enum turn_kind kind);

/* Its reply is JSON for us: no pieces of it are shown or kept. */
static inline bool turn_is_json(const struct turn *turn)
{
	return turn->kind == KIND_FINALIZE || turn->kind == KIND_PLAN;
}

struct turn *turn_find(struct chat *chat, const struct uuid_text *id);

/* The only way from step to step. */
void turn_go(struct turn *turn, enum turn_step step);

/* Ends this process's part in a turn without a terminal state: somebody else has it, or the process ends. */
void turn_abandon(struct turn *turn);

/* The same, because the store said that another instance has it: logged and counted. */
void turn_fenced(struct turn *turn);

/* An account has claimed what was a guest's: who hears of the turn from here on. */
void turn_set_owner(struct turn *turn, const struct uuid_text *user_id, struct text user_kind);

/* Its rows are gone, with the track or the account they belonged to: its sockets are told that it was stopped. */
void turn_remove(struct turn *turn);

/* Renews the lease now. Until the store has answered no worker is given up and no attempt begun. */
void turn_renew(struct turn *turn);

/* Ten times a second: deadlines, lease, durable partial text. */
void turn_tick(struct turn *turn);

/* The user wants no more of it. */
void turn_stop(struct turn *turn);

/* ---- what workers say (turn_reply.c) ------------------------------------------ */

/* Asks the workers for the attempt's text; at most every 0.2 s. */
void turn_refetch(struct turn *turn);

void turn_on_delta(struct turn *turn, const struct msg_ai_delta *m);
void turn_on_text(struct turn *turn, const struct msg_work_text *m);
enum rc turn_on_done(struct turn *turn, const struct msg_work_done *m, struct call *call);
void turn_on_seen(struct turn *turn, struct text worker); /* a beat lists this turn's attempt */
void turn_rewrite(struct turn *turn, struct text modules); /* finalize: the track has these modules by now */

/* Its worker's connection closed, the worker was not heard of for long, or it does not have the attempt. */
enum turn_loss { LOSS_GONE, LOSS_SILENT, LOSS_UNLISTED };
void turn_worker_lost(struct turn *turn, enum turn_loss loss);

/* ---- steps (turn_steps.c) -------------------------------------------------------- */

/* Decides between another attempt and an end without one; reason is for logs and the attempts' ledger. */
void turn_try_again(struct turn *turn, const char *reason, int64_t after_ms);

/* False: the turn has cost as many calls to the model as one may. */
bool turn_may_call(const struct turn *turn);

/* What kind of message its reply is. */
struct text turn_message_type(const struct turn *turn);

/* Sets how the turn ends and goes to FINISH. */
void turn_fail(struct turn *turn, const char *code, const char *message);
void turn_cancel(struct turn *turn); /* it was stopped: with what is known of the reply */

/* ---- who waits (turn_view.c) --------------------------------------------------------- */

void turn_wait(struct turn *turn, struct call *call, bool for_end);
void turn_answer_accepted(struct turn *turn);
void turn_answer_all(struct turn *turn);
void turn_refuse_all(struct turn *turn, const struct err *err);

/* Answers a call with a turn that is in the store only. epoch and offset as in turn_get. */
void view_answer_stored(struct call *call, const struct turn_context *context, const struct outcome *outcome);
/* ... one that runs here ... */
void view_answer_running(struct call *call, const struct turn *turn);
/* ... and what a turn_get asks of it. */
void view_answer_get(struct call *call, const struct turn *turn, int64_t epoch, int64_t offset);

#endif
