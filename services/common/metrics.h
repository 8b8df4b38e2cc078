/*
 * metrics: counters, gauges and histograms in the Prometheus text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Base units,
 * `_total` on counters, no ids of users or chats as labels. Loop thread only.
 */
#ifndef ALP_METRICS_H
#define ALP_METRICS_H

#include <stdint.h>

#include <utstring.h>

struct metrics; /* a registry */
struct histogram; /* seconds, fixed buckets from 0.5 ms to 60 s */

struct metrics *metrics_new(void *ctx);

/*
 * A series, made at the first call with these names and found afterwards.
 * labels is the inside of the braces, e.g. "message=\"chat_post\",rc=\"ok\"", or "".
 * Both strings are copied; help must be a literal. The pointer lives as long as the registry.
 */
uint64_t *metrics_counter(struct metrics *m, const char *name, const char *labels, const char *help);
double *metrics_gauge(struct metrics *m, const char *name, const char *labels, const char *help);
struct histogram *metrics_histogram(struct metrics *m, const char *name, const char *labels, const char *help);
void histogram_add(struct histogram *h, double seconds);

/* Called before each write, to bring gauges up to date. */
void metrics_on_write(struct metrics *m, void (*fn)(void *arg), void *arg);

void metrics_write(struct metrics *m, UT_string *out);

#endif
