/*
 * When what was put together leaves: at the end of the turn of the loop while
 * little is going on, so that nobody waits; a little later when many calls and
 * requests are open at once, for then others want to travel along, and each
 * message of nng less saves the wake-ups of threads that everybody waits for.
 */
#include "bus_impl.h"

#define QUIET_N 3 /* calls and requests open at once: as many as one turn of a dialogue has */
#define GATHER_S 0.002
#define AGAIN_S 0.001 /* nng was still sending; then twice as long, and so on */
#define AGAIN_MAX_S 0.016

static int64_t busy_n(const struct bus *bus)
{
	return bus->stats.calls_open + bus->stats.requests_open - bus->patient_n;
}

/* What cannot be sent is not walked over again: it waits for the next time. */
static void flush(struct bus *bus)
{
	struct outbox *box, *again = NULL;

	ev_prepare_stop(bus->config.ev, &bus->leave);
	ev_timer_stop(bus->config.ev, &bus->gather);
	while ((box = bus->outboxes) != NULL) {
		outbox_remove(bus, box);
		if (!box->send(box)) {
			box->waits = true;
			DL_APPEND(again, box);
		}
	}
	bus->outboxes = again;
	if (again == NULL) {
		bus->again_s = AGAIN_S;
		return;
	}
	ev_timer_set(&bus->gather, bus->again_s, 0.);
	ev_timer_start(bus->config.ev, &bus->gather);
	if (bus->again_s < AGAIN_MAX_S)
		bus->again_s *= 2;
}

static void outbox_on_gather(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)ev, (void)events;
	flush(w->data);
}

static void outbox_on_leave(struct ev_loop *ev, ev_prepare *w, int events)
{
	struct bus *bus = w->data;

	(void)events;
	if (busy_n(bus) <= QUIET_N) {
		flush(bus);
	} else if (!ev_is_active(&bus->gather)) {
		ev_timer_set(&bus->gather, GATHER_S, 0.);
		ev_timer_start(ev, &bus->gather);
	}
}

void outbox_add(struct bus *bus, struct outbox *box)
{
	if (box->waits)
		return;
	box->waits = true;
	DL_APPEND(bus->outboxes, box);
	ev_prepare_start(bus->config.ev, &bus->leave);
}

void outbox_remove(struct bus *bus, struct outbox *box)
{
	if (!box->waits)
		return;
	box->waits = false;
	DL_DELETE(bus->outboxes, box); /* NOLINT(clang-analyzer-core.NullDereference): it is in the list */
}

void outboxes_init(struct bus *bus)
{
	bus->again_s = AGAIN_S;
	ev_prepare_init(&bus->leave, outbox_on_leave);
	bus->leave.data = bus;
	ev_timer_init(&bus->gather, outbox_on_gather, GATHER_S, 0.);
	bus->gather.data = bus;
}

void outboxes_stop(struct bus *bus)
{
	flush(bus);
	ev_timer_stop(bus->config.ev, &bus->gather);
}
