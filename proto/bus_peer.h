/*
 * bus_peer: whom requests go to: one address, or several of equal instances,
 * each with a link of its own. Shared by bus_peer.c (which of them),
 * bus_link.c (one of them) and bus_request.c (what goes over them). Loop thread
 * only.
 */
#ifndef ALP_BUS_PEER_H
#define ALP_BUS_PEER_H

#include "bus_impl.h"

#define LINKS_MAX 8 /* addresses of one peer */
#define MUTE_AFTER 2 /* requests in a row without an answer */

/* What the other side of a connection understands. */
enum wire {
	WIRE_UNKNOWN, /* the first request has gone as a single frame; it is told soon, or never */
	WIRE_SINGLE, /* from before there were batches: a message for each request */
	WIRE_BATCHES,
};

/*
 * One instance, and the connection to it. nng's request socket is used raw, as
 * a channel of batches: which answer belongs to which request, and until when
 * it is waited for, is ours to know (bus_request.c).
 */
struct link {
	struct peer *peer;
	struct sock *sock;
	int64_t mute_until_us; /* it did not answer lately */
	struct inbox inbox;
	struct outbox box;
	struct request *queue; /* not sent yet, oldest first */
	uint32_t pipe; /* the connection that requests are sent over; 0: none */
	enum wire wire;
	ev_timer word; /* while the other side may still say what it understands */
	int word_ticks;
	uint32_t taken, told; /* the highest number of what came over the connection; the one we told its sender last */
};

enum stage {
	STAGE_FREE,
	STAGE_QUEUED, /* in the queue of its link */
	STAGE_SENT, /* handed to nng */
	STAGE_RESTING, /* until it is tried again */
};

struct request {
	struct peer *peer;
	struct request *prev, *next; /* in the queue of a link, or in the list of free ones */
	enum stage stage;
	uint32_t turn; /* of its slot, another for each try: an answer to an earlier one is none */
	int link; /* on which it was sent last */
	int hops; /* links that said: it is elsewhere */
	int64_t timeout_ms, send_until_us, recv_until_us, deadline_us; /* send_until_us: also how long it rests */
	bool patient; /* its asker waits long on purpose */
	bool background;
	bool reached; /* was handed to a link at least once */
	elsewhere_fn *elsewhere;
	UT_string bytes; /* kept for another try */
	enum msg_id id;
	answer_fn *done;
	void *arg;
	ev_timer timer; /* ends the stage */
	struct mail mail; /* of a request that never got a slot ... */
	struct err refusal; /* ... and why */
};

struct peer {
	struct bus *bus;
	char *name;
	struct link links[LINKS_MAX];
	int links_n;
	int next; /* whose turn it is */
	int open_n;
	int unanswered; /* requests that reached it since its last answer */
	struct lags *lags; /* of the answers */
	struct request *slots;
	struct request *free;
};

bool link_is_up(const struct link *link);

/* The next link that is there and answers; else one that is there; else the next. Not the one before, if possible. */
int link_pick(struct peer *peer, int before);

/* The link that is there behind this one, after so many hops; -1: none is left that was not asked. */
int link_after(const struct peer *peer, int link, int hops, int *hops_out);

bool peer_has_another(const struct peer *peer, int but); /* that is there */

/* bus_link.c: what goes over a connection. False with err: it cannot be dialled. */
bool link_open(struct link *link, const char *name, const char *address, struct err *err);
void link_queue(struct link *link, struct request *r);

/* bus_request.c: what happens to a request. */
void request_was_sent(struct request *r);
void request_rest(
	struct request *r); /* it was lost; tries again soon if there is time, over another link if there is one */
void request_was_answered(struct request *r, struct text frame, uint32_t pipe);
void peer_stop(struct peer *peer); /* ends all requests */

#endif
