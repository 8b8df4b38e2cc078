/*
 * outbound: what a user may name as the address of a model's server. libcurl's
 * own parser takes it apart, the same that connects later, so that there are
 * no two readings of one address. Names are not looked up here: whoever
 * connects must ask address.h about each address that a name has turned out
 * to be. Any thread; nothing blocks.
 */
#ifndef ALP_OUTBOUND_H
#define ALP_OUTBOUND_H

#include "config.h"
#include "err.h"

/*
 * True: https (plain http only when listed), a host that is not obviously
 * inside, port 443 or from 1024 on, nothing but a path behind it. False with
 * err. allowed is AI_ALLOWED_HOSTS, host:port of servers that the operator
 * vouches for: of those, *listed_out, any port, http and any address are good.
 */
bool outbound_check(const char *url, const struct config_list *allowed, bool *listed_out, struct err *err);

/* False with err, which names the setting, when an entry is not host:port. */
bool outbound_check_list(const struct config_list *allowed, struct err *err);

#endif
