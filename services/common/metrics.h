/*
 * metrics: counters, gauges and histograms in the Prometheus text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Which there
 * are is told by metrics.def. Loop thread only.
 */
#ifndef ALP_METRICS_H
#define ALP_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include <utstring.h>

#include "messages.h"

enum metric {
#define METRIC(ID, KIND, NAME, LABELS, USED_BY, HELP) METRIC_##ID,
#include "metrics.def"
#undef METRIC
	METRIC_COUNT
};

struct metrics; /* a registry */
struct histogram; /* seconds, fixed buckets from 0.5 ms to 60 s */

/* One service's registry: it writes the metrics of that service. */
struct metrics *metrics_new(void *ctx, enum service who);

/*
 * A series, made at the first call with these labels and found afterwards.
 * labels is the inside of the braces, with the names of metrics.def in their
 * order, e.g. "message=\"chat_post\",rc=\"ok\"", or "" (copied). The pointer lives as long
 * as the registry. The function must fit the kind of the metric (asserted).
 */
uint64_t *metrics_counter(struct metrics *m, enum metric metric, const char *labels);
double *metrics_sum(struct metrics *m, enum metric metric, const char *labels);
double *metrics_gauge(struct metrics *m, enum metric metric, const char *labels);
struct histogram *metrics_histogram(struct metrics *m, enum metric metric, const char *labels);
void histogram_add(struct histogram *h, double seconds);

/* Adds one to the counter whose only label has this value; value is a plain word. */
void metrics_count(struct metrics *m, enum metric metric, const char *value);

/* A label's value from a setting: what the format would have to escape becomes '_'. */
void metrics_label_value(char *value);

/* Called before each write, to bring gauges up to date. */
void metrics_on_write(struct metrics *m, void (*fn)(void *arg), void *arg);

void metrics_write(struct metrics *m, UT_string *out);

#endif
