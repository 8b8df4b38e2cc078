/*
 * events: from chat's publications to sockets. A publication may be lost, so
 * for each running turn that somebody watches there is a mirror of its text;
 * what is missing is asked for (turn_get): after a gap, and after silence.
 * Loop thread only.
 */
#ifndef ALP_EVENTS_H
#define ALP_EVENTS_H

#include "ws_frames.h"

struct events;

struct events *events_new(struct gateway *gw);
void events_free(struct events *events);
size_t events_mirrors(const struct events *events);
uint64_t events_pulls(const struct events *events);

/* A turn of this caller was accepted: it is followed until it ends. session_key: the client's own name, or empty. */
void events_follow(struct events *events, const struct caller *caller, const struct turn_view *turn,
		   struct text session_key);

/* The turn's end went out to its session's sockets not long ago. */
bool events_has_ended(const struct events *events, const struct turn_view *turn);

/*
 * Ends a chat_restored frame whose turn may run: head is the open JSON object
 * without active_turn. When the turn has ended meanwhile its last frame follows.
 */
void events_restore(struct events *events, struct ws_conn *ws, const struct uuid_text *turn_id,
		    const struct uuid_text *session_id, const struct uuid_text *chat_id, struct text head);

/* What the client lacks of a turn after (epoch, offset); from then on it gets the rest. */
void events_resume(struct events *events, struct ws_conn *ws, const struct uuid_text *turn_id, int64_t epoch,
		   int64_t offset);

/* The last frame of a turn that has ended already, to this socket only. */
void events_repeat_end(struct events *events, struct ws_conn *ws, const struct turn_view *turn);

#endif
