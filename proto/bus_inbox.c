#include "bus_impl.h"

#define WAITING_MAX 16 /* messages; the rest waits in nng, and in the sockets of who sent it */

struct parcel {
	struct mail mail;
	struct inbox *inbox;
	nng_msg *msg;
};

static void parcel_drop(struct mail *mail)
{
	struct parcel *parcel = BUS_OWNER(mail, struct parcel, mail);

	nng_msg_free(parcel->msg);
	free(parcel);
}

static void parcel_deliver(struct mail *mail)
{
	struct parcel *parcel = BUS_OWNER(mail, struct parcel, mail);
	struct inbox *inbox = parcel->inbox;
	nng_msg *msg = parcel->msg;

	free(parcel);
	inbox->take(inbox, msg);
}

/* On an nng thread. */
static void inbox_on_aio(void *arg)
{
	struct inbox *inbox = arg;
	int rv = nng_aio_result(inbox->aio);
	struct parcel *parcel;
	bool pause;

	if (rv == NNG_ECLOSED || rv == NNG_ECANCELED)
		return;
	if (rv != 0) {
		nng_recv_aio(inbox->nng, inbox->aio);
		return;
	}
	parcel = malloc(sizeof(*parcel));
	if (parcel == NULL)
		abort();
	*parcel = (struct parcel){ { parcel_deliver, NULL, parcel_drop }, inbox, nng_aio_get_msg(inbox->aio) };
	pause = atomic_fetch_add(&inbox->waiting, 1) + 1 >= WAITING_MAX;
	if (pause)
		atomic_store(&inbox->paused, true); /* before the mail: who takes it sees it, and goes on */
	bus_mail(inbox->bus, &parcel->mail);
	if (!pause)
		nng_recv_aio(inbox->nng, inbox->aio);
}

void inbox_taken(struct inbox *inbox)
{
	atomic_fetch_sub(&inbox->waiting, 1);
	if (atomic_exchange(&inbox->paused, false))
		nng_recv_aio(inbox->nng, inbox->aio);
}

void inbox_open(struct inbox *inbox, struct bus *bus, nng_socket nng, void (*take)(struct inbox *inbox, nng_msg *msg))
{
	*inbox = (struct inbox){ .bus = bus, .nng = nng, .take = take };
	if (nng_aio_alloc(&inbox->aio, inbox_on_aio, inbox) != 0)
		abort();
	nng_recv_aio(nng, inbox->aio);
}

void inbox_stop(struct inbox *inbox)
{
	if (inbox->aio == NULL)
		return;
	nng_aio_stop(inbox->aio);
	nng_aio_free(inbox->aio);
	inbox->aio = NULL;
}
