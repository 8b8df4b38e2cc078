#include "bus_peer.h"

#include "lag.h"

#define RETRY_US 30000
#define DOWN_MS 300 /* with several addresses: how long one that is away is waited for before another is tried */
#define PATIENCE_PART 3 /* ... and the part of the default wait after which a silent one is given up for another */
#define MUTE_US 5000000 /* how long one that was silent is asked only when no other is there */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void request_wait(struct request *r, enum stage stage, int64_t until_us)
{
	struct ev_loop *ev = r->peer->bus->config.ev;
	int64_t left_us = until_us - bus_now_us();

	r->stage = stage;
	ev_timer_stop(ev, &r->timer);
	ev_timer_set(&r->timer, left_us > 0 ? (double)left_us / 1e6 : 0., 0.);
	ev_timer_start(ev, &r->timer);
}

/* Goes to link next: until when it may take the request, and answer. All the time there is, unless another could be asked. */
static void request_aim(struct request *r, int link, int64_t now)
{
	r->link = link;
	r->recv_until_us = r->deadline_us;
	if (!r->patient && peer_has_another(r->peer, link))
		r->recv_until_us = earlier(r->deadline_us, now + r->timeout_ms * 1000 / PATIENCE_PART);
	r->send_until_us = r->recv_until_us;
	if (r->peer->links_n > 1 && !link_is_up(&r->peer->links[link]))
		r->send_until_us = earlier(r->deadline_us, now + DOWN_MS * 1000);
}

static int64_t request_hop_ms(const struct request *r, int64_t now)
{
	return r->recv_until_us > now ? (r->recv_until_us - now) / 1000 : 0;
}

/* The bytes carry the stamp of this link already. */
static void request_send(struct request *r)
{
	r->turn++;
	request_wait(r, STAGE_QUEUED, r->send_until_us);
	link_queue(&r->peer->links[r->link], r);
}

void request_was_sent(struct request *r)
{
	r->stage = STAGE_SENT;
	r->reached = true;
	if (r->recv_until_us != r->send_until_us)
		request_wait(r, STAGE_SENT, r->recv_until_us);
}

static void request_unqueue(struct request *r)
{
	if (r->stage == STAGE_QUEUED)
		DL_DELETE(r->peer->links[r->link].queue, r);
}

/* Once more, to this link: whoever had it before may not begin with it any more when its time is over. */
static void request_send_again(struct request *r, int link)
{
	int64_t now = bus_now_us();

	request_unqueue(r);
	request_aim(r, link, now);
	frame_stamp(&r->bytes, r->peer->bus->key, bus_raw_us(), request_hop_ms(r, now));
	request_send(r);
}

static void request_finish(struct request *r, const struct answer *answer)
{
	struct peer *peer = r->peer;
	struct bus *bus = peer->bus;

	request_unqueue(r);
	ev_timer_stop(bus->config.ev, &r->timer);
	r->stage = STAGE_FREE;
	if (r->done != NULL)
		r->done(r->arg, answer);
	r->done = NULL;
	bus->stats.requests_open--;
	bus->background_n -= r->background;
	bus->patient_n -= r->background || r->patient;
	LL_PREPEND(peer->free, r);
}

/* No answer in time. */
static void request_give_up(struct request *r)
{
	struct answer answer = { 0 };

	r->peer->bus->stats.requests_timed_out++;
	r->peer->unanswered += r->reached && r->peer->unanswered < MUTE_AFTER;
	err_set(&answer.err, r->reached ? RC_UNKNOWN : RC_UNAVAILABLE, "%s: %s", r->peer->name,
		r->reached ? "no answer in time" : "not reachable");
	request_finish(r, &answer);
}

void request_rest(struct request *r)
{
	int64_t until_us = bus_now_us() + RETRY_US;

	if (r->peer->bus->draining || until_us >= r->deadline_us) {
		request_give_up(r);
		return;
	}
	request_unqueue(r);
	r->turn++;
	r->send_until_us = until_us;
	request_wait(r, STAGE_RESTING, until_us);
}

static void request_try_again(struct request *r, int64_t now)
{
	if (now >= r->deadline_us) { /* this process stood still meanwhile */
		request_give_up(r);
		return;
	}
	r->peer->bus->stats.requests_retried++;
	request_send_again(r, link_pick(r->peer, r->link));
}

static void request_on_time(struct ev_loop *ev, ev_timer *w, int events)
{
	struct request *r = w->data;
	int64_t now = bus_now_us(), until_us = r->stage == STAGE_SENT ? r->recv_until_us : r->send_until_us;

	(void)ev, (void)events;
	if (now < until_us) { /* the loop's clock is that of its last turn, a timer may come early */
		request_wait(r, r->stage, until_us);
	} else if (r->stage == STAGE_RESTING) {
		request_try_again(r, now);
	} else {
		if (r->stage == STAGE_SENT || link_is_up(&r->peer->links[r->link]))
			r->peer->links[r->link].mute_until_us = now + MUTE_US;
		if (r->peer->links_n > 1)
			request_rest(r);
		else
			request_give_up(r);
	}
}

/* What the frame says, into *answer; NULL when it is no answer to this request, and then *answer says so. */
static struct frame *request_read(struct request *r, struct text bytes, uint32_t pipe, struct answer *answer)
{
	struct peer *peer = r->peer;
	struct bus_watch *watch = &peer->bus->config.watch;
	struct frame *frame = frame_decode(NULL, peer->bus->key, bytes, NULL, &answer->err);

	if (frame == NULL) {
		if (watch->refused != NULL)
			watch->refused(watch->arg, peer->name, &answer->err);
		return NULL;
	}
	if (frame->env.msg != r->id || !frame->env.is_answer) {
		err_set(&answer->err, RC_INTERNAL, "%s: answered something else", peer->name);
		talloc_free(frame);
		return NULL;
	}
	peer->unanswered = 0;
	if (frame->env.sent_us > 0)
		answer->lag_us = lags_take(peer->lags, pipe, frame->env.sent_us, bus_raw_us());
	answer->err = frame->env.err;
	answer->body = frame->body;
	return frame;
}

void request_was_answered(struct request *r, struct text bytes, uint32_t pipe)
{
	struct peer *peer = r->peer;
	struct answer answer = { 0 };
	struct frame *frame = request_read(r, bytes, pipe, &answer);
	int next = -1, hops = 0;

	peer->links[r->link].mute_until_us = 0;
	if (answer.body != NULL && r->elsewhere != NULL && r->elsewhere(answer.body))
		next = link_after(peer, r->link, r->hops, &hops);
	if (next >= 0) {
		r->hops = hops;
		request_send_again(r, next);
	} else {
		request_finish(r, &answer);
	}
	talloc_free(frame);
}

static void refuse_deliver(struct mail *mail)
{
	struct request *r = BUS_OWNER(mail, struct request, mail);
	struct answer answer = { .err = r->refusal };

	r->peer->bus->stats.requests_open--;
	if (r->done != NULL)
		r->done(r->arg, &answer);
	talloc_free(r);
}

/* A request that cannot be sent still answers later, through the loop. */
static struct request *request_refuse(struct peer *peer, enum rc rc, const char *why, answer_fn *done, void *arg)
{
	struct request *r = talloc_zero(peer, struct request);

	err_set(&r->refusal, rc, "%s", why);
	r->peer = peer;
	r->done = done;
	r->arg = arg;
	r->mail.deliver = refuse_deliver;
	peer->bus->stats.requests_busy++;
	peer->bus->stats.requests_open++;
	bus_mail(peer->bus, &r->mail);
	return r;
}

/* A free slot; made when first needed, so that an idle daemon stays small. NULL when all are in use. */
static struct request *request_take(struct peer *peer)
{
	struct request *r = peer->free;

	if (r != NULL) {
		LL_DELETE(peer->free, r);
		return r;
	}
	if (peer->open_n >= peer->bus->config.inflight_max)
		return NULL;
	r = &peer->slots[peer->open_n++];
	r->peer = peer;
	utstring_init(&r->bytes);
	ev_init(&r->timer, request_on_time);
	r->timer.data = r;
	return r;
}

/* The request as it is when nothing has happened to it yet. */
static void request_begin(struct request *r, const struct ask *ask, int64_t timeout_ms, int64_t now)
{
	struct peer *peer = r->peer;

	r->reached = false;
	r->background = ask->background;
	r->timeout_ms = timeout_ms;
	r->patient = timeout_ms > peer->bus->config.timeout_ms;
	r->elsewhere = ask->elsewhere;
	r->hops = 0;
	r->deadline_us = now + timeout_ms * 1000;
	request_aim(r, link_pick(peer, -1), now);
}

struct request *bus_request(struct peer *peer, enum msg_id msg, const void *body, const struct ask *ask,
			    answer_fn *done, void *arg)
{
	struct bus *bus = peer->bus;
	struct envelope env = { .msg = msg, .caller = ask->caller, .timeout_ms = ask->timeout_ms };
	struct request *r = request_take(peer);
	int64_t now = bus_now_us();

	if (r == NULL)
		return request_refuse(peer, RC_BUSY, "too many requests in flight", done, arg);
	if (env.caller.user_id.s[0] == '\0')
		env.caller = caller_nobody;
	if (env.timeout_ms <= 0)
		env.timeout_ms = bus->config.timeout_ms;
	if (ask->trace != NULL)
		strncpy(env.trace, ask->trace, sizeof(env.trace) - 1);
	request_begin(r, ask, env.timeout_ms, now);
	env.sent_us = bus_raw_us();
	env.hop_ms = request_hop_ms(r, now);
	utstring_clear(&r->bytes);
	frame_encode(&r->bytes, bus->key, &env, body);
	if (utstring_len(&r->bytes) > bus->config.message_max) {
		LL_PREPEND(peer->free, r);
		return request_refuse(peer, RC_INVALID, "larger than BUS_MESSAGE_MAX", done, arg);
	}
	r->id = msg;
	r->done = done;
	r->arg = arg;
	bus->stats.requests_sent++;
	bus->stats.requests_open++;
	bus->background_n += r->background;
	bus->patient_n += r->background || r->patient;
	request_send(r);
	return r;
}

void request_forget(struct request *request)
{
	if (request != NULL)
		request->done = NULL;
}

void peer_stop(struct peer *peer)
{
	for (int i = 0; i < peer->open_n; i++) {
		ev_timer_stop(peer->bus->config.ev, &peer->slots[i].timer);
		utstring_done(&peer->slots[i].bytes);
	}
}
