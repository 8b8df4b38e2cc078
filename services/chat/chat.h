/*
 * chat: owns every conversation. Gateways ask it, workers pull from it, the
 * store keeps what it decides. Loop thread only.
 */
#ifndef ALP_CHAT_H
#define ALP_CHAT_H

#include "daemon.h"
#include "settings.h"
#include "trials.h"
#include "turn.h"
#include "workers.h"

struct chat {
	struct daemon *daemon;
	struct loop *loop;
	const struct config *config;
	struct log log;
	struct peer *store;
	struct pub *control; /* to workers */
	struct pub *events; /* to gateways */
	const char *owner; /* this process in leases */
	struct turn *turns; /* by turn id */
	size_t turns_n;
	struct workers workers;
	struct keys keys;
	struct trials trials;
	struct takeover {
		bool own_done; /* what an earlier process of this name left is taken over */
		bool asking;
		int64_t next_us;
	} takeover;
	ev_timer tick;
	int64_t ticked_us;
};

settings_fn chat_settings; /* numbers and addresses */

/* Dials, listens, takes over what an earlier process left, after chat_settings. Ends the process with a reason when it cannot. */
void chat_init(struct chat *chat, struct daemon *d);
void chat_done(struct chat *chat);

#endif
