/*
 * events: what sockets are told about a turn (streaming.md, section 3).
 * Frames are built here, once for all gateways; a gateway only forwards them.
 * Loop thread only.
 */
#ifndef ALP_EVENTS_H
#define ALP_EVENTS_H

#include "turn.h"

void events_accepted(struct turn *turn);
/* A finalization that found no plan: the sockets of its session hear of it. Others are refused to who asked. */
void events_refused(struct turn *turn, const struct err *err);
void events_status(struct turn *turn, const char *state, int64_t retry_in_ms); /* 0: no retry */
void events_reset(struct turn *turn);
void events_pieces(struct turn *turn, size_t from); /* pieces from.. of the turn's reply */
void events_final(struct turn *turn);

/* Where a chat is: its owner, and its session under both names. */
struct chat_place {
	struct uuid_text user_id, session_id;
	struct text session_key; /* the client's own name, or empty */
};

/* A chat was created, renamed, archived, restored or deleted. info: object with chat_id, chat_name, chat_type, status. */
void events_chat_updated(struct chat *chat, const struct chat_place *place, const cJSON *info, struct text change,
			 const char *trace);

/*
 * The last frame of an ended turn. An ai_response ends inside its open timing
 * object (chat_event.total_us > 0). Returns the frame's type; the frame is
 * appended to out.
 */
const char *events_final_frame(const struct turn_context *context, int64_t epoch, const struct outcome *outcome,
			       const char *language, UT_string *out);

#endif
