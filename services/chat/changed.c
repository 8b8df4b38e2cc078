#include "changed.h"

#include "events.h"
#include "handlers.h"

/* ---- in the store, while sockets look at it and replies may be running ---------------- */

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
	struct chat_place place = { .user_id = *user_id };
	bool deleted = text_is(m->change, "deleted");
	const cJSON *entry;

	cJSON_ArrayForEach(entry, told)
	{
		place.session_key = json_get_text(entry, "session_key");
		if (!m->told_already && uuid_from_text(json_get_text(entry, "session_id"), &place.session_id))
			events_chat_updated(chat, &place, entry, m->change, call_trace(call));
		if (deleted)
			stop_turns(chat, user_id, json_get_text(entry, "chat_id"), &no_track);
	}
	if (m->track_id.s[0] != '\0')
		stop_turns(chat, user_id, (struct text){ 0 }, &m->track_id);
	call_answer(call, &(struct ans_chat_changed){ .elsewhere = m->told_already });
	return RC_OK;
}

/* ---- by a turn that began ------------------------------------------------------------------- */

struct told {
	struct chat *chat;
	const char *change;
	struct chat_place place;
	char trace[TRACE_SIZE];
};

static void told_on_load(void *arg, const struct answer *answer)
{
	struct told *told = arg;
	const struct ans_chat_load *a = answer->body;
	CLEANUP(json_drop) cJSON *info = a != NULL && a->found ? json_parse_trusted(a->chat_info) : NULL;

	if (info != NULL)
		events_chat_updated(told->chat, &told->place, info, text_from(told->change), told->trace);
	else
		log_info(&told->chat->log, "changed.untold", "rc=%s", rc_name(answer->err.rc));
	talloc_free(told);
}

void changed_begun(const struct turn *turn, const struct ans_turn_begin *begun)
{
	const struct turn_context *c = &begun->context;
	bool made = begun->begun && turn->wish.module_id.len > 0 && strcmp(c->chat_id.s, turn->wish.new_chat_id.s) == 0;
	struct msg_chat_load m = { .chat_id = uuid_as_text(&c->chat_id), .limit = 1 };
	struct ask ask = { .caller = turn->caller, .trace = turn->trace, .background = true };
	struct told *told;

	if (!made && !begun->restored)
		return;
	told = talloc_zero(turn->chat->daemon->ctx, struct told);
	told->chat = turn->chat;
	told->change = made ? "created" : "restored";
	told->place = (struct chat_place){ .user_id = c->user_id,
					   .session_id = c->session_id,
					   .session_key = text_copy(told, c->session_key) };
	memcpy(told->trace, turn->trace, sizeof(told->trace));
	bus_request(turn->chat->store, MSG_CHAT_LOAD, &m, &ask, told_on_load, told);
}
