/*
 * bus_peer: whom requests go to: one address, or several of equal instances,
 * each with a link of its own. Shared by bus_peer.c (the links) and
 * bus_request.c (what goes over them). Loop thread only.
 */
#ifndef ALP_BUS_PEER_H
#define ALP_BUS_PEER_H

#include "bus_impl.h"

#define LINKS_MAX 8 /* addresses of one peer */
#define MUTE_AFTER 2 /* requests in a row without an answer */

struct link {
	struct sock *sock;
	int64_t mute_until_us; /* it did not answer lately */
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

/* Room for n requests, owned by ctx: bus_request.c knows what one is. */
struct request *request_slots(void *ctx, int n);

/* Ends all requests: bus_request.c. */
void peer_stop(struct sock *sock);

#endif
