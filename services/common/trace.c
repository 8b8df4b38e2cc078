#include "trace.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "clock.h"
#include "ids.h"
#include "otlp.h"

#define TRACE_ID_AT 3
#define SPAN_ID_AT 36
#define FLAGS_AT 53

static struct {
	struct otlp *otlp;
	int64_t percent;
} setup = { .percent = 100 };

void trace_setup(struct otlp *otlp, int64_t percent)
{
	setup.otlp = otlp;
	setup.percent = percent;
}

/* ---- traceparent -------------------------------------------------------------------- */

/* By the trace's id, so that all who look at it decide alike. */
static bool is_chosen(const char *traceparent)
{
	char last[9];

	snprintf(last, sizeof(last), "%.8s", traceparent + TRACE_ID_AT + 24);
	return (int64_t)(strtoul(last, NULL, 16) % 100) < setup.percent;
}

static bool is_hex(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)p[i]) && !(p[i] >= 'a' && p[i] <= 'f'))
			return false;
	return true;
}

static bool is_zero(const char *p, size_t n)
{
	return strspn(p, "0") >= n;
}

/* Version 00, as it is written. */
static bool is_traceparent(struct text t)
{
	const char *p = t.p;

	return t.len == TRACE_SIZE - 1 && memcmp(p, "00-", 3) == 0 && p[SPAN_ID_AT - 1] == '-' &&
	       p[FLAGS_AT - 1] == '-' && is_hex(p + TRACE_ID_AT, 32) && is_hex(p + SPAN_ID_AT, 16) &&
	       is_hex(p + FLAGS_AT, 2) && !is_zero(p + TRACE_ID_AT, 32) && !is_zero(p + SPAN_ID_AT, 16);
}

static bool is_sampled(const char *traceparent)
{
	return strlen(traceparent) == TRACE_SIZE - 1 && (strtoul(traceparent + FLAGS_AT, NULL, 16) & 1) != 0;
}

static void set_sampled(char traceparent[TRACE_SIZE], bool sampled)
{
	traceparent[FLAGS_AT] = '0';
	traceparent[FLAGS_AT + 1] = sampled ? '1' : '0';
}

void trace_new(char out[TRACE_SIZE])
{
	unsigned char raw[24];
	char hex[49];

	id_bytes(raw, sizeof(raw));
	sodium_bin2hex(hex, sizeof(hex), raw, sizeof(raw));
	snprintf(out, TRACE_SIZE, "00-%.32s-%.16s-00", hex, hex + 32);
	set_sampled(out, is_chosen(out));
}

bool trace_accept(char out[TRACE_SIZE], struct text given)
{
	if (!is_traceparent(given)) {
		trace_new(out);
		return false;
	}
	memcpy(out, given.p, given.len);
	out[given.len] = '\0';
	set_sampled(out, is_sampled(out) && is_chosen(out));
	return true;
}

/* ---- spans ------------------------------------------------------------------------------ */

void span_begin(struct span *span, const char *traceparent, enum span_kind kind, const char *name)
{
	unsigned char raw[8];

	*span = (struct span){ .kind = kind };
	if (traceparent == NULL)
		return;
	snprintf(span->context, sizeof(span->context), "%s", traceparent);
	if (setup.otlp == NULL || !is_sampled(span->context))
		return;
	span->recorded = true;
	span_rename(span, name);
	snprintf(span->parent, sizeof(span->parent), "%.16s", span->context + SPAN_ID_AT);
	id_bytes(raw, sizeof(raw));
	sodium_bin2hex(span->context + SPAN_ID_AT, 17, raw, sizeof(raw));
	span->context[FLAGS_AT - 1] = '-';
	span->start_us = clock_wall_us();
	span->since_us = clock_us();
}

void span_root(struct span *span)
{
	span->parent[0] = '\0';
}

void span_rename(struct span *span, const char *name)
{
	if (span->recorded)
		snprintf(span->name, sizeof(span->name), "%s", name);
}

static struct span_attr *attr_add(struct span *span, const char *key)
{
	struct span_attr *attr;

	if (!span->recorded || span->attrs_n == SPAN_ATTRS_MAX)
		return NULL;
	attr = &span->attrs[span->attrs_n++];
	*attr = (struct span_attr){ .key = key };
	return attr;
}

void span_text(struct span *span, const char *key, const char *value)
{
	struct span_attr *attr = attr_add(span, key);

	if (attr == NULL)
		return;
	attr->is_text = true;
	snprintf(attr->text, sizeof(attr->text), "%s", value);
}

void span_number(struct span *span, const char *key, int64_t value)
{
	struct span_attr *attr = attr_add(span, key);

	if (attr != NULL)
		attr->number = value;
}

void span_fail(struct span *span)
{
	span->failed = true;
}

void span_end(struct span *span)
{
	if (!span->recorded)
		return;
	span->end_us = span->start_us + (clock_us() - span->since_us);
	if (setup.otlp != NULL)
		otlp_add(setup.otlp, span);
	span->recorded = false;
}
