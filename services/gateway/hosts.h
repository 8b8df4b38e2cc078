/*
 * hosts: under which names this gateway is served. A page whose name an
 * attacker points at us (DNS rebinding) has that name in its Host header and
 * the same in its Origin: the name is what gives it away. Pure.
 */
#ifndef ALP_HOSTS_H
#define ALP_HOSTS_H

#include "config.h"
#include "text.h"

/*
 * host is the whole header, with or without a port. Served are localhost and
 * loopback addresses; with ALLOWED_HOSTS the names on that list; without it
 * the hosts of the allowed origins, any address (nobody rebinds one), and names
 * that public DNS cannot hand out: without a dot, or below .localhost, .local,
 * .internal and .home.arpa.
 */
bool hosts_allow(const struct config *config, struct text host);

#endif
