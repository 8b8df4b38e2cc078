#include "bus_batch.h"
#include "bus_impl.h"

#include <arpa/inet.h>

#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>

#define MAIL_MAX 65536 /* messages waiting for our loop; beyond it new ones are dropped */

/*
 * Publications of one turn of the loop travel as one nng message, because a
 * message costs thread wake-ups on both sides and a frame in it nearly
 * nothing: length (u32, big endian) | frame | length | frame ...
 */
struct pub {
	struct sock *sock;
	UT_string batch;
	unsigned frames; /* in batch */
	struct outbox box;
};

struct sub {
	struct sock *sock;
	nng_aio *aio;
	const struct dispatch *dispatch;
	void *service;
	atomic_int waiting;
	atomic_ulong dropped;
};

struct event_mail {
	struct mail mail;
	struct sub *sub;
	nng_msg *msg;
};

/* Sends what was collected. */
static void batch_send(struct pub *pub)
{
	struct bus_stats *stats = &pub->sock->bus->stats;
	nng_msg *msg;

	if (pub->frames == 0)
		return;
	msg = bus_message(&pub->batch);
	if (nng_sendmsg(pub->sock->nng, msg, NNG_FLAG_NONBLOCK) == 0) {
		stats->events_sent += pub->frames;
	} else {
		nng_msg_free(msg);
		stats->events_dropped += pub->frames;
	}
	utstring_clear(&pub->batch);
	pub->frames = 0;
	outbox_remove(pub->sock->bus, &pub->box);
}

static bool pub_on_send(struct outbox *box)
{
	batch_send(BUS_OWNER(box, struct pub, box));
	return true;
}

static void pub_stop(struct sock *sock)
{
	struct pub *pub = sock->owner;

	batch_send(pub);
	utstring_done(&pub->batch);
}

static struct pub *pub_open(struct bus *bus, const char *name, const char *address, bool dials, struct err *err)
{
	struct pub *pub = talloc_zero(bus, struct pub);
	nng_socket nng;

	if (nng_pub0_open(&nng) != 0) {
		err_set(err, RC_INTERNAL, "%s: cannot open a socket", name);
		return NULL;
	}
	nng_socket_set_int(nng, NNG_OPT_SENDBUF, bus->config.event_queue);
	utstring_init(&pub->batch);
	pub->box.send = pub_on_send;
	pub->sock = sock_add(bus, name, nng, dials, pub);
	pub->sock->stop = pub_stop;
	return sock_start(pub->sock, address, false, err) ? pub : NULL;
}

struct pub *bus_publish_listen(struct bus *bus, const char *name, const char *address, struct err *err)
{
	return pub_open(bus, name, address, false, err);
}

struct pub *bus_publish_dial(struct bus *bus, const char *name, const char *address, struct err *err)
{
	return pub_open(bus, name, address, true, err);
}

/* Appends a frame behind its length; false when it is too large. */
static bool batch_add(struct pub *pub, const struct envelope *env, const void *body)
{
	struct bus *bus = pub->sock->bus;
	size_t start = utstring_len(&pub->batch), size;
	uint32_t length = 0;

	utstring_bincpy(&pub->batch, &length, sizeof(length));
	frame_encode(&pub->batch, bus->key, env, body);
	size = utstring_len(&pub->batch) - start - sizeof(length);
	if (size > bus->config.message_max) {
		pub->batch.i = start;
		pub->batch.d[start] = '\0';
		return false;
	}
	length = htonl((uint32_t)size);
	memcpy(utstring_body(&pub->batch) + start, &length, sizeof(length));
	pub->frames++;
	return true;
}

void bus_publish(struct pub *pub, enum msg_id id, const void *body, const char *trace)
{
	struct bus *bus = pub->sock->bus;
	struct envelope env = { .msg = id, .caller = caller_nobody };

	if (trace != NULL)
		strncpy(env.trace, trace, sizeof(env.trace) - 1);
	if (!batch_add(pub, &env, body)) {
		bus->stats.events_dropped++;
		return;
	}
	if (utstring_len(&pub->batch) >= BATCH_FULL)
		batch_send(pub);
	else
		outbox_add(bus, &pub->box);
}

static void event_drop(struct mail *mail)
{
	struct event_mail *event = BUS_OWNER(mail, struct event_mail, mail);

	nng_msg_free(event->msg);
	free(event);
}

/* False: it is not from the suite, so what follows in its batch is not looked at. */
static bool frame_deliver(struct sub *sub, struct text bytes)
{
	struct bus *bus = sub->sock->bus;
	struct bus_watch *watch = &bus->config.watch;
	struct err err = { 0 };
	struct frame *frame = frame_decode(NULL, bus->key, bytes, NULL, &err);

	bus->stats.events_received++;
	if (frame != NULL && sub->dispatch->event[frame->env.msg] == NULL)
		err_set(&err, RC_UNSUPPORTED, "%s is not for this service", msg_info(frame->env.msg)->name);
	if (frame == NULL || err.rc != RC_OK) {
		if (watch->refused != NULL)
			watch->refused(watch->arg, sub->sock->name, &err);
	} else {
		sub->dispatch->event[frame->env.msg](sub->service, frame->body, &frame->env);
	}
	talloc_free(frame);
	return err.rc != RC_UNAUTHORIZED;
}

/* The next frame of a batch; what does not add up is handed on as it is, and refused by its MAC. */
static struct text batch_take(struct text *rest)
{
	struct text frame = *rest;
	uint32_t length = 0;

	if (rest->len >= sizeof(length)) {
		memcpy(&length, rest->p, sizeof(length));
		length = ntohl(length);
		if (length <= rest->len - sizeof(length))
			frame = text_of(rest->p + sizeof(length), length);
	}
	rest->len -= (size_t)(frame.p + frame.len - rest->p);
	rest->p = frame.p + frame.len;
	return frame;
}

static void event_deliver(struct mail *mail)
{
	struct event_mail *event = BUS_OWNER(mail, struct event_mail, mail);
	struct sub *sub = event->sub;
	struct text rest = text_of(nng_msg_body(event->msg), nng_msg_len(event->msg));

	atomic_fetch_sub(&sub->waiting, 1);
	sub->sock->bus->stats.events_dropped += atomic_exchange(&sub->dropped, 0);
	while (frame_deliver(sub, batch_take(&rest)) && rest.len > 0)
		;
	nng_msg_free(event->msg);
	free(event);
}

/* On an nng thread. */
static void sub_on_aio(void *arg)
{
	struct sub *sub = arg;
	int rv = nng_aio_result(sub->aio);
	struct event_mail *event;
	nng_msg *msg;

	if (rv == NNG_ECLOSED || rv == NNG_ECANCELED)
		return;
	if (rv == 0) {
		msg = nng_aio_get_msg(sub->aio);
		if (atomic_fetch_add(&sub->waiting, 1) >= MAIL_MAX) {
			atomic_fetch_sub(&sub->waiting, 1);
			atomic_fetch_add(&sub->dropped, 1);
			nng_msg_free(msg);
		} else {
			event = malloc(sizeof(*event));
			if (event == NULL)
				abort();
			*event = (struct event_mail){ { event_deliver, NULL, event_drop }, sub, msg };
			bus_mail(sub->sock->bus, &event->mail);
		}
	}
	nng_recv_aio(sub->sock->nng, sub->aio);
}

static void sub_stop(struct sock *sock)
{
	struct sub *sub = sock->owner;

	nng_aio_stop(sub->aio);
	nng_aio_free(sub->aio);
}

static bool sub_open(struct bus *bus, const char *name, const char *address, bool dials,
		     const struct dispatch *dispatch, void *service, struct err *err)
{
	struct sub *sub = talloc_zero(bus, struct sub);
	nng_socket nng;

	if (nng_sub0_open(&nng) != 0)
		return err_set(err, RC_INTERNAL, "%s: cannot open a socket", name);
	nng_socket_set_int(nng, NNG_OPT_RECVBUF, bus->config.event_queue);
	nng_socket_set(nng, NNG_OPT_SUB_SUBSCRIBE, "", 0);
	sub->sock = sock_add(bus, name, nng, dials, sub);
	sub->sock->stop = sub_stop;
	sub->dispatch = dispatch;
	sub->service = service;
	if (nng_aio_alloc(&sub->aio, sub_on_aio, sub) != 0)
		return err_set(err, RC_INTERNAL, "%s: cannot receive", name);
	if (!sock_start(sub->sock, address, false, err))
		return false;
	nng_recv_aio(nng, sub->aio);
	return true;
}

bool bus_subscribe_listen(struct bus *bus, const char *name, const char *address, const struct dispatch *dispatch,
			  void *service, struct err *err)
{
	return sub_open(bus, name, address, false, dispatch, service, err);
}

bool bus_subscribe_dial(struct bus *bus, const char *name, const char *addresses, const struct dispatch *dispatch,
			void *service, struct err *err)
{
	char *one;

	while ((one = bus_address_next(bus, &addresses)) != NULL)
		if (!sub_open(bus, name, one, true, dispatch, service, err))
			return false;
	return true;
}
