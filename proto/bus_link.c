/*
 * A connection to one instance. nng's request socket is used raw, as a channel
 * of batches in both directions (bus_batch.h): its own requests would take a
 * message each, and the wake-ups of threads that come with it.
 *
 * Answers that the other side cannot get rid of are dropped by its nng after 64
 * messages. It therefore keeps more than a window of them back until it is told
 * that they came (bus_serve.c); our requests tell it, or an empty batch.
 */
#include "bus_batch.h"
#include "bus_peer.h"

#include <nng/protocol/reqrep0/req.h>

#include "lag.h"

#define TELL_EVERY 16 /* messages that came, after which their sender is told even when nothing is asked */
#define SP_END 0x80000000U /* set in the end of SP's header: the number of a request that travels by itself */
#define SINGLE_SLOT_BITS 17 /* as many as BUS_INFLIGHT_MAX may say, 65536, need */
#define SINGLE_SLOTS ((1U << SINGLE_SLOT_BITS) - 1)
#define SINGLE_TURNS ((1U << (31 - SINGLE_SLOT_BITS)) - 1)
#define WORD_TICK_S 0.01
#define WORD_TICKS 5 /* whoever has not said by then that it knows batches knows none */

/* False: nng is still sending. */
static bool link_send(struct link *link, uint32_t sp, const UT_string *bytes)
{
	nng_msg *msg = bus_message(bytes);

	nng_msg_header_append_u32(msg, sp | SP_END);
	if (nng_sendmsg(link->sock->nng, msg, NNG_FLAG_NONBLOCK) == 0)
		return true;
	nng_msg_free(msg);
	return false;
}

static void link_has_sent(struct link *link, int n)
{
	for (; n > 0; n--) {
		struct request *r = link->queue;

		DL_DELETE(link->queue, r);
		request_was_sent(r);
	}
}

/* How a request is called on a connection: by its slot, and by how often that was used. */
static uint64_t request_number(const struct request *r)
{
	return (uint64_t)r->turn << 32 | (uint32_t)(r - r->peer->slots);
}

static bool link_send_batch(struct link *link)
{
	CLEANUP(string_done) UT_string batch = { 0 };
	struct request *r;
	size_t size = BATCH_HEAD, start;
	int n = 0;

	DL_FOREACH (link->queue, r) {
		n++;
		size += BATCH_ENTRY_HEAD + utstring_len(&r->bytes);
		if (size >= BATCH_FULL)
			break;
	}
	utstring_init(&batch);
	utstring_reserve(&batch, size);
	batch_begin(&batch, link->taken);
	r = link->queue;
	for (int i = 0; i < n; i++, r = r->next) {
		start = batch_entry_begin(&batch, request_number(r));
		utstring_concat(&batch, &r->bytes);
		batch_entry_end(&batch, start);
	}
	if (!link_send(link, 0, &batch))
		return false;
	link->told = link->taken;
	link_has_sent(link, n);
	return true;
}

/* SP has 31 bits for the number: the slot, and what fits of its turn. */
static uint32_t single_number(const struct request *r)
{
	return (uint32_t)(r - r->peer->slots) | (r->turn & SINGLE_TURNS) << SINGLE_SLOT_BITS;
}

static void link_word_begin(struct link *link)
{
	struct ev_loop *ev = link->peer->bus->config.ev;

	link->word_ticks = 0;
	ev_timer_set(&link->word, WORD_TICK_S, WORD_TICK_S);
	ev_timer_start(ev, &link->word);
}

/* Counted in turns of the loop as well as in time: the word may have come while the loop stood still. */
static void link_on_word_tick(struct ev_loop *ev, ev_timer *w, int events)
{
	struct link *link = w->data;

	(void)events;
	if (++link->word_ticks < WORD_TICKS)
		return;
	ev_timer_stop(ev, w);
	link->wire = WIRE_SINGLE;
	if (link->queue != NULL)
		outbox_add(link->peer->bus, &link->box);
}

/* The first one of a connection, or all to one who knows no batches. */
static bool link_send_singles(struct link *link)
{
	while (link->queue != NULL && !ev_is_active(&link->word)) {
		if (!link_send(link, single_number(link->queue), &link->queue->bytes))
			return false;
		if (link->wire == WIRE_UNKNOWN)
			link_word_begin(link);
		link_has_sent(link, 1);
	}
	return true;
}

static bool link_on_send(struct outbox *box)
{
	struct link *link = BUS_OWNER(box, struct link, box);

	if (link->pipe == 0)
		return true; /* link_look comes back to it */
	if (link->wire != WIRE_BATCHES)
		return link_send_singles(link);
	while (link->queue != NULL || link->taken - link->told >= TELL_EVERY)
		if (!link_send_batch(link))
			return false;
	return true;
}

void link_queue(struct link *link, struct request *r)
{
	DL_APPEND(link->queue, r);
	outbox_add(link->peer->bus, &link->box);
}

/* ---- its connections, one after another ------------------------------------------- */

static void link_lost(struct link *link)
{
	struct peer *peer = link->peer;

	link->taken = link->told = 0;
	link->wire = WIRE_UNKNOWN;
	ev_timer_stop(peer->bus->config.ev, &link->word);
	for (int i = 0; i < peer->open_n; i++) {
		struct request *r = &peer->slots[i];

		if (&peer->links[r->link] != link)
			continue;
		/* One that was not sent yet waits for this instance only if there is no other. */
		if (r->stage == STAGE_SENT || (r->stage == STAGE_QUEUED && peer->links_n > 1))
			request_rest(r);
	}
}

/* Which connection there is now. What was sent over the one before is lost, also when another has come meanwhile. */
static void link_look(struct sock *sock)
{
	struct link *link = sock->owner;
	uint32_t pipe = atomic_load(&sock->pipe), before = link->pipe;

	if (pipe == before)
		return;
	link->pipe = pipe;
	if (before != 0)
		link_lost(link);
	if (pipe != 0 && link->queue != NULL)
		outbox_add(sock->bus, &link->box);
}

/* ---- what comes ---------------------------------------------------------------------- */

/* The open request in this slot; NULL: there is none any more. */
static struct request *link_find(const struct link *link, uint32_t slot)
{
	struct peer *peer = link->peer;
	struct request *r = slot < (uint32_t)peer->open_n ? &peer->slots[slot] : NULL;

	return r != NULL && r->stage != STAGE_FREE ? r : NULL;
}

static void link_take_batch(struct link *link, uint32_t number, struct text rest, uint32_t pipe)
{
	struct text frame;
	uint64_t id;

	link_look(link->sock); /* it may be the first word of a connection that we have not been told of */
	if (pipe == link->pipe) {
		if ((int32_t)(number - link->taken) > 0)
			link->taken = number;
		link->wire = WIRE_BATCHES;
		ev_timer_stop(link->peer->bus->config.ev, &link->word);
	}
	while (batch_next(&rest, &id, &frame)) {
		struct request *r = link_find(link, (uint32_t)id);

		if (r != NULL && request_number(r) == id)
			request_was_answered(r, frame, pipe);
	}
	if (link->queue != NULL || link->taken - link->told >= TELL_EVERY)
		outbox_add(link->peer->bus, &link->box);
}

static void link_take_single(struct link *link, uint32_t number, struct text frame, uint32_t pipe)
{
	struct request *r = link_find(link, number & SINGLE_SLOTS);

	if (r != NULL && single_number(r) == number)
		request_was_answered(r, frame, pipe);
}

static void link_take(struct inbox *inbox, nng_msg *msg)
{
	struct link *link = BUS_OWNER(inbox, struct link, inbox);
	uint32_t number, sp = 0, pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg));
	struct text bytes = text_of(nng_msg_body(msg), nng_msg_len(msg)), rest;

	if (batch_open(bytes, &number, &rest))
		link_take_batch(link, number, rest, pipe);
	else if (nng_msg_header_chop_u32(msg, &sp) == 0)
		link_take_single(link, sp & ~SP_END, bytes, pipe);
	nng_msg_free(msg);
	inbox_taken(inbox);
}

/* ---- life ------------------------------------------------------------------------------ */

static void link_on_gone(struct sock *sock, uint32_t pipe)
{
	struct link *link = sock->owner;

	lags_forget(link->peer->lags, pipe);
	link_look(sock);
}

/* The first one ends the requests of all. */
static void link_stop(struct sock *sock)
{
	struct link *link = sock->owner;

	inbox_stop(&link->inbox);
	outbox_remove(sock->bus, &link->box);
	ev_timer_stop(sock->bus->config.ev, &link->word);
	if (link == &link->peer->links[0])
		peer_stop(link->peer);
}

bool link_open(struct link *link, const char *name, const char *address, struct err *err)
{
	struct bus *bus = link->peer->bus;
	nng_socket nng;

	if (nng_req0_open_raw(&nng) != 0)
		return err_set(err, RC_INTERNAL, "%s: cannot open a socket", name);
	/* Its queue belongs to the socket and would outlive a connection: what no connection takes stays with us. */
	nng_socket_set_int(nng, NNG_OPT_SENDBUF, 0);
	link->box.send = link_on_send;
	ev_init(&link->word, link_on_word_tick);
	link->word.data = link;
	link->sock = sock_add(bus, name, nng, true, link);
	link->sock->on_gone = link_on_gone;
	link->sock->on_link = link_look;
	link->sock->stop = link_stop;
	inbox_open(&link->inbox, bus, nng, link_take);
	return sock_start(link->sock, address, true, err);
}
