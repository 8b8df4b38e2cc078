/*
 * ai: a worker that asks the model. It pulls work from chat, runs many
 * attempts at once, streams their text back and tells their ends until chat
 * has confirmed them. It keeps nothing else: any number of workers may run.
 * Loop thread only.
 */
#ifndef ALP_AI_H
#define ALP_AI_H

#include "curl_loop.h"
#include "daemon.h"
#include "endpoint.h"
#include "prices.h"
#include "seal.h"
#include "standstill.h"

#define CHATS_MAX 8

struct attempt;
struct ai;

/* One instance of chat. */
struct chat_link {
	struct ai *ai;
	unsigned bit; /* in attempt.strangers */
	struct peer *work; /* pulls, ends, beats, texts */
	struct pub *delta;
	int pulls; /* WORK_PULL requests that are open */
	ev_timer pull_pause; /* armed: a pull failed, not yet again */
	int beats_open; /* not answered yet */
};

struct ai {
	struct daemon *daemon;
	struct loop *loop;
	const struct config *config;
	struct log log;
	char *worker; /* unique per process: host-pid-random */
	struct chat_link chats[CHATS_MAX];
	int chats_n;
	struct curl_loop *curl;
	struct endpoint endpoint;
	struct prices *prices;
	struct breakers breakers;
	struct seal_secret *secrets; /* the present one first */
	size_t secrets_n; /* 0: users cannot have keys of their own */
	bool secrets_weak; /* one of them is a placeholder, let through by DEBUG */
	char seal_key[SEAL_KEY_SIZE]; /* with which others seal for us; "": none */

	struct attempt *attempts; /* running and unconfirmed, by key */
	int running; /* attempts that use a slot */
	int unconfirmed; /* attempts that have ended, chat has not said so yet */

	struct standstill standstill;

	ev_timer beat;
	int64_t beat_us; /* when the last ones were sent */

	bool leaving; /* SIGTERM came: no new pulls */
	int64_t leave_us; /* when it came */
	ev_timer cut; /* attempts that still run then are given back */
};

settings_fn ai_settings; /* numbers, addresses, the model's server and prices, DATA_KEY */

/* Dials chat, after ai_settings. Ends the process with a reason when it cannot. */
void ai_init(struct ai *ai, struct daemon *d);
void ai_done(struct ai *ai);

/* Keeps a WORK_PULL open for each free slot, as far as that makes sense (pull.c). */
void pull_init(struct ai *ai);
void pull_fill(struct ai *ai);
int pulls_open(const struct ai *ai);

/* The handlers of what chat publishes to workers (handlers.c). */
const struct dispatch *ai_handlers(void);

#endif
