/* A free slot is a held request: chat answers it when it has work. With several chats each holds its share. */
#include "attempt.h"

#include <sodium.h>

#include "fault.h"

#define PULLS_MAX 8 /* of one chat; enough to keep up: an answered one is replaced at once */
#define PULL_MS 70000 /* chat answers within 60 s, with work or without */
#define PAUSE_MIN_MS 100
#define PAUSE_SPREAD_MS 400
#define UNCONFIRMED_PER_SLOT 4 /* ends that chat has not confirmed; beyond it, no new work */

int pulls_open(const struct ai *ai)
{
	int n = 0;

	for (int i = 0; i < ai->chats_n; i++)
		n += ai->chats[i].pulls;
	return n;
}

static void pull_later(struct chat_link *chat)
{
	loop_arm(chat->ai->loop, &chat->pull_pause, PAUSE_MIN_MS + randombytes_uniform(PAUSE_SPREAD_MS));
}

static void pull_on_answer(void *arg, const struct answer *answer)
{
	struct chat_link *chat = arg;
	struct ai *ai = chat->ai;
	const struct ans_work_pull *work = answer->body;

	chat->pulls--;
	if (answer->err.rc != RC_OK) {
		log_debug(&ai->log, "ai.pull", "rc=%s reason=\"%s\"", rc_name(answer->err.rc), answer->err.message);
		pull_later(chat);
		return;
	}
	if (work->found) {
		FAULT_POINT(ai_after_pull);
		attempt_start(chat, work, answer->lag_us);
	}
	pull_fill(ai);
}

static bool has_room(const struct ai *ai)
{
	int64_t slots = ai->config->ai_slots;

	return !ai->leaving && ai->running + pulls_open(ai) < slots && ai->unconfirmed < slots * UNCONFIRMED_PER_SLOT;
}

/* The chat that holds the fewest of our slots. A slot held by one that is away would be missed by the others. */
static struct chat_link *pull_from(struct ai *ai)
{
	struct chat_link *best = NULL;

	for (int i = 0; i < ai->chats_n; i++) {
		struct chat_link *chat = &ai->chats[i];

		if (ev_is_active(&chat->pull_pause) || chat->pulls >= PULLS_MAX)
			continue;
		if (ai->chats_n > 1 && !peer_is_up(chat->work))
			pull_later(chat);
		else if (best == NULL || chat->pulls < best->pulls)
			best = chat;
	}
	return best;
}

void pull_fill(struct ai *ai)
{
	struct msg_work_pull m = { .worker = text_from(ai->worker), .seal_key = text_from(ai->seal_key) };
	struct chat_link *chat;

	while (has_room(ai) && (chat = pull_from(ai)) != NULL) {
		chat->pulls++;
		bus_request(chat->work, MSG_WORK_PULL, &m, &(struct ask){ .timeout_ms = PULL_MS, .background = true },
			    pull_on_answer, chat);
	}
}

static void pause_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct chat_link *chat = w->data;

	(void)ev, (void)events;
	pull_fill(chat->ai);
}

void pull_init(struct ai *ai)
{
	for (int i = 0; i < ai->chats_n; i++)
		loop_timer(&ai->chats[i].pull_pause, pause_on_timer, &ai->chats[i]);
	pull_fill(ai);
}
