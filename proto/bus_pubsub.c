#include "bus_impl.h"

#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>

#define PUBSUB_QUEUE 4096 /* messages; beyond it nng drops the oldest, and the receiver sees the gap */
#define MAIL_MAX 65536 /* messages waiting for our loop; beyond it new ones are dropped */

struct pub {
	struct sock *sock;
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

static struct pub *pub_open(struct bus *bus, const char *name, const char *address, bool dials, struct err *err)
{
	struct pub *pub = talloc_zero(bus, struct pub);
	nng_socket nng;

	if (nng_pub0_open(&nng) != 0) {
		err_set(err, RC_INTERNAL, "%s: cannot open a socket", name);
		return NULL;
	}
	nng_socket_set_int(nng, NNG_OPT_SENDBUF, PUBSUB_QUEUE);
	pub->sock = sock_add(bus, name, nng, dials, pub);
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

void bus_publish(struct pub *pub, enum msg_id id, const void *body, const char *trace)
{
	struct bus *bus = pub->sock->bus;
	struct envelope env = { .msg = id, .caller = caller_nobody };
	CLEANUP(string_done) UT_string out = { 0 };
	nng_msg *msg = NULL;

	if (trace != NULL)
		strncpy(env.trace, trace, sizeof(env.trace) - 1);
	utstring_init(&out);
	frame_encode(&out, bus->key, &env, body);
	if (utstring_len(&out) > bus->config.message_max) {
		bus->stats.events_dropped++;
		return;
	}
	msg = bus_message(&out);
	if (nng_sendmsg(pub->sock->nng, msg, NNG_FLAG_NONBLOCK) != 0) {
		nng_msg_free(msg);
		bus->stats.events_dropped++;
		return;
	}
	bus->stats.events_sent++;
}

static void event_drop(struct mail *mail)
{
	struct event_mail *event = MAIL_OWNER(mail, struct event_mail, mail);

	nng_msg_free(event->msg);
	free(event);
}

static void event_deliver(struct mail *mail)
{
	struct event_mail *event = MAIL_OWNER(mail, struct event_mail, mail);
	struct sub *sub = event->sub;
	struct bus *bus = sub->sock->bus;
	struct bus_watch *watch = &bus->config.watch;
	struct err err = { 0 };
	struct frame *frame =
		frame_decode(NULL, bus->key, text_of(nng_msg_body(event->msg), nng_msg_len(event->msg)), NULL, &err);

	atomic_fetch_sub(&sub->waiting, 1);
	bus->stats.events_received++;
	bus->stats.events_dropped += atomic_exchange(&sub->dropped, 0);
	if (frame != NULL && sub->dispatch->event[frame->env.msg] == NULL)
		err_set(&err, RC_UNSUPPORTED, "%s is not for this service", msg_info(frame->env.msg)->name);
	if (err.rc != RC_OK) {
		if (watch->refused != NULL)
			watch->refused(watch->arg, sub->sock->name, &err);
	} else {
		sub->dispatch->event[frame->env.msg](sub->service, frame->body, &frame->env);
	}
	talloc_free(frame);
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
	nng_socket_set_int(nng, NNG_OPT_RECVBUF, PUBSUB_QUEUE);
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

bool bus_subscribe_dial(struct bus *bus, const char *name, const char *address, const struct dispatch *dispatch,
			void *service, struct err *err)
{
	return sub_open(bus, name, address, true, dispatch, service, err);
}
