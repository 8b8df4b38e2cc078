/*
 * sse: an event stream as bytes in, events out, by the rules of WHATWG HTML
 * (9.2.6 Interpreting an event stream). The bytes may be cut anywhere; lines end
 * in LF, CR or CRLF; a BOM and comments are skipped; several data lines are
 * joined by LF. Bytes are not decoded here: that is utf8.h's work.
 *
 * One thing differs from a browser: sse_end delivers an event that the stream
 * left unfinished, because some servers forget the last blank line. Any
 * thread; nothing blocks.
 */
#ifndef ALP_SSE_H
#define ALP_SSE_H

#include <utstring.h>

#include "text.h"

#define SSE_TYPE_MAX 32

/* type is "" for a plain event. Both borrow from the parser until it returns. False: no more events are wanted. */
typedef bool sse_event_fn(void *arg, struct text type, struct text data);

struct sse {
	UT_string line; /* the start of a line whose end has not come */
	UT_string data; /* data lines of the event so far, LF behind each */
	char type[SSE_TYPE_MAX + 1];
	size_t max; /* bytes of a line, and of an event's data */
	size_t bom; /* bytes of a possible BOM seen; more than three when that is settled */
	bool after_cr; /* an LF now belongs to the CR before it */
	bool stopped; /* the limit was met, or on_event wanted no more */
	bool over; /* it was the limit */
	sse_event_fn *on_event;
	void *arg;
};

void sse_init(struct sse *sse, size_t max, sse_event_fn *on_event, void *arg);
void sse_done(struct sse *sse);

/* Events are delivered before it returns. False: stopped, the rest is ignored (over tells whether by the limit). */
bool sse_feed(struct sse *sse, struct text bytes);

/* The stream has ended. */
bool sse_end(struct sse *sse);

#endif
