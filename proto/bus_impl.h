/* bus_impl: what the bus_*.c files share. Not for anyone else. */
#ifndef ALP_BUS_IMPL_H
#define ALP_BUS_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include <nng/nng.h>
#include <utlist.h>

#include "bus.h"

/* Debian 12 carries 1.5.2, where tcp and ipc dialers can stay away for ever. */
#define NNG_RECONNECTS (NNG_MAJOR_VERSION > 1 || NNG_MINOR_VERSION >= 10)

/* Something an nng thread hands to the loop. Embedded in its owner. */
struct mail {
	void (*deliver)(struct mail *mail); /* on the loop thread */
	struct mail *next;
	void (*drop)(struct mail *mail); /* never delivered: the bus ends. NULL: its owner frees it */
};

struct canary {
	ev_timer timer;
	ev_io probe;
	int fd;
};

/* One nng socket and its links. */
struct sock {
	struct bus *bus;
	char *name, *url;
	nng_socket nng;
	bool dials;
	atomic_int pipes; /* links alive */
	atomic_uint pipe; /* of one that dials: its link; 0: none */
	bool was_up; /* as last told to the watch */
	struct mail link_mail;
	atomic_bool link_mailed;
	struct canary canary;
	struct sock *next;
	void (*on_gone)(struct sock *sock, uint32_t pipe); /* loop thread; may be NULL */
	void (*on_link)(struct sock *sock); /* a link came or went; loop thread; may be NULL */
	void (*stop)(struct sock *sock); /* cancels what waits inside nng */
	void *owner;
};

/* Something that collects what is to be sent (bus_outbox.c). Embedded in its owner, who removes it before it ends. */
struct outbox {
	bool (*send)(struct outbox *box); /* hands it to nng; false: not all of it, try again soon. It calls nobody */
	bool waits;
	struct outbox *prev, *next;
};

/* Receives for the loop, a bounded number of messages ahead (bus_inbox.c). */
struct inbox {
	struct bus *bus;
	nng_socket nng;
	nng_aio *aio;
	void (*take)(struct inbox *inbox, nng_msg *msg); /* loop thread; the message is the taker's */
	atomic_int waiting;
	atomic_bool paused;
};

struct bus {
	struct bus_config config;
	unsigned char key[BUS_KEY_BYTES];
	struct bus_stats stats;
	int64_t background_n; /* of the open requests */
	int64_t patient_n; /* of the open calls and requests: they wait on purpose */
	ev_async wake;
	pthread_mutex_t lock;
	struct mail *mail_head, **mail_tail;
	atomic_bool pending;
	bool draining;
	struct sock *socks;
	struct outbox *outboxes; /* that have something to send */
	ev_prepare leave;
	ev_timer gather;
	double again_s; /* until what could not be sent is tried again */
	int64_t answers_waiting; /* put together, and not handed to nng yet */
	int64_t answered_us; /* when one was handed over last; that it leaves is not counted (bus_drain) */
};

/* Any thread. The mail is delivered once, on the loop thread. */
void bus_mail(struct bus *bus, struct mail *mail);

/*
 * Its send is called before the loop waits, or up to 2 ms later while much is
 * going on, and again after 1 to 16 ms until it succeeds. Again: nothing.
 */
void outbox_add(struct bus *bus, struct outbox *box);
void outbox_remove(struct bus *bus, struct outbox *box);
void outboxes_init(struct bus *bus);
void outboxes_stop(struct bus *bus); /* sends what waits */

/*
 * Starts to receive; every message is handed to take, and inbox_taken says when
 * it is done with. Two that come in a pause between taking may change places.
 */
void inbox_open(struct inbox *inbox, struct bus *bus, nng_socket nng, void (*take)(struct inbox *inbox, nng_msg *msg));
void inbox_taken(struct inbox *inbox);
void inbox_stop(struct inbox *inbox);

/* Registers an opened nng socket: limits, pipe events. Owned by the bus. */
struct sock *sock_add(struct bus *bus, const char *name, nng_socket nng, bool dials, void *owner);

/* "host:port" becomes an nng URL with the transport that works for this library. */
char *bus_url(void *ctx, const char *address, bool reqrep);

/* Listens or dials; false with err. */
bool sock_start(struct sock *sock, const char *address, bool reqrep, struct err *err);

void canary_link(struct sock *sock); /* the number of links changed */
void canary_stop(struct sock *sock);

/*
 * The bytes as a message for nng. When a ws link dies while sending, nng frees
 * neither it nor tells us (wstran_pipe_send_cb keeps it on its inner aio): one
 * message is lost per dead peer, which the leak check of the test harness allows.
 */
nng_msg *bus_message(const UT_string *bytes);

int64_t bus_now_us(void); /* CLOCK_MONOTONIC */
int64_t bus_raw_us(void); /* CLOCK_MONOTONIC_RAW: no time service bends it (lag.h) */

/* Starts nng with as few threads as it can live with. Before any other call of it; again: nothing. */
void bus_threads_start(void);

#define BUS_OWNER(mail, type, member) ((type *)((char *)(mail)-offsetof(type, member)))

#endif
