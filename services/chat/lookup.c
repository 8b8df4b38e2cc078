#include "lookup.h"

#define AGAIN_MS 300
#define WAIT_MAX_US 330000000 /* beyond the longest answer of a model */

struct lookup {
	struct chat *chat;
	struct call *call;
	struct uuid_text turn_id;
	bool for_end;
	ev_timer again;
};

static void lookup_ask(struct lookup *l);

static void lookup_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct lookup *l = w->data;
	struct turn *turn = turn_find(l->chat, &l->turn_id);

	(void)ev, (void)events;
	if (turn == NULL) {
		lookup_ask(l);
		return;
	}
	turn_wait(turn, l->call, true); /* taken over meanwhile */
	talloc_free(l);
}

/* It runs here and is the caller's by now: he has claimed it since the store was last asked. */
static void lookup_claimed(struct lookup *l, struct turn *turn, const struct turn_context *context)
{
	turn_set_owner(turn, &context->user_id, context->user_kind);
	if (l->for_end || call_msg(l->call) == MSG_TURN_STOP)
		turn_wait(turn, l->call, true);
	else
		view_answer_get(l->call, turn, 0, 0);
	if (call_msg(l->call) == MSG_TURN_STOP)
		turn_stop(turn);
	talloc_free(l);
}

static void on_load(void *arg, const struct answer *answer)
{
	struct lookup *l = arg;
	const struct ans_turn_load *a = answer->body;
	bool wait = l->for_end && !l->chat->daemon->draining && !call_is_gone(l->call) &&
		    call_age_us(l->call) < WAIT_MAX_US && (a == NULL || text_is(a->outcome.state, "running"));

	struct turn *turn = turn_find(l->chat, &l->turn_id);

	if (a != NULL && turn != NULL && text_is(a->outcome.state, "running")) {
		lookup_claimed(l, turn, &a->context);
		return;
	}
	if (wait && answer->err.rc != RC_NOT_FOUND) {
		loop_arm(l->chat->loop, &l->again, AGAIN_MS);
		return;
	}
	if (a != NULL)
		view_answer_stored(l->call, &a->context, &a->outcome);
	else
		call_refuse(l->call, &answer->err);
	talloc_free(l);
}

static void lookup_ask(struct lookup *l)
{
	struct ask ask = daemon_ask(l->call);
	struct msg_turn_load m = { .turn_id = l->turn_id };

	bus_request(l->chat->store, MSG_TURN_LOAD, &m, &ask, on_load, l);
}

void lookup_turn(struct chat *chat, struct call *call, const struct uuid_text *turn_id, bool for_end)
{
	struct lookup *l = talloc_zero(chat->daemon->ctx, struct lookup);

	l->chat = chat;
	l->call = call;
	l->turn_id = *turn_id;
	l->for_end = for_end;
	loop_timer(&l->again, lookup_on_timer, l);
	lookup_ask(l);
}
