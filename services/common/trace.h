/*
 * trace: spans by W3C Trace Context (https://www.w3.org/TR/trace-context/). A
 * span says what was done for whom and how long it took; its traceparent goes
 * with everything that is asked on its behalf, so that the spans of all
 * daemons make one tree. They are told to a collector (otlp.h) when one is
 * configured; otherwise a traceparent is only passed on, for the logs.
 * Loop thread only.
 */
#ifndef ALP_TRACE_H
#define ALP_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

#define TRACE_SIZE 56 /* "00-<32 hex>-<16 hex>-<2 hex>" and NUL */
#define SPAN_TEXT_SIZE 64
#define SPAN_ATTRS_MAX 8

struct otlp;

/* The numbers of OTLP. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 };

/* No text of a user, no key, no id of a user. */
struct span_attr {
	const char *key; /* a literal */
	bool is_text;
	int64_t number;
	char text[SPAN_TEXT_SIZE]; /* cut at its size */
};

/* Embedded in what it tells of. Zeroed: not begun, and span_end is quiet. */
struct span {
	char context
		[TRACE_SIZE]; /* for what is asked on its behalf: names this span, or what was given when nothing is recorded */
	char parent[17]; /* "": none */
	char name[SPAN_TEXT_SIZE];
	enum span_kind kind;
	bool recorded, failed;
	int64_t start_us, end_us; /* wall clock; the end by the monotonic one */
	int64_t since_us;
	int attrs_n;
	struct span_attr attrs[SPAN_ATTRS_MAX];
};

/* otlp NULL: nothing is recorded. percent of the traces that begin here, or come from outside, are. */
void trace_setup(struct otlp *otlp, int64_t percent);

/* A new traceparent. The span that begins with it is a root: span_root. */
void trace_new(char out[TRACE_SIZE]);

/* What a client gave, sampled no more than `percent` says. False: it was no traceparent, out is a new one. */
bool trace_accept(char out[TRACE_SIZE], struct text given);

/* traceparent may be "" or NULL: nothing is recorded then. Both strings are copied. */
void span_begin(struct span *span, const char *traceparent, enum span_kind kind, const char *name);
void span_root(struct span *span); /* nobody outside knows of it: it has no parent */
void span_rename(struct span *span, const char *name);
void span_text(struct span *span, const char *key, const char *value);
void span_number(struct span *span, const char *key, int64_t value);
void span_fail(struct span *span);
void span_end(struct span *span); /* a second time is quiet */

#endif
