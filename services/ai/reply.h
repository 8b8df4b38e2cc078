/*
 * reply: what one attempt reads. The body's bytes go in, cut anywhere; text
 * comes out, well-formed and in order; at the end it knows how the answer
 * ended, what it cost, and who wrote it. An event stream, a whole JSON
 * completion and an error body are told apart by status and content type.
 * Knows nothing of sockets. Loop thread; nothing blocks.
 */
#ifndef ALP_REPLY_H
#define ALP_REPLY_H

#include "ending.h"
#include "llm_json.h"
#include "sse.h"
#include "utf8.h"

#define REPLY_NAME_MAX 100 /* bytes of a model's name and a finish reason */

/* False: no more text is wanted. */
typedef bool reply_text_fn(void *arg, struct text text);

enum reply_mode { REPLY_UNKNOWN, REPLY_EVENTS, REPLY_WHOLE, REPLY_ERROR, REPLY_FOREIGN };

struct reply {
	enum reply_mode mode;
	long status; /* 0 until known */
	struct sse sse;
	struct utf8 utf8;
	UT_string body; /* of a whole answer or an error */
	size_t event_max, raw_max; /* bytes of an event or whole body; of everything */
	size_t raw; /* bytes read */
	size_t text_n; /* bytes of text given out */
	int idle; /* events that brought no text */
	bool marked; /* the end of the stream was announced: [DONE] */
	bool whole; /* a whole answer could be read */
	enum ending ending; /* what was wrong with it, or FULL */
	char finish_reason[REPLY_NAME_MAX + 1];
	char model[REPLY_NAME_MAX + 1]; /* as the server names it */
	struct llm_usage usage;
	reply_text_fn *on_text;
	void *arg;
};

/* text_max: bytes of text that will be taken at most; the other limits follow from it. */
void reply_init(struct reply *r, size_t text_max, reply_text_fn *on_text, void *arg);
void reply_done(struct reply *r);

/* Status and content type (NULL: none was sent) are known; streamed is what was asked for. Later calls change nothing. */
void reply_head(struct reply *r, long status, const char *content_type, bool streamed);

/* False: nothing more is wanted, end the transfer. */
bool reply_feed(struct reply *r, struct text bytes);

/* No more bytes come: gives out what is left. regular: the body is as long as the server meant it to be. */
void reply_close(struct reply *r, bool regular);

/* A finish reason or the end mark was seen: from here on nothing can be lost. */
bool reply_is_finished(const struct reply *r);

/* After reply_close: how it ended. transport: why the bytes ended; NONE for a regular end. */
enum ending reply_ending(const struct reply *r, enum ending transport);

#endif
