#include "metrics.h"

#include <string.h>

#include <talloc.h>
#include <utlist.h>

#define REFRESH_MAX 8

static const double bounds[] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
};
#define BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

struct histogram {
	uint64_t count, in[BOUNDS];
	double sum;
};

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct series {
	char *labels;
	uint64_t counter;
	double gauge;
	struct histogram histogram;
	struct series *next;
};

struct family {
	char *name;
	const char *help;
	enum kind kind;
	struct series *series;
	struct family *next;
};

struct metrics {
	struct family *families;
	struct {
		void (*fn)(void *arg);
		void *arg;
	} refresh[REFRESH_MAX];
	int refresh_n;
};

struct metrics *metrics_new(void *ctx)
{
	return talloc_zero(ctx, struct metrics);
}

static struct family *family_get(struct metrics *m, const char *name, enum kind kind, const char *help)
{
	struct family *f;

	LL_FOREACH (m->families, f)
		if (strcmp(f->name, name) == 0)
			return f;
	f = talloc_zero(m, struct family);
	f->name = talloc_strdup(f, name);
	f->kind = kind;
	f->help = help;
	LL_APPEND(m->families, f);
	return f;
}

static struct series *series_get(struct metrics *m, const char *name, const char *labels, enum kind kind,
				 const char *help)
{
	struct family *f = family_get(m, name, kind, help);
	struct series *s;

	LL_FOREACH (f->series, s)
		if (strcmp(s->labels, labels) == 0)
			return s;
	s = talloc_zero(f, struct series);
	s->labels = talloc_strdup(s, labels);
	LL_APPEND(f->series, s);
	return s;
}

uint64_t *metrics_counter(struct metrics *m, const char *name, const char *labels, const char *help)
{
	return &series_get(m, name, labels, COUNTER, help)->counter;
}

double *metrics_gauge(struct metrics *m, const char *name, const char *labels, const char *help)
{
	return &series_get(m, name, labels, GAUGE, help)->gauge;
}

struct histogram *metrics_histogram(struct metrics *m, const char *name, const char *labels, const char *help)
{
	return &series_get(m, name, labels, HISTOGRAM, help)->histogram;
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

static void write_histogram(const struct family *f, const struct series *s, UT_string *out)
{
	const char *comma = s->labels[0] != '\0' ? "," : "";
	const char *open = s->labels[0] != '\0' ? "{" : "", *close = s->labels[0] != '\0' ? "}" : "";
	uint64_t sum = 0;

	for (size_t i = 0; i < BOUNDS; i++) {
		sum += s->histogram.in[i];
		utstring_printf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", f->name, s->labels, comma, bounds[i],
				(unsigned long long)sum);
	}
	utstring_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", f->name, s->labels, comma,
			(unsigned long long)s->histogram.count);
	utstring_printf(out, "%s_sum%s%s%s %.6f\n", f->name, open, s->labels, close, s->histogram.sum);
	utstring_printf(out, "%s_count%s%s%s %llu\n", f->name, open, s->labels, close,
			(unsigned long long)s->histogram.count);
}

static void write_series(const struct family *f, const struct series *s, UT_string *out)
{
	const char *open = s->labels[0] != '\0' ? "{" : "", *close = s->labels[0] != '\0' ? "}" : "";

	if (f->kind == HISTOGRAM)
		write_histogram(f, s, out);
	else if (f->kind == COUNTER)
		utstring_printf(out, "%s%s%s%s %llu\n", f->name, open, s->labels, close,
				(unsigned long long)s->counter);
	else
		utstring_printf(out, "%s%s%s%s %.15g\n", f->name, open, s->labels, close, s->gauge);
}

void metrics_write(struct metrics *m, UT_string *out)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };
	const struct family *f;
	const struct series *s;

	for (int i = 0; i < m->refresh_n; i++)
		m->refresh[i].fn(m->refresh[i].arg);
	LL_FOREACH (m->families, f) {
		utstring_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, kinds[f->kind]);
		LL_FOREACH (f->series, s)
			write_series(f, s, out);
	}
}
