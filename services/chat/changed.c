/* What was changed in the store while sockets look at it, and replies may be running. */
#include "events.h"
#include "handlers.h"

/* Who waits for these replies learns that they were stopped; with their rows gone they vanish. */
static void stop_turns(struct chat *chat, const struct uuid_text *user_id, struct text chat_id,
		       const struct uuid_text *track_id)
{
	struct turn *turn, *next;

	HASH_ITER (hh, chat->turns, turn, next) {
		const struct turn_context *c = &turn->context;
		bool of_chat = chat_id.len > 0 && text_equal(chat_id, uuid_as_text(&c->chat_id));
		bool of_track = track_id->s[0] != '\0' && strcmp(track_id->s, c->track_id.s) == 0;

		if ((of_chat || of_track) && strcmp(user_id->s, c->user_id.s) == 0)
			turn_stop(turn);
	}
}

enum rc on_chat_changed(struct chat *chat, const struct msg_chat_changed *m, struct call *call)
{
	static const struct uuid_text no_track;
	CLEANUP(json_drop) cJSON *told = m->told.len > 0 ? json_parse_trusted(m->told) : NULL;
	const struct uuid_text *user_id = &call_caller(call)->user_id;
	bool deleted = text_is(m->change, "deleted");
	const cJSON *entry;

	cJSON_ArrayForEach(entry, told)
	{
		if (!m->told_already)
			events_chat_updated(chat, user_id, entry, m->change, call_trace(call));
		if (deleted)
			stop_turns(chat, user_id, json_get_text(entry, "chat_id"), &no_track);
	}
	if (m->track_id.s[0] != '\0')
		stop_turns(chat, user_id, (struct text){ 0 }, &m->track_id);
	call_answer(call, &(struct ans_chat_changed){ .elsewhere = m->told_already });
	return RC_OK;
}
