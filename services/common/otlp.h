/*
 * otlp: tells spans to a collector, as OTLP/HTTP with JSON bodies
 * (https://opentelemetry.io/docs/specs/otlp/): batches, one request at a time.
 * A collector that is away is asked again with growing pauses, OTLP_TRIES
 * times a batch; meanwhile at most OTLP_QUEUE_MAX spans wait, and further ones
 * are dropped and counted. Nothing waits for it. Loop thread only.
 */
#ifndef ALP_OTLP_H
#define ALP_OTLP_H

#include "err.h"
#include "loop.h"
#include "metrics.h"
#include "trace.h"

#define OTLP_QUEUE_MAX 2048 /* spans; about 800 bytes each */
#define OTLP_BATCH_MAX 256
#define OTLP_DELAY_MS 500 /* a span waits so long for others of its batch */
#define OTLP_ANSWER_MS 5000
#define OTLP_TRIES 5
#define OTLP_PAUSE_MS 500 /* before the second try; doubles */

struct otlp_config {
	struct loop *loop;
	struct metrics *metrics;
	const char *endpoint; /* http://host:4318; /v1/traces is added */
	const char *headers; /* name=value,name=value */
	const char *service, *version;
};

struct otlp;

/* False with err naming the setting when one of them cannot be used. Connects to nothing. */
bool otlp_check(const char *endpoint, const char *headers, struct err *err);

/* NULL with err as otlp_check says it. Owned by ctx. */
struct otlp *otlp_new(void *ctx, const struct otlp_config *config, struct err *err);
void otlp_free(struct otlp *otlp); /* what waits is forgotten. NULL is quiet */

void otlp_add(struct otlp *otlp, const struct span *span); /* copied */

/* For the end of the process: sends what waits at once. */
void otlp_flush(struct otlp *otlp);
bool otlp_is_idle(const struct otlp *otlp); /* NULL is */

/* The body of a request that tells n spans. For tests too. */
void otlp_write(UT_string *out, const char *service, const char *version, const char *instance,
		const struct span *const spans[], size_t n);

#endif
