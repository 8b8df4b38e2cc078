/*
 * bus: how the daemons talk. The only user of nng.
 *
 * A call is a request with one answer and must arrive; a publication may be
 * lost and carries a number by which its receiver notices. Everything runs on
 * the loop thread given to bus_new: nng's own threads only put messages into a
 * mailbox and wake the loop. No function blocks; no callback runs before the
 * function that asked for it has returned.
 *
 * Every queue, size and wait is bounded (struct bus_config). What nng does
 * behind our back, and what is done about it:
 *  - a message costs it some ten wake-ups of threads: what one turn of the loop
 *    has for a peer, and under load what 2 ms have, travels in one (bus_batch.h,
 *    bus_outbox.c). Its request and reply sockets are therefore used raw, and
 *    which answer is whose, and until when it is waited for, is known here;
 *  - when a peer dies before answering, bus_request asks again until its
 *    deadline, which is right because every message of the catalogue is idempotent;
 *  - it drops answers that pile up for a peer that does not take them: no more
 *    than a window of them is given to it (bus_asker.c);
 *  - on tcp and ipc a dialer may never reconnect after busy peers died (before
 *    1.6 and 1.10): req/rep goes over ws there, and a canary asks for a restart
 *    when a peer that answers a plain connect() is not reached for 5 s;
 *  - a process that stood still is handed what waited in its sockets: a request
 *    says until when it may be begun (struct envelope, lag.h), a later one is
 *    refused as busy, for its asker has turned to another instance, and an
 *    answer tells how long it waited (struct answer);
 *  - closing with traffic in flight can hang: bus_drain first, then bus_free
 *    under a watchdog that ends the process.
 */
#ifndef ALP_BUS_H
#define ALP_BUS_H

#include <ev.h>

#include "frame.h"

#define BUS_EXIT_RESTART 75 /* exit status that asks the supervisor for a fresh start */

struct bus; /* one per process */
struct peer; /* a dialled request socket */
struct pub; /* a publishing socket */
struct call; /* a request being served */
struct request; /* a request of ours being answered */

/* What the bus tells its owner, on the loop thread, for logs and metrics. */
struct bus_watch {
	void (*begun)(void *arg, struct call *call); /* a request is good, its handler comes next */
	void (*served)(void *arg, const struct call *call, enum rc rc, int64_t us);
	void (*refused)(void *arg, const char *socket, const struct err *why); /* bad MAC, version, body */
	void (*link)(void *arg, const char *socket, bool up); /* first pipe came, last one went */
	void (*restart)(void *arg, const char *socket); /* the canary sang; the process ends after this */
	void *arg;
};

#define BUS_EVENT_QUEUE_MAX 8192 /* what nng allows as NNG_OPT_SENDBUF and NNG_OPT_RECVBUF */

struct bus_config {
	struct ev_loop *ev;
	struct text key; /* BUS_KEY */
	size_t message_max; /* bytes of one message */
	int inflight_max; /* requests in flight per peer; calls served at once per listener */
	int event_queue; /* publications waiting per subscriber, and in it, 1 to BUS_EVENT_QUEUE_MAX; the rest is dropped */
	int64_t timeout_ms; /* default wait for an answer */
	struct bus_watch watch;
};

/* Counters since start; read on the loop thread. */
struct bus_stats {
	uint64_t calls_served, calls_refused, requests_sent, requests_retried, requests_timed_out, requests_busy,
		events_sent, events_received, events_dropped, reconnects;
	int64_t calls_open, requests_open;
};

/* Never NULL: what can fail is said by the functions below. Owned by ctx, ended by bus_free. */
struct bus *bus_new(void *ctx, const struct bus_config *config);

/* From here on calls are answered busy and lost requests are not sent again. */
void bus_drain(struct bus *bus);
bool bus_is_draining(const struct bus *bus);

/*
 * True when no call is open, and the answers of the last 20 ms had time to
 * leave. For one who does not read, it is not true until his connection ends.
 */
bool bus_has_answered(const struct bus *bus);

/* The same, and no request that matters (struct ask) is open. */
bool bus_is_idle(const struct bus *bus);

/* Closes all sockets and frees everything. Ends the process with status 0 should nng hang longer than 2 s. */
void bus_free(struct bus *bus);

const struct bus_stats *bus_stats(const struct bus *bus);

/* ---- serving ------------------------------------------------------------- */

/*
 * A handler answers the call (call_answer, call_fail) and returns RC_OK, or
 * returns the code of its refusal (the bus answers with it), or returns
 * RC_PENDING and answers later. m borrows from the call and lives until the
 * call is answered.
 */
typedef enum rc call_fn(void *service, const void *m, struct call *call);

/* m lives until the handler returns. */
typedef void event_fn(void *service, const void *m, const struct envelope *env);

/* One service's handlers, grown by dispatch.h. */
struct dispatch {
	call_fn *call[MSG_COUNT];
	event_fn *event[MSG_COUNT];
	/* A held call's asker is gone (its connection closed). The call is still to be answered. May be NULL. */
	void (*gone)(void *service, struct call *call);
};

/*
 * Listens for calls at address (host:port, or a full nng URL). name is for
 * logs. service is handed to the handlers. False with err when it cannot listen.
 */
bool bus_serve(struct bus *bus, const char *name, const char *address, const struct dispatch *dispatch, void *service,
	       struct err *err);

const struct caller *call_caller(const struct call *call);
const char *call_trace(const struct call *call); /* traceparent or "" */
enum msg_id call_msg(const struct call *call);

/* For the watch: what it keeps with a call (in call_ctx), and the traceparent that handlers see from then on. */
void call_set_note(struct call *call, void *note);
void *call_note(const struct call *call);
void call_set_trace(struct call *call, const char *traceparent);

bool call_is_gone(const struct call *call);
uint32_t call_link(const struct call *call); /* the asker's connection: calls of one peer share it while it lives */
int64_t call_age_us(const struct call *call); /* since it was sent, as far as its lag tells (lag.h) */
int64_t call_left_us(const struct call *call); /* until the asker gives up or turns to another; may be negative */
void *call_ctx(struct call *call); /* talloc context that dies with the call */

/* Each ends the call; afterwards the pointer is dead. ans is the struct ans_* of its message. */
void call_answer(struct call *call, const void *ans);
void call_refuse(struct call *call, const struct err *err);
void call_fail(struct call *call, enum rc rc, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- asking --------------------------------------------------------------- */

/*
 * Dials a listener; it may be away for now. addresses: one, or up to eight of
 * equal instances, comma-separated. Then a request goes to one of those that are
 * there and answer, in turn, and to another when that one dies, or is silent for
 * a third of the default wait. NULL with err: an address is malformed.
 */
struct peer *bus_dial(struct bus *bus, const char *name, const char *addresses, struct err *err);

bool peer_is_up(const struct peer *peer); /* at least one instance is there */
int peer_instances(const struct peer *peer); /* addresses it was dialled with */

/* The next of comma-separated addresses, owned by ctx; NULL at their end. */
char *bus_address_next(void *ctx, const char **addresses);

/* How many there are; whoever dials may be given up to eight, whoever listens one. False with err, which says what for. */
int bus_addresses_count(const char *addresses);
bool bus_addresses_check(const char *what, const char *addresses, bool dials, struct err *err);

/* It is up, but of our last requests none was answered in time: another BUS_KEY, or it hangs. */
bool peer_is_mute(const struct peer *peer);

/* What comes back. body (struct ans_*) is NULL unless err.rc is RC_OK, and lives until the callback returns. */
struct answer {
	struct err err;
	const void *body;
	int64_t lag_us; /* how much longer it was on its way than the quickest lately (lag.h): it waited in our sockets */
};

typedef void answer_fn(void *arg, const struct answer *answer);

/* Of a good answer: this instance does not have it, another may. Then that one is asked; the last one's answer counts. */
typedef bool elsewhere_fn(const void *body);

struct ask {
	struct caller caller; /* zero: nobody */
	const char *trace; /* NULL: none */
	int64_t timeout_ms; /* 0: the default */
	bool background; /* may be open when the process leaves */
	elsewhere_fn *elsewhere; /* NULL: any instance will do */
};

/*
 * Sends a request; done runs once, later: with the peer's answer, or with
 * RC_BUSY (too many in flight), RC_UNAVAILABLE (never reached the peer),
 * RC_UNKNOWN (reached it, no answer in time: it may have happened). body is
 * encoded before returning. The handle is valid until done has run.
 */
struct request *bus_request(struct peer *peer, enum msg_id msg, const void *body, const struct ask *ask,
			    answer_fn *done, void *arg);

/* The asker dies first: done will not run. The request itself goes on. */
void request_forget(struct request *request);

/* ---- publishing ------------------------------------------------------------ */

struct pub *bus_publish_listen(struct bus *bus, const char *name, const char *address, struct err *err);
struct pub *bus_publish_dial(struct bus *bus, const char *name, const char *address, struct err *err);

/* May be lost without a word, also when nobody listens. */
void bus_publish(struct pub *pub, enum msg_id msg, const void *body, const char *trace);

bool bus_subscribe_listen(struct bus *bus, const char *name, const char *address, const struct dispatch *dispatch,
			  void *service, struct err *err);
/* addresses: of one publisher or of several, comma-separated; each has its own queue. */
bool bus_subscribe_dial(struct bus *bus, const char *name, const char *addresses, const struct dispatch *dispatch,
			void *service, struct err *err);

#endif
