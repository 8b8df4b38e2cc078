#include "bus_peer.h"

#include <nng/protocol/reqrep0/req.h>

#include "lag.h"

#define RETRY_S 0.03
#define DOWN_MS 300 /* with several addresses: how long one that is away is waited for before another is tried */
#define PATIENCE_PART 3 /* ... and the part of the default wait after which a silent one is given up for another */
#define MUTE_US 5000000 /* how long one that was silent is asked only when no other is there */

/* One REQ context per link. Between sending and `answer came` they belong to nng. */
struct request {
	struct peer *peer;
	nng_ctx ctx[LINKS_MAX]; /* opened when first needed */
	bool opened[LINKS_MAX];
	int link; /* on which it was sent last */
	int hops; /* links that said: it is elsewhere */
	int64_t timeout_ms, send_until_us, recv_until_us;
	bool patient; /* its asker waits long on purpose */
	elsewhere_fn *elsewhere;
	nng_aio *aio;
	bool receiving;
	int result; /* of the last aio */
	nng_msg *msg; /* the answer */
	UT_string bytes; /* the request, kept for another try */
	enum msg_id id;
	int64_t deadline_us;
	bool reached; /* was handed to a link at least once */
	bool background;
	answer_fn *done;
	void *arg;
	struct mail mail;
	ev_timer retry;
	struct err refusal; /* of a request that never got a context */
	struct request *next; /* in the free list */
};

/* nng counts the time of each operation anew: the answer gets what sending has left. */
static void request_set_timeout(struct request *r, int64_t until_us)
{
	int64_t left_ms = (until_us - bus_now_us()) / 1000;

	nng_aio_set_timeout(r->aio, left_ms > 1 ? (nng_duration)left_ms : 1);
}

/* On an nng thread. */
static void request_on_aio(void *arg)
{
	struct request *r = arg;

	r->result = nng_aio_result(r->aio);
	if (r->result != 0 && !r->receiving)
		nng_msg_free(nng_aio_get_msg(r->aio));
	if (r->result == 0 && !r->receiving) {
		r->receiving = true;
		request_set_timeout(r, r->recv_until_us);
		nng_ctx_recv(r->ctx[r->link], r->aio); /* never earlier: nng issue 1702 */
		return;
	}
	if (r->result == 0)
		r->msg = nng_aio_get_msg(r->aio);
	bus_mail(r->peer->bus, &r->mail);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
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
	int link = r->link;

	if (!r->opened[link] && nng_ctx_open(&r->ctx[link], r->peer->links[link].sock->nng) != 0)
		abort();
	r->opened[link] = true;
	r->receiving = false;
	request_set_timeout(r, r->send_until_us);
	nng_aio_set_msg(r->aio, bus_message(&r->bytes));
	nng_ctx_send(r->ctx[link], r->aio);
}

/* Once more, to this link: whoever had it before may not begin with it any more when its time is over. */
static void request_send_again(struct request *r, int link)
{
	int64_t now = bus_now_us();

	request_aim(r, link, now);
	frame_stamp(&r->bytes, r->peer->bus->key, bus_raw_us(), request_hop_ms(r, now));
	request_send(r);
}

static void request_finish(struct request *r, const struct answer *answer)
{
	struct peer *peer = r->peer;

	if (r->done != NULL)
		r->done(r->arg, answer);
	r->done = NULL;
	peer->bus->stats.requests_open--;
	peer->bus->background_n -= r->background;
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

static void request_on_retry(struct ev_loop *ev, ev_timer *w, int events)
{
	struct request *r = w->data;

	(void)events;
	ev_timer_stop(ev, w);
	if (bus_now_us() >= r->deadline_us) { /* this process stood still meanwhile */
		request_give_up(r);
		return;
	}
	r->peer->bus->stats.requests_retried++;
	request_send_again(r, link_pick(r->peer, r->link));
}

static void request_failed(struct request *r)
{
	struct bus *bus = r->peer->bus;

	r->reached |= r->receiving;
	if (r->result == NNG_ETIMEDOUT && r->receiving)
		r->peer->links[r->link].mute_until_us = bus_now_us() + MUTE_US;
	if ((r->result != NNG_ETIMEDOUT || r->peer->links_n > 1) && r->result != NNG_ECLOSED && !bus->draining &&
	    bus_now_us() + (int64_t)(RETRY_S * 1e6) < r->deadline_us) {
		ev_timer_set(&r->retry, RETRY_S, 0.);
		ev_timer_start(bus->config.ev, &r->retry);
		return;
	}
	request_give_up(r);
}

static void request_deliver(struct mail *mail)
{
	struct request *r = MAIL_OWNER(mail, struct request, mail);
	struct bus *bus = r->peer->bus;
	struct bus_watch *watch = &bus->config.watch;
	struct answer answer = { 0 };
	nng_msg *msg = r->msg;
	struct frame *frame;
	int next, hops = 0;

	if (r->result != 0) {
		request_failed(r);
		return;
	}
	r->msg = NULL;
	frame = frame_decode(NULL, bus->key, text_of(nng_msg_body(msg), nng_msg_len(msg)), NULL, &answer.err);
	if (frame == NULL) {
		if (watch->refused != NULL)
			watch->refused(watch->arg, r->peer->name, &answer.err);
	} else if (frame->env.msg != r->id || !frame->env.is_answer) {
		err_set(&answer.err, RC_INTERNAL, "%s: answered something else", r->peer->name);
	} else {
		r->peer->unanswered = 0;
		if (frame->env.sent_us > 0)
			answer.lag_us = lags_take(r->peer->lags, (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg)),
						  frame->env.sent_us, bus_raw_us());
		answer.err = frame->env.err;
		answer.body = frame->body;
	}
	r->peer->links[r->link].mute_until_us = 0;
	next = answer.body != NULL && r->elsewhere != NULL && r->elsewhere(answer.body)
		       ? link_after(r->peer, r->link, r->hops, &hops)
		       : -1;
	if (next >= 0) {
		r->hops = hops;
		request_send_again(r, next);
	} else {
		request_finish(r, &answer);
	}
	talloc_free(frame);
	nng_msg_free(msg);
}

static void refuse_deliver(struct mail *mail)
{
	struct request *r = MAIL_OWNER(mail, struct request, mail);
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

struct request *request_slots(void *ctx, int n)
{
	return talloc_zero_array(ctx, struct request, (unsigned)n);
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
	r = &peer->slots[peer->open_n];
	if (nng_aio_alloc(&r->aio, request_on_aio, r) != 0)
		abort();
	peer->open_n++;
	r->peer = peer;
	r->mail.deliver = request_deliver;
	utstring_init(&r->bytes);
	ev_init(&r->retry, request_on_retry);
	r->retry.data = r;
	return r;
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
	r->id = msg;
	r->done = done;
	r->arg = arg;
	r->reached = false;
	r->background = ask->background;
	r->timeout_ms = env.timeout_ms;
	r->patient = ask->timeout_ms > bus->config.timeout_ms;
	r->elsewhere = ask->elsewhere;
	r->hops = 0;
	r->deadline_us = now + env.timeout_ms * 1000;
	request_aim(r, link_pick(peer, -1), now);
	env.sent_us = bus_raw_us();
	env.hop_ms = request_hop_ms(r, now);
	utstring_clear(&r->bytes);
	frame_encode(&r->bytes, bus->key, &env, body);
	if (utstring_len(&r->bytes) > bus->config.message_max) {
		LL_PREPEND(peer->free, r);
		return request_refuse(peer, RC_INVALID, "larger than BUS_MESSAGE_MAX", done, arg);
	}
	bus->stats.requests_sent++;
	bus->stats.requests_open++;
	bus->background_n += r->background;
	request_send(r);
	return r;
}

void request_forget(struct request *request)
{
	if (request != NULL)
		request->done = NULL;
}

void peer_stop(struct sock *sock)
{
	struct peer *peer = sock->owner;

	for (int i = 0; i < peer->open_n; i++) {
		struct request *r = &peer->slots[i];

		ev_timer_stop(sock->bus->config.ev, &r->retry);
		nng_aio_stop(r->aio);
		for (int n = 0; n < peer->links_n; n++)
			if (r->opened[n])
				nng_ctx_close(r->ctx[n]);
		nng_aio_free(r->aio);
		if (r->msg != NULL)
			nng_msg_free(r->msg);
		utstring_done(&r->bytes);
	}
}
