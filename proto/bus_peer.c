#include "bus_peer.h"

#include "lag.h"

bool link_is_up(const struct link *link)
{
	return atomic_load(&link->sock->pipes) > 0;
}

int link_pick(struct peer *peer, int before)
{
	int64_t now = peer->links_n > 1 ? bus_now_us() : 0;
	int best = peer->next % peer->links_n, best_points = -1;

	for (int i = 0; i < peer->links_n; i++) {
		int n = (peer->next + i) % peer->links_n;
		const struct link *link = &peer->links[n];
		int points = 4 * link_is_up(link) + 2 * (link->mute_until_us <= now) + (n != before);

		if (points > best_points)
			best = n, best_points = points;
	}
	peer->next = best + 1;
	return best;
}

int link_after(const struct peer *peer, int link, int hops, int *hops_out)
{
	for (*hops_out = hops + 1; *hops_out < peer->links_n; (*hops_out)++) {
		int n = (link + *hops_out - hops) % peer->links_n;

		if (link_is_up(&peer->links[n]))
			return n;
	}
	return -1;
}

bool peer_has_another(const struct peer *peer, int but)
{
	for (int n = 0; n < peer->links_n; n++)
		if (n != but && link_is_up(&peer->links[n]))
			return true;
	return false;
}

/* One more address. */
static bool peer_dial(struct peer *peer, const char *address, struct err *err)
{
	struct link *link = &peer->links[peer->links_n];
	const char *name =
		peer->links_n > 0 ? talloc_asprintf(peer, "%s-%d", peer->name, peer->links_n + 1) : peer->name;

	link->peer = peer;
	peer->links_n++;
	return link_open(link, name, address, err);
}

struct peer *bus_dial(struct bus *bus, const char *name, const char *addresses, struct err *err)
{
	struct peer *peer = talloc_zero(bus, struct peer);
	char *one;

	if (!bus_addresses_check(name, addresses, true, err)) {
		talloc_free(peer);
		return NULL;
	}
	peer->bus = bus;
	peer->name = talloc_strdup(peer, name);
	peer->lags = lags_new(peer);
	peer->slots = talloc_zero_array(peer, struct request, (unsigned)bus->config.inflight_max);
	while ((one = bus_address_next(peer, &addresses)) != NULL) {
		if (!peer_dial(peer, one, err))
			return NULL;
	}
	return peer;
}

bool peer_is_up(const struct peer *peer)
{
	for (int n = 0; n < peer->links_n; n++)
		if (link_is_up(&peer->links[n]))
			return true;
	return false;
}

int peer_instances(const struct peer *peer)
{
	return peer->links_n;
}

bool peer_is_mute(const struct peer *peer)
{
	return peer_is_up(peer) && peer->unanswered >= MUTE_AFTER;
}
