/*
 * health: GET /livez /readyz /startupz /healthz /metrics of one daemon, by a small
 * libwebsockets server on the daemon's loop. Loop thread only.
 *
 *   /livez    200 as long as the loop turns; looks at nothing else
 *   /readyz   200 when every dependency is usable and no drain has begun, else 503 naming the cause
 *   /startupz the same until it was 200 once; from then on 200
 *   /healthz  as /readyz, with version, uptime and numbers, always as JSON
 *
 * Nothing here waits: a dependency's state is what the daemon knows already.
 */
#ifndef ALP_HEALTH_H
#define ALP_HEALTH_H

#include "err.h"
#include "json.h"

struct daemon;
struct health;

/* NULL with err when it cannot listen at address, which is the value of setting. Owned by the daemon. */
struct health *health_new(struct daemon *d, const char *setting, const char *address, struct err *err);
void health_free(struct health *health);

/* The body of /readyz or /healthz as JSON; true when ready. Also for gateway's public port. */
bool health_report(struct daemon *d, bool full, UT_string *out);

/* The body of /startupz; true when it was ready once. */
bool health_started(struct daemon *d, UT_string *out);

#endif
