/*
 * Serving. nng's reply socket is used raw: what it hands over are batches of
 * requests (bus_batch.h), of which as many are begun as there are slots; what
 * it is given are batches of the answers that are ready (bus_asker.c).
 */
#include "bus_asker.h"
#include "bus_batch.h"

#include <stdarg.h>
#include <stdio.h>

#include <nng/protocol/reqrep0/rep.h>

#include "lag.h"

#define SEND_QUEUE 64

struct server;

/* One request that is served: a slot. */
struct call {
	struct server *server;
	struct call *next; /* in the list of free ones */
	uint64_t number; /* the asker's, for the answer */
	uint32_t single; /* not of a batch: SP's header for the answer. 0: of a batch */
	struct asker *asker; /* NULL: its connection has ended */
	uint32_t pipe;
	bool open, patient;
	struct frame *frame;
	struct envelope env;
	void *work; /* talloc context of the call */
	void *note; /* the watch's */
	int64_t since_us;
};

/* A message whose requests are not all begun yet. */
struct arrival {
	nng_msg *msg;
	uint32_t pipe;
	struct asker *asker;
	struct text rest;
	uint32_t single; /* as in struct call */
	bool aside; /* it waits for its asker, and does not count as waiting for us */
	struct arrival *prev, *next;
};

struct server {
	struct sock *sock;
	const struct dispatch *dispatch;
	void *service;
	struct lags *lags; /* of its askers */
	struct inbox inbox;
	struct arrival *arrivals;
	bool feeding, feed_mailed;
	struct mail feed_mail;
	struct askers askers;
	int slots_n, used_n, open_n; /* slots; of them ever used; open now */
	struct call *slots, *free;
};

/* ---- answering ---------------------------------------------------------------- */

static struct bus *call_bus(const struct call *call)
{
	return call->server->sock->bus;
}

static void server_feed_later(struct server *server)
{
	if (server->arrivals == NULL || server->feeding || server->feed_mailed)
		return;
	server->feed_mailed = true;
	bus_mail(server->sock->bus, &server->feed_mail);
}

static void server_on_room(struct askers *askers)
{
	server_feed_later(BUS_OWNER(askers, struct server, askers));
}

/* Ends the serving of a call: tells the watch, frees all. What waits for its slot begins later, not within its answer. */
static void call_end(struct call *call, enum rc rc)
{
	struct server *server = call->server;
	struct bus *bus = call_bus(call);
	struct bus_watch *watch = &bus->config.watch;

	if (watch->served != NULL)
		watch->served(watch->arg, call, rc, call_age_us(call));
	bus->stats.calls_open--;
	bus->patient_n -= call->patient;
	server->open_n--;
	call->open = false;
	talloc_free(call->work);
	call->work = NULL;
	call->frame = NULL;
	LL_PREPEND(server->free, call);
	server_feed_later(server);
}

/* Appends the answer; when it is too large, one that says so. Returns its code. */
static enum rc answer_encode(struct bus *bus, UT_string *out, struct envelope *env, const void *ans)
{
	size_t start = utstring_len(out);

	frame_encode(out, bus->key, env, ans);
	if (utstring_len(out) - start > bus->config.message_max) {
		out->i = start;
		env->err = (struct err){ .rc = RC_INTERNAL, .message = "the answer is larger than BUS_MESSAGE_MAX" };
		frame_encode(out, bus->key, env, NULL);
	}
	return env->err.rc;
}

static void call_reply(struct call *call, const struct err *err, const void *ans)
{
	struct bus *bus = call_bus(call);
	struct envelope env = { .msg = call->env.msg, .is_answer = true, .sent_us = bus_raw_us(), .err = *err };
	enum rc rc = err->rc;

	if (call->asker != NULL) {
		rc = answer_encode(bus, asker_answer(call->asker, call->number, call->single), &env, ans);
		asker_answer_end(call->asker, !bus->draining || rc != RC_BUSY);
	}
	call_end(call, rc);
}

void call_answer(struct call *call, const void *ans)
{
	call_reply(call, &(struct err){ .rc = RC_OK }, ans);
}

void call_refuse(struct call *call, const struct err *err)
{
	call_reply(call, err, NULL);
}

void call_fail(struct call *call, enum rc rc, const char *field, const char *fmt, ...)
{
	struct err err = { .rc = rc };
	va_list args;

	va_start(args, fmt);
	vsnprintf(err.message, sizeof(err.message), fmt, args);
	va_end(args);
	if (field != NULL)
		snprintf(err.field, sizeof(err.field), "%s", field);
	call_reply(call, &err, NULL);
}

/* It counts from when it was sent. What waited in the sockets of a stopped process is older than when it was read. */
static void call_take_lag(struct call *call)
{
	if (call->env.sent_us > 0)
		call->since_us -= lags_take(call->server->lags, call->pipe, call->env.sent_us, bus_raw_us());
}

/* Its asker has turned to another instance: what is asked here may have been overtaken there. */
static bool call_is_late(const struct call *call)
{
	return call->env.sent_us > 0 && call_age_us(call) > call->env.hop_ms * 1000;
}

static void call_dispatch(struct call *call)
{
	struct server *server = call->server;
	call_fn *handler = server->dispatch->call[call->env.msg];
	enum rc rc;

	if (call_is_late(call)) {
		call_fail(call, RC_BUSY, NULL, "came too late");
		return;
	}
	if (server->sock->bus->draining) {
		call_fail(call, RC_BUSY, NULL, "shutting down");
		return;
	}
	if (handler == NULL) {
		call_fail(call, RC_UNSUPPORTED, NULL, "%s is not for this service", msg_info(call->env.msg)->name);
		return;
	}
	rc = handler(server->service, call->frame->body, call);
	/* RC_OK: answered already. Any other code but RC_PENDING: the refusal is still to be said. */
	if (rc != RC_OK && rc != RC_PENDING)
		call_fail(call, rc, NULL, "%s", rc_name(rc));
}

/* A request out of a message; the bytes die with the message, so the call keeps its own. */
static void call_begin(struct call *call, struct text bytes)
{
	struct bus *bus = call_bus(call);
	struct bus_watch *watch = &bus->config.watch;
	struct err err = { 0 };

	bus->stats.calls_served++;
	bus->stats.calls_open++;
	call->server->open_n++;
	call->open = true;
	call->patient = false;
	call->note = NULL;
	call->since_us = bus_now_us();
	call->work = talloc_new(NULL);
	call->env = (struct envelope){ 0 };
	bytes.p = talloc_memdup(call->work, bytes.p, bytes.len);
	call->frame = frame_decode(call->work, bus->key, bytes, &call->env, &err);
	if (call->frame != NULL && !call->env.is_answer && !msg_info(call->env.msg)->is_event) {
		call->patient = call->env.timeout_ms > bus->config.timeout_ms;
		bus->patient_n += call->patient;
		call_take_lag(call);
		asker_greet(call->asker);
		if (watch->begun != NULL)
			watch->begun(watch->arg, call);
		call_dispatch(call);
		return;
	}
	if (call->frame != NULL)
		err_set(&err, RC_INVALID, "not a request");
	bus->stats.calls_refused++;
	if (watch->refused != NULL)
		watch->refused(watch->arg, call->server->sock->name, &err);
	if (call->env.msg == MSG_NONE || msg_info(call->env.msg)->is_event)
		call_end(call, err.rc); /* no name to answer under: silence, as to any stranger */
	else
		call_refuse(call, &err);
}

/* ---- what comes ------------------------------------------------------------------ */

static struct call *call_take(struct server *server)
{
	struct call *call = server->free;

	if (call == NULL)
		return &server->slots[server->used_n++];
	LL_DELETE(server->free, call);
	return call;
}

static void arrival_end(struct server *server, struct arrival *arrival)
{
	DL_DELETE(server->arrivals, arrival);
	if (!arrival->aside)
		inbox_taken(&server->inbox);
	nng_msg_free(arrival->msg);
	talloc_free(arrival);
}

/* The next request of a message; false at its end. */
static bool arrival_next(struct arrival *arrival, uint64_t *number, struct text *frame)
{
	if (arrival->single == 0)
		return batch_next(&arrival->rest, number, frame);
	*frame = arrival->rest;
	arrival->rest.len = 0;
	return frame->len > 0;
}

/*
 * The first one whose asker may be served; NULL: none. What the others have sent
 * must not keep the inbox shut: their word that they have taken something comes
 * through it. How much it can be is bounded by what they may have in flight.
 */
static struct arrival *arrival_pick(struct server *server)
{
	struct arrival *arrival;

	DL_FOREACH (server->arrivals, arrival) {
		if (!asker_is_full(arrival->asker))
			return arrival;
		if (!arrival->aside)
			inbox_taken(&server->inbox);
		arrival->aside = true;
	}
	return NULL;
}

/* Begins what has come, as far as there are slots, one of each message in turn. Called again when one is free. */
static void server_feed(struct server *server)
{
	struct arrival *arrival;
	struct text frame;
	uint64_t number = 0;

	server->feeding = true;
	while (server->open_n < server->slots_n && (arrival = arrival_pick(server)) != NULL) {
		if (arrival_next(arrival, &number, &frame)) {
			struct call *call = call_take(server);

			DL_DELETE(server->arrivals, arrival);
			DL_APPEND(server->arrivals, arrival);
			call->server = server;
			call->asker = arrival->asker;
			call->pipe = arrival->pipe;
			call->number = number;
			call->single = arrival->single;
			call_begin(call, frame);
		} else {
			arrival_end(server, arrival);
		}
	}
	server->feeding = false;
}

static void feed_deliver(struct mail *mail)
{
	struct server *server = BUS_OWNER(mail, struct server, feed_mail);

	server->feed_mailed = false;
	server_feed(server);
}

static void server_take(struct inbox *inbox, nng_msg *msg)
{
	struct server *server = BUS_OWNER(inbox, struct server, inbox);
	uint32_t number, pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg));
	struct asker *asker = asker_of(&server->askers, pipe);
	struct arrival *arrival;

	if (asker == NULL) {
		nng_msg_free(msg);
		inbox_taken(inbox);
		return;
	}
	arrival = talloc_zero(server, struct arrival);
	arrival->msg = msg;
	arrival->pipe = pipe;
	arrival->asker = asker;
	arrival->rest = text_of(nng_msg_body(msg), nng_msg_len(msg));
	if (batch_open(arrival->rest, &number, &arrival->rest))
		asker_told(asker, number);
	else
		nng_msg_header_chop_u32(msg, &arrival->single);
	DL_APPEND(server->arrivals, arrival);
	if (arrival->rest.len > 0)
		server_feed(server);
	else
		arrival_end(server, arrival); /* it only told something */
}

static void call_lose(struct call *call)
{
	const struct server *server = call->server;

	call->asker = NULL;
	if (server->dispatch->gone != NULL)
		server->dispatch->gone(server->service, call);
}

static void server_on_gone(struct sock *sock, uint32_t pipe)
{
	struct server *server = sock->owner;
	struct arrival *arrival, *next;

	lags_forget(server->lags, pipe);
	DL_FOREACH_SAFE (server->arrivals, arrival, next)
		if (arrival->pipe == pipe)
			arrival_end(server, arrival);
	for (int i = 0; i < server->used_n; i++)
		if (server->slots[i].open && server->slots[i].pipe == pipe)
			call_lose(&server->slots[i]); /* whoever hears of it may answer others of the same asker */
	asker_lost(&server->askers, pipe);
}

static void server_stop(struct sock *sock)
{
	struct server *server = sock->owner;

	inbox_stop(&server->inbox);
	while (server->arrivals != NULL) {
		nng_msg_free(server->arrivals->msg);
		DL_DELETE(server->arrivals, server->arrivals);
	}
	askers_end(&server->askers);
	for (int i = 0; i < server->used_n; i++)
		talloc_free(server->slots[i].work);
}

bool bus_serve(struct bus *bus, const char *name, const char *address, const struct dispatch *dispatch, void *service,
	       struct err *err)
{
	struct server *server;
	nng_socket nng;

	if (nng_rep0_open_raw(&nng) != 0)
		return err_set(err, RC_INTERNAL, "%s: cannot open a socket", name);
	nng_socket_set_int(nng, NNG_OPT_SENDBUF, SEND_QUEUE);
	server = talloc_zero(bus, struct server);
	server->sock = sock_add(bus, name, nng, false, server);
	server->sock->on_gone = server_on_gone;
	server->sock->stop = server_stop;
	server->dispatch = dispatch;
	server->service = service;
	server->askers.bus = bus;
	server->askers.nng = nng;
	server->askers.on_room = server_on_room;
	server->feed_mail.deliver = feed_deliver;
	server->lags = lags_new(server);
	server->slots_n = bus->config.inflight_max;
	server->slots = talloc_zero_array(server, struct call, (unsigned)server->slots_n);
	inbox_open(&server->inbox, bus, nng, server_take);
	return sock_start(server->sock, address, true, err);
}

const struct caller *call_caller(const struct call *call)
{
	return &call->env.caller;
}

const char *call_trace(const struct call *call)
{
	return call->env.trace;
}

void call_set_note(struct call *call, void *note)
{
	call->note = note;
}

void *call_note(const struct call *call)
{
	return call->note;
}

void call_set_trace(struct call *call, const char *traceparent)
{
	snprintf(call->env.trace, sizeof(call->env.trace), "%s", traceparent);
}

enum msg_id call_msg(const struct call *call)
{
	return call->env.msg;
}

bool call_is_gone(const struct call *call)
{
	return call->asker == NULL;
}

uint32_t call_link(const struct call *call)
{
	return call->pipe;
}

int64_t call_age_us(const struct call *call)
{
	return bus_now_us() - call->since_us;
}

int64_t call_left_us(const struct call *call)
{
	int64_t timeout_ms =
		call->env.timeout_ms > 0 ? call->env.timeout_ms : call->server->sock->bus->config.timeout_ms;

	if (call->env.sent_us > 0 && call->env.hop_ms < timeout_ms)
		timeout_ms = call->env.hop_ms;
	return timeout_ms * 1000 - call_age_us(call);
}

void *call_ctx(struct call *call)
{
	return call->work;
}
