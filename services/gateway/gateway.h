/*
 * gateway: the public door. Sockets, HTTP, who the caller is, limits per
 * caller, the page's files. It keeps no state that is not in a socket, so any
 * number of gateways may share a port. Loop thread only.
 */
#ifndef ALP_GATEWAY_H
#define ALP_GATEWAY_H

#include "daemon.h"

struct gateway {
	struct daemon *daemon;
	struct loop *loop;
	const struct config *config;
	struct log log;
	struct peer *chat, *store;
	struct server *server; /* connections */
	struct static_files *files;
	struct tokens *tokens;
	const char *warning; /* of SECRET_KEY; NULL: it is a good one */
	struct revocations *revocations; /* sign-ins that ended before their tokens */
	struct tickets *tickets;
	struct limits *limits;
	struct passwords *passwords;
	struct sockets *sockets; /* WebSockets by id and by session */
	struct events *events; /* mirrors of running turns */
	struct upstream *upstream; /* are chat and store usable? */
	int exports_open; /* documents being put together */
	int waits_open; /* HTTP requests that wait for a reply of the model */
};

settings_fn gateway_settings; /* numbers, secrets, the page's files */

/* Dials, subscribes, listens, after gateway_settings. Ends the process with a reason when it cannot. */
void gateway_init(struct gateway *gw, struct daemon *d);
void gateway_done(struct gateway *gw);

#endif
