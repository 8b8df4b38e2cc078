#include "handlers.h"
#include "watch.h"

#include <utlist.h>

#include "clock.h"
#include "fault.h"

struct events *events_new(struct gateway *gw)
{
	struct events *events = talloc_zero(gw->daemon->ctx, struct events);

	events->gw = gw;
	utstring_init(&events->scratch);
	return events;
}

void events_free(struct events *events)
{
	struct watch *w, *next;

	HASH_ITER (hh, events->watches, w, next)
		watch_free(w);
	utstring_done(&events->scratch);
	talloc_free(events);
}

size_t events_mirrors(const struct events *events)
{
	return HASH_COUNT(events->watches);
}

uint64_t events_pulls(const struct events *events)
{
	return events->pulls_n;
}

struct ws_frame *watch_end_frame(struct events *events, const struct uuid_text *turn_id, struct text json,
				 int64_t total_us, int64_t began_us)
{
	int64_t out_us = clock_us() - began_us;
	struct ws_frame *frame;

	if (total_us > 0) {
		utstring_clear(&events->scratch);
		utstring_bincpy(&events->scratch, json.p, json.len);
		utstring_printf(&events->scratch, ",\"gateway_out\":%lld,\"total\":%lld}}", (long long)out_us,
				(long long)total_us + (long long)out_us);
		json = json_written(&events->scratch);
	}
	frame = ws_frame_new(json);
	frame->end_of = *turn_id;
	return frame;
}

static void tell(const struct audience *audience, struct ws_frame *frame)
{
	struct ws_conn *ws;

	AUDIENCE_FOREACH(*audience, ws)
	ws_push_event(ws, frame);
}

void watch_tell(struct watch *w, struct ws_frame *frame)
{
	struct audience audience =
		audience_of(w->events, &w->caller.user_id, &w->session_id, text_from(w->session_key));

	tell(&audience, frame);
}

/* ---- what chat publishes -------------------------------------------------------------- */

/* The turn's watch, made when somebody is there to hear of it. NULL: nobody, or it is over. */
static struct watch *watch_of_event(struct events *events, const struct msg_chat_event *m,
				    const struct audience *audience)
{
	struct watch *w = watch_find(events, &m->turn_id);
	const struct ws_conn *ws;

	if (w != NULL) {
		watch_name(w, &m->session_id, &m->chat_id, m->session_key);
		return w;
	}
	if (audience_is_empty(audience) || ended_has(&events->ended, &m->turn_id, m->epoch))
		return NULL;
	ws = audience->groups[audience->groups[0] == NULL]->all;
	w = watch_open(events, &m->turn_id, &ws->caller, m->epoch);
	if (w != NULL)
		watch_name(w, &m->session_id, &m->chat_id, m->session_key);
	return w;
}

static void on_delta(struct events *events, const struct msg_chat_event *m, const struct audience *audience)
{
	struct watch *w = watch_of_event(events, m, audience);

	if (w == NULL)
		return;
	w->live = true;
	switch (mirror_delta(&w->mirror, m->epoch, m->offset, m->piece)) {
	case MIRROR_APPENDED:
		watch_heard(w);
		FAULT_POINT(gateway_before_delta);
		watch_tell_pieces(w, (size_t)m->offset);
		FAULT_POINT(gateway_after_delta);
		return;
	case MIRROR_OLD:
		return;
	case MIRROR_GAP:
		events->gaps_n++;
		watch_pull(w);
		return;
	}
}

static void on_reset(struct events *events, const struct msg_chat_event *m, const struct audience *audience)
{
	struct watch *w = watch_of_event(events, m, audience);

	if (w == NULL)
		return;
	w->live = true;
	watch_heard(w);
	if (!mirror_reset(&w->mirror, m->epoch))
		return;
	watch_tell_reset(w, ws_frame_new(m->frame));
	event_streams_feed(w);
}

/* A reply that was stopped before its first piece, or could not be made, has no other end than its status. */
static bool is_last_status(struct text frame)
{
	static const char *const states[] = { "\"state\":\"stopped\"", "\"state\":\"failed\"" };

	for (size_t i = 0; i < 2; i++)
		if (memmem(frame.p, frame.len, states[i], strlen(states[i])) != NULL)
			return true;
	return false;
}

static bool is_end(const struct msg_chat_event *m)
{
	if (m->turn_id.s[0] == '\0')
		return false;
	return text_is(m->type, "ai_response") || text_is(m->type, "error") ||
	       text_is(m->type, "finalization_complete") || (text_is(m->type, "ai_status") && is_last_status(m->frame));
}

static void on_end(struct events *events, const struct msg_chat_event *m, const struct audience *audience,
		   int64_t began_us)
{
	struct watch *w = watch_find(events, &m->turn_id);
	int64_t epoch = m->epoch > 0 ? m->epoch : w != NULL ? w->mirror.epoch : 0;
	struct ws_frame *frame;

	if (w != NULL && text_is(m->type, "ai_response") &&
	    (epoch > w->mirror.epoch || m->offset > (int64_t)w->mirror.log.n)) {
		/* Pieces before the end were lost: first those, then the end, out of one answer. */
		events->gaps_n++;
		w->live = true;
		watch_pull(w);
		return;
	}
	FAULT_POINT(gateway_before_final);
	if (!ended_add(&events->ended, &m->turn_id, epoch, m->type))
		return;
	frame = watch_end_frame(events, &m->turn_id, m->frame, m->total_us, began_us);
	if (w != NULL)
		watch_tell_rest(w);
	tell(audience, frame);
	FAULT_POINT(gateway_after_final);
	if (w != NULL)
		watch_end(w, frame, true);
	ws_frame_unref(frame);
}

/* The socket that sent the message has this from its answer. */
static void tell_accepted(const struct audience *audience, const struct uuid_text *client_message_id,
			  struct ws_frame *frame)
{
	struct ws_conn *ws;

	AUDIENCE_FOREACH(*audience, ws)
	if (!ws_has_posted(ws, client_message_id))
		ws_push_event(ws, frame);
}

static void on_other(struct events *events, const struct msg_chat_event *m, const struct audience *audience)
{
	struct watch *w = m->turn_id.s[0] != '\0' ? watch_of_event(events, m, audience) : NULL;
	struct ws_frame *frame = ws_frame_new(m->frame);
	bool accepted = text_is(m->type, "accepted");

	if (accepted)
		tell_accepted(audience, &m->client_message_id, frame);
	else
		tell(audience, frame);
	if (w != NULL) {
		w->live = true;
		watch_heard(w);
		if (!accepted) /* a stream has that from its answer */
			event_streams_tell(w, frame);
	}
	ws_frame_unref(frame);
}

/*
 * An account has claimed the turn of a guest. The guest's watch ends here; what
 * chat published for the guest before it knew is late, and not for the account's
 * watch: true. The gap it leaves there is pulled.
 */
static bool is_for_former(struct events *events, const struct msg_chat_event *m)
{
	struct watch *w = watch_find(events, &m->turn_id);

	if (w == NULL || strcmp(w->caller.user_id.s, m->user_id.s) == 0)
		return false;
	if (w->caller.kind == CALLER_USER)
		return true;
	watch_free(w);
	return false;
}

void on_chat_event(struct gateway *gw, const struct msg_chat_event *m, const struct envelope *env)
{
	struct events *events = gw->events;
	int64_t began_us = clock_us();
	struct audience audience = audience_of(events, &m->user_id, &m->session_id, m->session_key);

	(void)env;
	FAULT_POINT(gateway_event);
	if (is_for_former(events, m))
		return;
	if (audience_is_empty(&audience) && watch_find(events, &m->turn_id) == NULL)
		return;
	if (text_is(m->type, "ai_delta"))
		on_delta(events, m, &audience);
	else if (text_is(m->type, "ai_reset"))
		on_reset(events, m, &audience);
	else if (m->frame.len == 0)
		log_warning(&gw->log, "events.empty", "type=" TEXT_FMT, TEXT_ARG(m->type));
	else if (is_end(m))
		on_end(events, m, &audience, began_us);
	else
		on_other(events, m, &audience);
}

/* ---- what sockets cause ------------------------------------------------------------------ */

void events_follow(struct events *events, const struct caller *caller, const struct turn_view *turn,
		   struct text session_key)
{
	struct audience audience = audience_of(events, &caller->user_id, &turn->session_id, session_key);
	struct watch *w = watch_find(events, &turn->turn_id);

	/* The end may have overtaken the answer that the turn was accepted. */
	if (w == NULL && !audience_is_empty(&audience) && !ended_has(&events->ended, &turn->turn_id, turn->epoch))
		w = watch_open(events, &turn->turn_id, caller, turn->epoch);
	if (w == NULL)
		return;
	w->live = true;
	watch_name(w, &turn->session_id, &turn->chat_id, turn->session_key);
	watch_name_path(w, session_key);
}

bool events_has_ended(const struct events *events, const struct turn_view *turn)
{
	return ended_has(&events->ended, &turn->turn_id, turn->epoch);
}
