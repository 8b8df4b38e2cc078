#include "bus_impl.h"

#include <nng/protocol/reqrep0/req.h>

#define RETRY_S 0.03
#define LINKS_MAX 8 /* addresses of one peer */
#define DOWN_MS 300 /* with several addresses: how long one that is away is waited for before another is tried */
#define PATIENCE_PART 3 /* ... and the part of the default wait after which a silent one is given up for another */
#define MUTE_US 5000000 /* how long one that was silent is asked only when no other is there */
#define MUTE_AFTER 2 /* requests in a row without an answer */

/* One REQ context per link. Between sending and `answer came` they belong to nng. */
struct request {
	struct peer *peer;
	nng_ctx ctx[LINKS_MAX]; /* opened when first needed */
	bool opened[LINKS_MAX];
	int link; /* on which it was sent last */
	int hops; /* links that said: it is elsewhere */
	int64_t timeout_ms, recv_until_us;
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

struct link {
	struct sock *sock;
	int64_t mute_until_us; /* it did not answer lately */
};

struct peer {
	struct bus *bus;
	char *name;
	struct link links[LINKS_MAX];
	int links_n;
	int next; /* whose turn it is */
	int open_n;
	int unanswered; /* requests that reached it since its last answer */
	struct request *slots;
	struct request *free;
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

static bool link_is_up(const struct link *link)
{
	return atomic_load(&link->sock->pipes) > 0;
}

/* The next link that is there and answers; else one that is there; else the next. Not the one before, if possible. */
static int link_pick(struct peer *peer, int before)
{
	int64_t now = peer->links_n > 1 ? bus_now_us() : 0;
	int best = peer->next % peer->links_n, best_points = -1;

	for (int i = 0; i < peer->links_n; i++) {
		int n = (peer->next + i) % peer->links_n;
		const struct link *link = &peer->links[n];
		int points = 4 * link_is_up(link) + 2 * (link->mute_until_us <= now) + (n != before);

		if (points > best_points)
			best = n, best_points = points;
	}
	peer->next = best + 1;
	return best;
}

/* The link behind this one that is there; -1: none is left that was not asked. */
static int link_after(const struct request *r, int *hops_out)
{
	const struct peer *peer = r->peer;

	for (*hops_out = r->hops + 1; *hops_out < peer->links_n; (*hops_out)++) {
		int n = (r->link + *hops_out - r->hops) % peer->links_n;

		if (link_is_up(&peer->links[n]))
			return n;
	}
	return -1;
}

static bool another_is_up(const struct peer *peer, int but)
{
	for (int n = 0; n < peer->links_n; n++)
		if (n != but && link_is_up(&peer->links[n]))
			return true;
	return false;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until when this link may take the request, and (recv_until_us) answer: all the time there is, unless another could be asked. */
static int64_t link_until_us(struct request *r)
{
	int64_t now = bus_now_us();

	r->recv_until_us = r->deadline_us;
	if (!r->patient && another_is_up(r->peer, r->link))
		r->recv_until_us = earlier(r->deadline_us, now + r->timeout_ms * 1000 / PATIENCE_PART);
	if (r->peer->links_n > 1 && !link_is_up(&r->peer->links[r->link]))
		return earlier(r->deadline_us, now + DOWN_MS * 1000);
	return r->recv_until_us;
}

static void request_send_to(struct request *r, int link)
{
	nng_msg *msg = bus_message(&r->bytes);

	r->link = link;
	if (!r->opened[link] && nng_ctx_open(&r->ctx[link], r->peer->links[link].sock->nng) != 0)
		abort();
	r->opened[link] = true;
	r->receiving = false;
	request_set_timeout(r, link_until_us(r));
	nng_aio_set_msg(r->aio, msg);
	nng_ctx_send(r->ctx[link], r->aio);
}

static void request_on_retry(struct ev_loop *ev, ev_timer *w, int events)
{
	struct request *r = w->data;

	(void)events;
	ev_timer_stop(ev, w);
	r->peer->bus->stats.requests_retried++;
	request_send_to(r, link_pick(r->peer, r->link));
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

static void request_failed(struct request *r)
{
	struct bus *bus = r->peer->bus;
	struct answer answer = { 0 };

	r->reached |= r->receiving;
	if (r->result == NNG_ETIMEDOUT && r->receiving)
		r->peer->links[r->link].mute_until_us = bus_now_us() + MUTE_US;
	if ((r->result != NNG_ETIMEDOUT || r->peer->links_n > 1) && r->result != NNG_ECLOSED && !bus->draining &&
	    bus_now_us() + (int64_t)(RETRY_S * 1e6) < r->deadline_us) {
		ev_timer_set(&r->retry, RETRY_S, 0.);
		ev_timer_start(bus->config.ev, &r->retry);
		return;
	}
	bus->stats.requests_timed_out++;
	r->peer->unanswered += r->reached && r->peer->unanswered < MUTE_AFTER;
	err_set(&answer.err, r->reached ? RC_UNKNOWN : RC_UNAVAILABLE, "%s: %s", r->peer->name,
		r->reached ? "no answer in time" : "not reachable");
	request_finish(r, &answer);
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
		answer.err = frame->env.err;
		answer.body = frame->body;
	}
	r->peer->links[r->link].mute_until_us = 0;
	next = answer.body != NULL && r->elsewhere != NULL && r->elsewhere(answer.body) ? link_after(r, &hops) : -1;
	if (next >= 0) {
		r->hops = hops;
		request_send_to(r, next);
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
	r->timeout_ms = env.timeout_ms;
	r->patient = ask->timeout_ms > bus->config.timeout_ms;
	r->elsewhere = ask->elsewhere;
	r->hops = 0;
	r->deadline_us = bus_now_us() + env.timeout_ms * 1000;
	bus->stats.requests_sent++;
	bus->stats.requests_open++;
	bus->background_n += r->background;
	request_send_to(r, link_pick(peer, -1));
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
		for (int n = 0; n < peer->links_n; n++)
			if (r->opened[n])
				nng_ctx_close(r->ctx[n]);
		nng_aio_free(r->aio);
		if (r->msg != NULL)
			nng_msg_free(r->msg);
		utstring_done(&r->bytes);
	}
}

/* One more address; the first one's socket ends the requests of all. */
static bool peer_dial(struct peer *peer, const char *address, struct err *err)
{
	struct link *link = &peer->links[peer->links_n];
	const char *name = peer->name;
	nng_socket nng;

	if (nng_req0_open(&nng) != 0)
		return err_set(err, RC_INTERNAL, "%s: cannot open a socket", peer->name);
	nng_socket_set_ms(nng, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
	if (peer->links_n > 0)
		name = talloc_asprintf(peer, "%s-%d", peer->name, peer->links_n + 1);
	link->sock = sock_add(peer->bus, name, nng, true, peer);
	if (peer->links_n++ == 0)
		link->sock->stop = peer_stop;
	return sock_start(link->sock, address, true, err);
}

struct peer *bus_dial(struct bus *bus, const char *name, const char *addresses, struct err *err)
{
	struct peer *peer = talloc_zero(bus, struct peer);
	char *one;

	peer->bus = bus;
	peer->name = talloc_strdup(peer, name);
	peer->slots = talloc_zero_array(peer, struct request, (unsigned)bus->config.inflight_max);
	while ((one = bus_address_next(peer, &addresses)) != NULL) {
		if (peer->links_n == LINKS_MAX) {
			err_field(err, RC_INVALID, name, "%s: at most %d addresses were expected", name, LINKS_MAX);
			return NULL;
		}
		if (!peer_dial(peer, one, err))
			return NULL;
	}
	return peer->links_n > 0 ? peer : NULL;
}

bool peer_is_up(const struct peer *peer)
{
	for (int n = 0; n < peer->links_n; n++)
		if (link_is_up(&peer->links[n]))
			return true;
	return false;
}

int peer_instances(const struct peer *peer)
{
	return peer->links_n;
}

bool peer_is_mute(const struct peer *peer)
{
	return peer_is_up(peer) && peer->unanswered >= MUTE_AFTER;
}
