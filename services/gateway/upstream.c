#include "upstream.h"

#include "clock.h"
#include "revocations.h"

#define FRESH_US 500000
#define ASK_MS 1000
#define FIRST_LOOK_MS 100 /* until store has been asked once */

struct upstream {
	struct gateway *gw;
	ev_timer timer;
	bool database_up;
	bool asking, asking_chat;
	int64_t asked_us; /* 0: never */
};

bool upstream_is_database_up(const struct answer *answer)
{
	/* Nobody has this address: "not found" comes out of the database itself. */
	return answer->err.rc == RC_OK || answer->err.rc == RC_NOT_FOUND;
}

struct request *upstream_ask_database(struct upstream *upstream, answer_fn *done, void *arg)
{
	struct msg_user_by_email m = { .email = text_from("nobody@health.invalid") };
	struct ask ask = { .caller = caller_nobody, .timeout_ms = ASK_MS, .background = true };

	return bus_request(upstream->gw->store, MSG_USER_BY_EMAIL, &m, &ask, done, arg);
}

static bool get_elsewhere(const void *body)
{
	return ((const struct ans_turn_get *)body)->turn.elsewhere;
}

static bool stop_elsewhere(const void *body)
{
	return ((const struct ans_turn_stop *)body)->turn.elsewhere;
}

elsewhere_fn *upstream_elsewhere(enum msg_id msg)
{
	return msg == MSG_TURN_GET ? get_elsewhere : msg == MSG_TURN_STOP ? stop_elsewhere : NULL;
}

struct request *upstream_ask_suite(struct upstream *upstream, answer_fn *done, void *arg)
{
	struct ask ask = { .caller = caller_nobody, .timeout_ms = ASK_MS, .background = true };

	return bus_request(upstream->gw->chat, MSG_SUITE_STATE, &(struct msg_suite_state){}, &ask, done, arg);
}

static void upstream_on_answer(void *arg, const struct answer *answer)
{
	struct upstream *upstream = arg;

	upstream->asking = false;
	upstream->asked_us = clock_us();
	upstream->database_up = upstream_is_database_up(answer);
}

static void upstream_on_chat(void *arg, const struct answer *answer)
{
	struct upstream *upstream = arg;

	(void)answer; /* that there is one is what the bus remembers */
	upstream->asking_chat = false;
}

/* With something that a chat of any version knows: it may be older than we are while an upgrade rolls. */
static void ask_chat(struct upstream *upstream)
{
	struct ask ask = { .caller = caller_nobody, .timeout_ms = ASK_MS, .background = true };

	upstream->asking_chat = true;
	bus_request(upstream->gw->chat, MSG_SEAL_KEY, &(struct msg_seal_key){}, &ask, upstream_on_chat, upstream);
}

static void refresh(struct upstream *upstream)
{
	if (clock_us() - upstream->asked_us < FRESH_US)
		return;
	if (!upstream->asking && peer_is_up(upstream->gw->store)) {
		upstream->asking = true;
		upstream_ask_database(upstream, upstream_on_answer, upstream);
	}
	if (!upstream->asking_chat && peer_is_up(upstream->gw->chat))
		ask_chat(upstream);
}

/* Somebody's first look, also the log's, shall find an answer. */
static void upstream_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct upstream *upstream = w->data;

	(void)ev, (void)events;
	if (upstream->asked_us != 0)
		return;
	refresh(upstream);
	loop_arm(upstream->gw->loop, w, FIRST_LOOK_MS);
}

struct upstream *upstream_new(struct gateway *gw)
{
	struct upstream *upstream = talloc_zero(gw->daemon->ctx, struct upstream);

	upstream->gw = gw;
	loop_timer(&upstream->timer, upstream_on_timer, upstream);
	loop_arm(gw->loop, &upstream->timer, FIRST_LOOK_MS);
	return upstream;
}

void upstream_free(struct upstream *upstream)
{
	loop_disarm(upstream->gw->loop, &upstream->timer);
}

/* Only through store is anything known of the database. */
static const char *database_fault(const struct upstream *upstream, bool store_up)
{
	if (upstream->asked_us == 0)
		return "not known: store has not been asked yet";
	return store_up ? "no answer from the database through store" : "not known: store cannot be asked";
}

static struct dependency link_of(const struct peer *peer, const char *name, const char *no_link, const char *mute)
{
	return (struct dependency){ name, peer_is_up(peer) && !peer_is_mute(peer), peer_is_up(peer) ? mute : no_link };
}

size_t upstream_dependencies(struct upstream *upstream, struct dependency out[DEPENDENCIES_MAX])
{
	refresh(upstream);
	out[0] = link_of(upstream->gw->chat, "chat", "no link to chat",
			 "chat does not answer; has it the same BUS_KEY?");
	out[1] = link_of(upstream->gw->store, "store", "no link to store",
			 "store does not answer; has it the same BUS_KEY?");
	out[2] = (struct dependency){ "database", out[1].up && upstream->database_up,
				      database_fault(upstream, out[1].up) };
	out[3] = (struct dependency){ "sign-ins", revocations_are_known(upstream->gw->revocations),
				      "which sign-ins have ended is not known yet" };
	return 4;
}
