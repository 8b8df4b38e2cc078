/* A free slot is a held request: chat answers it when it has work. */
#include "attempt.h"

#include <sodium.h>

#include "fault.h"

#define PULLS_MAX 8 /* enough to keep up: an answered one is replaced at once */
#define PULL_MS 70000 /* chat answers within 60 s, with work or without */
#define PAUSE_MIN_MS 100
#define PAUSE_SPREAD_MS 400
#define UNCONFIRMED_PER_SLOT 4 /* ends that chat has not confirmed; beyond it, no new work */

static void pull_on_answer(void *arg, const struct answer *answer)
{
	struct ai *ai = arg;
	const struct ans_work_pull *work = answer->body;

	ai->pulls--;
	if (answer->err.rc != RC_OK) {
		log_debug(&ai->log, "ai.pull", "rc=%s reason=\"%s\"", rc_name(answer->err.rc), answer->err.message);
		loop_arm(ai->loop, &ai->pull_pause, PAUSE_MIN_MS + randombytes_uniform(PAUSE_SPREAD_MS));
		return;
	}
	if (work->found) {
		FAULT_POINT(ai_after_pull);
		attempt_start(ai, work);
	}
	pull_fill(ai);
}

static bool pull_is_wanted(const struct ai *ai)
{
	int64_t slots = ai->config->ai_slots;

	return !ai->leaving && !ev_is_active(&ai->pull_pause) && ai->pulls < PULLS_MAX &&
	       ai->running + ai->pulls < slots && ai->unconfirmed < slots * UNCONFIRMED_PER_SLOT;
}

void pull_fill(struct ai *ai)
{
	struct msg_work_pull m = { .worker = text_from(ai->worker), .seal_key = text_from(ai->seal_key) };

	while (pull_is_wanted(ai)) {
		ai->pulls++;
		bus_request(ai->work, MSG_WORK_PULL, &m, &(struct ask){ .timeout_ms = PULL_MS, .background = true },
			    pull_on_answer, ai);
	}
}

static void pause_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)ev, (void)events;
	pull_fill(w->data);
}

void pull_init(struct ai *ai)
{
	loop_timer(&ai->pull_pause, pause_on_timer, ai);
	pull_fill(ai);
}
