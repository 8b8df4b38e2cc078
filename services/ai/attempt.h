/*
 * attempt: one call to the model for one turn, from the work that chat handed
 * out to the confirmation that chat has its end. Its steps:
 *
 *   CONNECT   the request is on its way
 *   WAIT      the server has it, nothing came back
 *   READ      the answer comes, text goes out in numbered pieces
 *   CLOSE     the answer is complete, its transfer is not
 *   TELL      WORK_DONE is repeated until chat confirms; uses no slot any more
 *
 * Found by key, never by a kept pointer, from outside. Loop thread only.
 */
#ifndef ALP_ATTEMPT_H
#define ALP_ATTEMPT_H

#include <uthash.h>

#include "ai.h"
#include "delta.h"
#include "reply.h"

#define ATTEMPT_STEPS(X) X(CONNECT) X(WAIT) X(READ) X(CLOSE) X(TELL)

enum attempt_step {
#define X(step) ATTEMPT_##step,
	ATTEMPT_STEPS(X)
#undef X
};

#define ATTEMPT_KEY_SIZE 60 /* "turn_id:attempt" */

struct attempt {
	UT_hash_handle hh;
	char key[ATTEMPT_KEY_SIZE];
	struct ai *ai;
	struct chat_link *chat; /* who handed it out, or took its turn over */
	struct uuid_text turn_id;
	int64_t number;
	enum attempt_step step;
	struct log log;
	char trace[TRACE_SIZE]; /* of its span */
	struct span span;

	/* what is asked; gone in TELL */
	bool stream;
	bool trial; /* a test of the connection, or seals: no turn waits for it */
	bool seals; /* nothing is asked: a key is sealed for another owner */
	bool formatted; /* a response_format was asked for */
	char *model;
	struct endpoint own_endpoint; /* with the user's key */
	const struct endpoint *endpoint; /* that one, or the worker's */
	struct breaker *breaker; /* while it counts as running there */
	int64_t total_ms; /* longest time of the call */
	UT_string body;
	size_t prompt_from, prompt_len; /* the messages inside body */
	char *trace_header;
	struct curl_slist headers;
	struct transfer *transfer;

	/* what comes back */
	struct reply reply; /* in TELL only its plain fields are left */
	struct delta delta;
	ev_timer deadline, join;
	int64_t start_us, sent_us, last_us, first_text_us, end_us; /* clock_us; 0: not yet */

	/* how it ended; from TELL on */
	enum ending ending;
	bool retryable;
	char *renewed_key; /* the user's, sealed with the present DATA_KEY; NULL: it was, and seals was not said */
	struct usage usage;
	int64_t retry_after_ms;
	ev_timer again;
	int64_t pause_ms; /* before WORK_DONE is told again */
	unsigned strangers; /* chats that said it is not, or not any more, theirs */
	struct request *done_request, *text_request;
};

/* Starts it; lag_us: how long the hand-out waited for us. A second one of the same number is ignored: chat asked twice. */
void attempt_start(struct chat_link *chat, const struct ans_work_pull *work, int64_t lag_us);

struct attempt *attempt_find(struct ai *ai, const struct uuid_text *turn_id, int64_t number);

/* Ends a running attempt: CANCELLED, LEAVING. What was said so far is told. */
void attempt_stop(struct attempt *a, enum ending why);

bool attempt_is_running(const struct attempt *a);

/* completed, failed, interrupted or cancelled. In TELL. */
const char *attempt_result(const struct attempt *a);

/* Forgets it, whatever its step. */
void attempt_free(struct attempt *a);

/* ---- attempt.c → attempt_begin.c, attempt_answer.c ------------------------------- */

void attempt_key(char out[ATTEMPT_KEY_SIZE], const struct uuid_text *turn_id, int64_t number);
void attempt_enter(struct attempt *a, enum attempt_step to); /* the only writer of a->step */
void attempt_arm(struct attempt *a); /* its deadline, as its step wants it */
void attempt_on_deadline(struct ev_loop *ev, ev_timer *w, int events);

/* forced: why we end it (NONE: the transfer has ended by itself, for the reason transport tells). */
void attempt_end(struct attempt *a, enum ending forced, enum ending transport);

/* ---- attempt_answer.c → attempt_begin.c ------------------------------------------- */

extern const struct transfer_events attempt_transfer_events;
bool attempt_on_text(void *attempt, struct text text);

/* Writes the request's body (request.c). */
void request_write(struct attempt *a, const struct ans_work_pull *work);

/* ---- what chat is told (tell.c) ----------------------------------------------- */

void tell_done(struct attempt *a); /* frees the attempt when chat has confirmed */
void tell_text(struct attempt *a); /* the text so far */
void attempt_goes_to(struct attempt *a,
		     struct chat_link *chat); /* who has its turn now; told the end if there is one */
void tell_piece(void *attempt, size_t number, struct text piece);
void tell_beats(struct ai *ai); /* once a second from now on while there are attempts, and once more */
void tell_probe(struct ai *ai); /* does chat answer? The bus remembers; at most once a second */
void tell_leaving(struct ai *ai);
void tell_init(struct ai *ai);

/* ---- what operators see (count.c) ---------------------------------------------- */

void count_end(struct attempt *a);
void count_refresh(void *ai);
void count_numbers(void *ai, UT_string *json);

#endif
