/*
 * event_stream: one turn told over HTTP as server-sent events (WHATWG HTML,
 * 9.2): the frames of the main socket, `event:` their type, `id:` the position
 * "epoch.offset" of a piece. The stream follows a watch like a socket does,
 * only of its one turn, and ends with it. A client that goes away ends
 * nothing: asking again with the same id and Last-Event-ID goes on behind it.
 *
 * What a slow reader has not taken is bounded by WS_QUEUE_MAX: pieces wait in
 * the mirror; when even the rest does not fit, the connection is closed.
 * Loop thread only.
 */
#ifndef ALP_EVENT_STREAM_H
#define ALP_EVENT_STREAM_H

#include "http.h"

struct event_stream;
struct watch;
struct ws_frame;

/*
 * Answers r with the events of a turn that was accepted (or has ended: then
 * its last frame comes). Called from a completion, instead of http_answer; r
 * wants events and its caller owns the turn. session_id: as the client named it.
 */
void event_stream_answer(struct http_request *r, const struct turn_view *turn, struct text session_id);

/* ---- for http ------------------------------------------------------------------ */

/* All that was written is sent. NULL is allowed. */
void event_stream_on_drained(struct event_stream *stream);

/* Its request ends. NULL is allowed. */
void event_stream_on_gone(struct event_stream *stream);

/* This process ends: the client shall ask another one. */
void event_stream_break_off(struct event_stream *stream);

/* ---- for events and watch --------------------------------------------------------- */

/* Gives every stream of a watch the pieces it lacks, as far as there is room. */
void event_streams_feed(struct watch *w);

/* ... a frame that is no piece. */
void event_streams_tell(struct watch *w, struct ws_frame *frame);

/* ... the last frame, and its end. NULL: nothing is known of the turn's end, which is said. */
void event_streams_end(struct watch *w, struct ws_frame *final);

#endif
