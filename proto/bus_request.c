#include "bus_impl.h"

#include <nng/protocol/reqrep0/req.h>

#define RETRY_S 0.03

/* One REQ context. Between sending and `answer came` it belongs to nng. */
struct request {
	struct peer *peer;
	nng_ctx ctx;
	nng_aio *aio;
	bool opened, receiving;
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

struct peer {
	struct sock *sock;
	int open_n;
	struct request *slots;
	struct request *free;
};

/* nng counts the time of each operation anew: the answer gets what sending has left. */
static void request_set_timeout(struct request *r)
{
	int64_t left_ms = (r->deadline_us - bus_now_us()) / 1000;

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
		request_set_timeout(r);
		nng_ctx_recv(r->ctx, r->aio); /* never earlier: nng issue 1702 */
		return;
	}
	if (r->result == 0)
		r->msg = nng_aio_get_msg(r->aio);
	bus_mail(r->peer->sock->bus, &r->mail);
}

static void request_send(struct request *r)
{
	nng_msg *msg = bus_message(&r->bytes);

	r->receiving = false;
	request_set_timeout(r);
	nng_aio_set_msg(r->aio, msg);
	nng_ctx_send(r->ctx, r->aio);
}

static void request_on_retry(struct ev_loop *ev, ev_timer *w, int events)
{
	struct request *r = w->data;

	(void)events;
	ev_timer_stop(ev, w);
	r->peer->sock->bus->stats.requests_retried++;
	request_send(r);
}

static void request_finish(struct request *r, const struct answer *answer)
{
	struct peer *peer = r->peer;

	if (r->done != NULL)
		r->done(r->arg, answer);
	r->done = NULL;
	peer->sock->bus->stats.requests_open--;
	peer->sock->bus->background_n -= r->background;
	LL_PREPEND(peer->free, r);
}

static void request_failed(struct request *r)
{
	struct bus *bus = r->peer->sock->bus;
	struct answer answer = { 0 };

	r->reached |= r->receiving;
	if (r->result != NNG_ETIMEDOUT && r->result != NNG_ECLOSED && !bus->draining &&
	    bus_now_us() + (int64_t)(RETRY_S * 1e6) < r->deadline_us) {
		ev_timer_set(&r->retry, RETRY_S, 0.);
		ev_timer_start(bus->config.ev, &r->retry);
		return;
	}
	bus->stats.requests_timed_out++;
	err_set(&answer.err, r->reached ? RC_UNKNOWN : RC_UNAVAILABLE, "%s: %s", r->peer->sock->name,
		r->reached ? "no answer in time" : "not reachable");
	request_finish(r, &answer);
}

static void request_deliver(struct mail *mail)
{
	struct request *r = MAIL_OWNER(mail, struct request, mail);
	struct bus *bus = r->peer->sock->bus;
	struct bus_watch *watch = &bus->config.watch;
	struct answer answer = { 0 };
	struct frame *frame;

	if (r->result != 0) {
		request_failed(r);
		return;
	}
	frame = frame_decode(NULL, bus->key, text_of(nng_msg_body(r->msg), nng_msg_len(r->msg)), NULL, &answer.err);
	if (frame == NULL) {
		if (watch->refused != NULL)
			watch->refused(watch->arg, r->peer->sock->name, &answer.err);
	} else if (frame->env.msg != r->id || !frame->env.is_answer) {
		err_set(&answer.err, RC_INTERNAL, "%s: answered something else", r->peer->sock->name);
	} else {
		answer.err = frame->env.err;
		answer.body = frame->body;
	}
	request_finish(r, &answer);
	talloc_free(frame);
	nng_msg_free(r->msg);
	r->msg = NULL;
}

static void refuse_deliver(struct mail *mail)
{
	struct request *r = MAIL_OWNER(mail, struct request, mail);
	struct answer answer = { .err = r->refusal };

	r->peer->sock->bus->stats.requests_open--;
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
	peer->sock->bus->stats.requests_busy++;
	peer->sock->bus->stats.requests_open++;
	bus_mail(peer->sock->bus, &r->mail);
	return r;
}

/* A free context; opened when first needed, so that an idle daemon stays small. NULL when all are in use. */
static struct request *request_take(struct peer *peer)
{
	struct request *r = peer->free;

	if (r != NULL) {
		LL_DELETE(peer->free, r);
		return r;
	}
	if (peer->open_n >= peer->sock->bus->config.inflight_max)
		return NULL;
	r = &peer->slots[peer->open_n];
	if (nng_ctx_open(&r->ctx, peer->sock->nng) != 0 || nng_aio_alloc(&r->aio, request_on_aio, r) != 0)
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
	struct bus *bus = peer->sock->bus;
	struct envelope env = { .msg = msg, .caller = ask->caller, .timeout_ms = ask->timeout_ms };
	struct request *r = request_take(peer);

	if (r == NULL)
		return request_refuse(peer, RC_BUSY, "too many requests in flight", done, arg);
	if (env.caller.user_id.s[0] == '\0')
		env.caller = caller_nobody;
	if (env.timeout_ms <= 0)
		env.timeout_ms = bus->config.timeout_ms;
	if (ask->trace != NULL)
		strncpy(env.trace, ask->trace, sizeof(env.trace) - 1);
	utstring_clear(&r->bytes);
	frame_encode(&r->bytes, bus->key, &env, body);
	if (utstring_len(&r->bytes) > bus->config.message_max) {
		LL_PREPEND(peer->free, r);
		return request_refuse(peer, RC_INVALID, "larger than BUS_MESSAGE_MAX", done, arg);
	}
	r->id = msg;
	r->done = done;
	r->arg = arg;
	r->reached = false;
	r->background = ask->background;
	r->deadline_us = bus_now_us() + env.timeout_ms * 1000;
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

static void peer_stop(struct sock *sock)
{
	struct peer *peer = sock->owner;

	for (int i = 0; i < peer->open_n; i++) {
		struct request *r = &peer->slots[i];

		ev_timer_stop(sock->bus->config.ev, &r->retry);
		nng_aio_stop(r->aio);
		nng_ctx_close(r->ctx);
		nng_aio_free(r->aio);
		if (r->msg != NULL)
			nng_msg_free(r->msg);
		utstring_done(&r->bytes);
	}
}

struct peer *bus_dial(struct bus *bus, const char *name, const char *address, struct err *err)
{
	struct peer *peer = talloc_zero(bus, struct peer);
	nng_socket nng;

	if (nng_req0_open(&nng) != 0) {
		err_set(err, RC_INTERNAL, "%s: cannot open a socket", name);
		return NULL;
	}
	nng_socket_set_ms(nng, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
	peer->sock = sock_add(bus, name, nng, true, peer);
	peer->sock->stop = peer_stop;
	peer->slots = talloc_zero_array(peer, struct request, (unsigned)bus->config.inflight_max);
	return sock_start(peer->sock, address, true, err) ? peer : NULL;
}

bool peer_is_up(const struct peer *peer)
{
	return atomic_load(&peer->sock->pipes) > 0;
}
