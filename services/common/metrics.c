#include "metrics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <talloc.h>
#include <uthash.h>

#define REFRESH_MAX 8

static const double bounds[] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
};
#define BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

struct histogram {
	uint64_t count, in[BOUNDS];
	double sum;
};

enum kind { COUNTER, SUM, GAUGE, HISTOGRAM };
enum { GATEWAY = SERVICE_GATEWAY, CHAT = SERVICE_CHAT, AI = SERVICE_AI, STORE = SERVICE_STORE, ALL = 15 };

static const struct {
	enum kind kind;
	int used_by;
	const char *name, *labels, *help;
} infos[METRIC_COUNT] = {
#define METRIC(ID, KIND, NAME, LABELS, USED_BY, HELP) [METRIC_##ID] = { KIND, USED_BY, NAME, LABELS, HELP },
#include "metrics.def"
#undef METRIC
};

struct series {
	char *labels;
	uint64_t counter;
	double real; /* of a sum or gauge */
	struct histogram histogram;
	UT_hash_handle hh;
};

struct metrics {
	enum service who;
	struct series *series[METRIC_COUNT]; /* by labels, oldest first */
	struct {
		void (*fn)(void *arg);
		void *arg;
	} refresh[REFRESH_MAX];
	int refresh_n;
};

static struct series *series_get(struct metrics *m, enum metric metric, const char *labels)
{
	struct series *s;

	HASH_FIND_STR(m->series[metric], labels, s);
	if (s != NULL)
		return s;
	s = talloc_zero(m, struct series);
	s->labels = talloc_strdup(s, labels);
	HASH_ADD_KEYPTR(hh, m->series[metric], s->labels, strlen(s->labels), s);
	return s;
}

static int metrics_on_free(struct metrics *m)
{
	for (int i = 0; i < METRIC_COUNT; i++)
		HASH_CLEAR(hh, m->series[i]);
	return 0;
}

struct metrics *metrics_new(void *ctx, enum service who)
{
	struct metrics *m = talloc_zero(ctx, struct metrics);

	m->who = who;
	talloc_set_destructor(m, metrics_on_free);
	for (int i = 0; i < METRIC_COUNT; i++)
		if (infos[i].labels[0] == '\0')
			series_get(m, (enum metric)i, "");
	return m;
}

uint64_t *metrics_counter(struct metrics *m, enum metric metric, const char *labels)
{
	assert(infos[metric].kind == COUNTER);
	return &series_get(m, metric, labels)->counter;
}

double *metrics_sum(struct metrics *m, enum metric metric, const char *labels)
{
	assert(infos[metric].kind == SUM);
	return &series_get(m, metric, labels)->real;
}

double *metrics_gauge(struct metrics *m, enum metric metric, const char *labels)
{
	assert(infos[metric].kind == GAUGE);
	return &series_get(m, metric, labels)->real;
}

struct histogram *metrics_histogram(struct metrics *m, enum metric metric, const char *labels)
{
	assert(infos[metric].kind == HISTOGRAM);
	return &series_get(m, metric, labels)->histogram;
}

void metrics_count(struct metrics *m, enum metric metric, const char *value)
{
	char labels[96];

	snprintf(labels, sizeof(labels), "%s=\"%.40s\"", infos[metric].labels, value);
	++*metrics_counter(m, metric, labels);
}

void metrics_label_value(char *value)
{
	for (; *value != '\0'; value++)
		if (*value == '"' || *value == '\\' || (unsigned char)*value < 0x20)
			*value = '_';
}

void histogram_add(struct histogram *h, double seconds)
{
	h->count++;
	h->sum += seconds;
	for (size_t i = 0; i < BOUNDS; i++)
		if (seconds <= bounds[i]) {
			h->in[i]++;
			return;
		}
}

void metrics_on_write(struct metrics *m, void (*fn)(void *arg), void *arg)
{
	if (m->refresh_n == REFRESH_MAX)
		return;
	m->refresh[m->refresh_n].fn = fn;
	m->refresh[m->refresh_n++].arg = arg;
}

static void write_histogram(const char *name, const struct series *s, UT_string *out)
{
	const char *comma = s->labels[0] != '\0' ? "," : "";
	const char *open = s->labels[0] != '\0' ? "{" : "", *close = s->labels[0] != '\0' ? "}" : "";
	uint64_t sum = 0;

	for (size_t i = 0; i < BOUNDS; i++) {
		sum += s->histogram.in[i];
		utstring_printf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, s->labels, comma, bounds[i],
				(unsigned long long)sum);
	}
	utstring_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, s->labels, comma,
			(unsigned long long)s->histogram.count);
	utstring_printf(out, "%s_sum%s%s%s %.6f\n", name, open, s->labels, close, s->histogram.sum);
	utstring_printf(out, "%s_count%s%s%s %llu\n", name, open, s->labels, close,
			(unsigned long long)s->histogram.count);
}

static void write_series(enum metric metric, const struct series *s, UT_string *out)
{
	const char *open = s->labels[0] != '\0' ? "{" : "", *close = s->labels[0] != '\0' ? "}" : "";

	if (infos[metric].kind == HISTOGRAM)
		write_histogram(infos[metric].name, s, out);
	else if (infos[metric].kind == COUNTER)
		utstring_printf(out, "%s%s%s%s %llu\n", infos[metric].name, open, s->labels, close,
				(unsigned long long)s->counter);
	else
		utstring_printf(out, "%s%s%s%s %.15g\n", infos[metric].name, open, s->labels, close, s->real);
}

void metrics_write(struct metrics *m, UT_string *out)
{
	static const char *const kinds[] = { "counter", "counter", "gauge", "histogram" };

	for (int i = 0; i < m->refresh_n; i++)
		m->refresh[i].fn(m->refresh[i].arg);
	for (int i = 0; i < METRIC_COUNT; i++) {
		if (!(infos[i].used_by & (int)m->who))
			continue;
		utstring_printf(out, "# HELP %s %s\n# TYPE %s %s\n", infos[i].name, infos[i].help, infos[i].name,
				kinds[infos[i].kind]);
		for (const struct series *s = m->series[i]; s != NULL; s = s->hh.next)
			write_series((enum metric)i, s, out);
	}
}
