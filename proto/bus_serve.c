#include "bus_impl.h"
#include "lag.h"

#include <stdarg.h>
#include <stdio.h>

#include <nng/protocol/reqrep0/rep.h>

struct server;

/*
 * One REP context: receive, serve, send, receive. Between `receive completed`
 * and `answer sent` the slot belongs to the loop thread, otherwise to nng.
 */
struct call {
	struct server *server;
	nng_ctx ctx;
	nng_aio *aio;
	bool sending;
	nng_msg *msg;
	uint32_t pipe;
	bool open, gone;
	struct frame *frame;
	struct envelope env;
	void *work; /* talloc context of the call */
	void *note; /* the watch's */
	int64_t since_us;
	struct mail mail;
};

struct server {
	struct sock *sock;
	const struct dispatch *dispatch;
	void *service;
	struct lags *lags; /* of its askers */
	int slots_n;
	struct call *slots;
};

static void call_receive(struct call *call)
{
	call->sending = false;
	nng_ctx_recv(call->ctx, call->aio);
}

/* On an nng thread. */
static void call_on_aio(void *arg)
{
	struct call *call = arg;
	int rv = nng_aio_result(call->aio);

	if (call->sending) {
		if (rv != 0)
			nng_msg_free(nng_aio_get_msg(call->aio));
		if (rv != NNG_ECLOSED && rv != NNG_ECANCELED)
			call_receive(call);
		return;
	}
	if (rv == 0) {
		call->msg = nng_aio_get_msg(call->aio);
		bus_mail(call->server->sock->bus, &call->mail);
	} else if (rv != NNG_ECLOSED && rv != NNG_ECANCELED) {
		call_receive(call);
	}
}

/* Ends the serving of a call: tells the watch, frees all, hands the slot back to nng. */
static void call_end(struct call *call, enum rc rc, nng_msg *take_msg)
{
	struct bus *bus = call->server->sock->bus;
	struct bus_watch *watch = &bus->config.watch;

	if (watch->served != NULL)
		watch->served(watch->arg, call, rc, call_age_us(call));
	bus->stats.calls_open--;
	call->open = false;
	talloc_free(call->work);
	call->work = NULL;
	call->frame = NULL;
	nng_msg_free(call->msg);
	call->msg = NULL;
	if (call->gone && take_msg != NULL) {
		nng_msg_free(take_msg);
		take_msg = NULL;
	}
	if (take_msg == NULL) {
		call_receive(call);
		return;
	}
	call->sending = true;
	nng_aio_set_msg(call->aio, take_msg);
	nng_ctx_send(call->ctx, call->aio);
}

static void call_reply(struct call *call, const struct err *err, const void *ans)
{
	struct bus *bus = call->server->sock->bus;
	struct envelope env = { .msg = call->env.msg, .is_answer = true, .sent_us = bus_raw_us(), .err = *err };
	CLEANUP(string_done) UT_string out = { 0 };
	nng_msg *msg = NULL;

	utstring_init(&out);
	frame_encode(&out, bus->key, &env, ans);
	if (utstring_len(&out) > bus->config.message_max) {
		env.err = (struct err){ .rc = RC_INTERNAL, .message = "the answer is larger than BUS_MESSAGE_MAX" };
		utstring_clear(&out);
		frame_encode(&out, bus->key, &env, NULL);
	}
	msg = bus_message(&out);
	call_end(call, env.err.rc, msg);
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

static void call_deliver(struct mail *mail)
{
	struct call *call = MAIL_OWNER(mail, struct call, mail);
	struct bus *bus = call->server->sock->bus;
	struct bus_watch *watch = &bus->config.watch;
	struct err err = { 0 };

	bus->stats.calls_served++;
	bus->stats.calls_open++;
	call->open = true;
	call->gone = false;
	call->note = NULL;
	call->since_us = bus_now_us();
	call->pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(call->msg));
	call->work = talloc_new(NULL);
	call->env = (struct envelope){ 0 };
	call->frame = frame_decode(call->work, bus->key, text_of(nng_msg_body(call->msg), nng_msg_len(call->msg)),
				   &call->env, &err);
	if (call->frame != NULL && !call->env.is_answer && !msg_info(call->env.msg)->is_event) {
		call_take_lag(call);
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
		call_end(call, err.rc, NULL); /* no name to answer under: silence, as to any stranger */
	else
		call_refuse(call, &err);
}

static void server_on_gone(struct sock *sock, uint32_t pipe)
{
	struct server *server = sock->owner;

	lags_forget(server->lags, pipe);
	for (int i = 0; i < server->slots_n; i++) {
		struct call *call = &server->slots[i];

		if (!call->open || call->pipe != pipe || call->gone)
			continue;
		call->gone = true;
		if (server->dispatch->gone != NULL)
			server->dispatch->gone(server->service, call);
	}
}

static void server_stop(struct sock *sock)
{
	struct server *server = sock->owner;

	for (int i = 0; i < server->slots_n; i++) {
		struct call *call = &server->slots[i];

		nng_aio_stop(call->aio);
		nng_ctx_close(call->ctx);
		nng_aio_free(call->aio);
		if (call->msg != NULL)
			nng_msg_free(call->msg);
		talloc_free(call->work);
	}
}

bool bus_serve(struct bus *bus, const char *name, const char *address, const struct dispatch *dispatch, void *service,
	       struct err *err)
{
	nng_socket nng;
	struct server *server;

	if (nng_rep0_open(&nng) != 0)
		return err_set(err, RC_INTERNAL, "%s: cannot open a socket", name);
	server = talloc_zero(bus, struct server);
	server->sock = sock_add(bus, name, nng, false, server);
	server->sock->on_gone = server_on_gone;
	server->sock->stop = server_stop;
	server->dispatch = dispatch;
	server->service = service;
	server->lags = lags_new(server);
	server->slots = talloc_zero_array(server, struct call, (unsigned)bus->config.inflight_max);
	for (int i = 0; i < bus->config.inflight_max; i++) {
		struct call *call = &server->slots[i];

		call->server = server;
		call->mail.deliver = call_deliver;
		if (nng_ctx_open(&call->ctx, nng) != 0 || nng_aio_alloc(&call->aio, call_on_aio, call) != 0)
			return err_set(err, RC_INTERNAL, "%s: cannot open a context", name);
		server->slots_n++;
	}
	if (!sock_start(server->sock, address, true, err))
		return false;
	for (int i = 0; i < server->slots_n; i++)
		call_receive(&server->slots[i]);
	return true;
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
	return call->gone;
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
