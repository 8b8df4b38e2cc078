#include "watch.h"

#include <stdlib.h>

#include <utlist.h>

#include "clock.h"

#define SILENCE_MS 2000 /* then the turn is asked for: a lost end is found within 5 s */

/* ---- audience ------------------------------------------------------------------------------ */

struct audience audience_of(const struct events *events, const struct uuid_text *user_id,
			    const struct uuid_text *session_id, struct text session_key)
{
	const struct sockets *sockets = events->gw->sockets;
	struct audience a = { { sockets_group(sockets, user_id, uuid_as_text(session_id)), NULL } };

	if (session_key.len > 0 && !text_equal(session_key, uuid_as_text(session_id)))
		a.groups[1] = sockets_group(sockets, user_id, session_key);
	return a;
}

bool audience_is_empty(const struct audience *audience)
{
	return audience->groups[0] == NULL && audience->groups[1] == NULL;
}

static struct audience audience_of_watch(const struct watch *w)
{
	return audience_of(w->events, &w->caller.user_id, &w->session_id, text_from(w->session_key));
}

bool watch_is_lonely(const struct watch *w)
{
	struct audience audience = audience_of_watch(w);

	return audience_is_empty(&audience);
}

/* ---- life -------------------------------------------------------------------------------------- */

static void watch_on_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
	struct watch *w = timer->data;
	struct audience audience = audience_of_watch(w);
	int64_t silent_ms = (clock_us() - w->heard_us) / 1000;

	(void)ev, (void)events;
	if (audience_is_empty(&audience) && w->streams == NULL && w->pulling == NULL) {
		watch_free(w);
		return;
	}
	if (silent_ms >= SILENCE_MS)
		watch_pull(w);
	loop_arm(w->events->gw->loop, timer, silent_ms < SILENCE_MS ? SILENCE_MS - silent_ms + 1 : SILENCE_MS);
}

struct watch *watch_find(const struct events *events, const struct uuid_text *turn_id)
{
	struct watch *w;

	HASH_FIND(hh, events->watches, turn_id->s, 36, w);
	return w;
}

struct watch *watch_open(struct events *events, const struct uuid_text *turn_id, const struct caller *caller,
			 int64_t epoch)
{
	struct watch *w;

	if (HASH_COUNT(events->watches) >= (size_t)events->gw->config->connections_max)
		return NULL;
	w = talloc_zero(events, struct watch);
	w->events = events;
	w->turn_id = *turn_id;
	w->caller = *caller;
	w->session_key = talloc_strdup(w, "");
	mirror_init(&w->mirror, epoch);
	HASH_ADD(hh, events->watches, turn_id.s, 36, w);
	loop_timer(&w->timer, watch_on_timer, w);
	w->heard_us = clock_us();
	loop_arm(events->gw->loop, &w->timer, SILENCE_MS);
	return w;
}

void watch_name(struct watch *w, const struct uuid_text *session_id, const struct uuid_text *chat_id, struct text key)
{
	if (session_id->s[0] != '\0')
		w->session_id = *session_id;
	if (chat_id->s[0] != '\0')
		w->chat_id = *chat_id;
	if (key.len > 0 && !text_equal(key, text_from(w->session_key))) {
		talloc_free(w->session_key);
		w->session_key = text_dup(w, key);
	}
}

void watch_name_path(struct watch *w, struct text path_id)
{
	const struct uuid_text none = { "" };

	if (w->session_key[0] == '\0' && !text_equal(path_id, uuid_as_text(&w->session_id)))
		watch_name(w, &none, &none, path_id);
}

/* The timer looks at this when it strikes: no need to touch it for each piece. */
void watch_heard(struct watch *w)
{
	w->heard_us = clock_us();
}

void watch_free(struct watch *w)
{
	watch_fail(w, RC_BUSY);
	loop_disarm(w->events->gw->loop, &w->timer);
	request_forget(w->pulling);
	event_streams_end(w, NULL);
	HASH_DEL(w->events->watches, w);
	mirror_done(&w->mirror);
	talloc_free(w);
}

/* ---- telling --------------------------------------------------------------------------------------- */

static struct ws_frame *frame_of_text(const struct watch *w, size_t offset, struct text text)
{
	UT_string *json = &w->events->scratch;
	struct ws_frame *frame;

	utstring_clear(json);
	json_open(json, NULL, '{');
	json_str(json, "type", "ai_delta");
	json_text(json, "chat_id", uuid_as_text(&w->chat_id));
	json_text(json, "turn_id", uuid_as_text(&w->turn_id));
	json_i64(json, "epoch", w->mirror.epoch);
	json_i64(json, "offset", (int64_t)offset);
	json_text(json, "text", text);
	json_close(json, '}');
	frame = ws_frame_new(json_written(json));
	frame->piece_of = w->turn_id;
	return frame;
}

struct ws_frame *watch_piece_frame(const struct watch *w, size_t i)
{
	return frame_of_text(w, i, reply_log_piece(&w->mirror.log, i));
}

struct ws_frame *watch_rest_frame(const struct watch *w, size_t from)
{
	return frame_of_text(w, from, reply_log_from(&w->mirror.log, from));
}

static bool has_room(const struct ws_conn *ws)
{
	return ws->out.bytes + ws->held.bytes < (size_t)ws->gw->config->ws_queue_max / 2;
}

void watch_feed(const struct watch *w, struct ws_conn *ws, int64_t next, struct ws_frame **last)
{
	int64_t n = (int64_t)w->mirror.log.n;

	for (; next < n && has_room(ws); next++) {
		struct ws_frame *frame = next == n - 1 && *last != NULL ? *last : watch_piece_frame(w, (size_t)next);

		ws_push_event(ws, frame);
		if (next == n - 1)
			*last = frame;
		else
			ws_frame_unref(frame);
	}
	cursor_set(&ws->cursors, &w->turn_id, w->mirror.epoch, (size_t)next);
}

void watch_tell_pieces(struct watch *w, size_t from)
{
	struct audience audience = audience_of_watch(w);
	struct ws_frame *last = NULL;
	struct ws_conn *ws;

	AUDIENCE_FOREACH(audience, ws)
	{
		int64_t next = cursor_next(&ws->cursors, &w->turn_id, w->mirror.epoch, from == 0);

		if (next >= 0)
			watch_feed(w, ws, next, &last);
	}
	if (last != NULL)
		ws_frame_unref(last);
	event_streams_feed(w);
}

void watch_tell_rest(const struct watch *w)
{
	struct audience audience = audience_of_watch(w);
	int64_t n = (int64_t)w->mirror.log.n;
	struct ws_conn *ws;

	AUDIENCE_FOREACH(audience, ws)
	{
		int64_t next = cursor_next(&ws->cursors, &w->turn_id, w->mirror.epoch, false);
		struct ws_frame *frame;

		if (next < 0 || next >= n)
			continue;
		frame = watch_rest_frame(w, (size_t)next);
		ws_push_event(ws, frame);
		ws_frame_unref(frame);
		cursor_set(&ws->cursors, &w->turn_id, w->mirror.epoch, (size_t)n);
	}
}

struct ws_frame *watch_reset_frame(const struct watch *w)
{
	UT_string *json = &w->events->scratch;

	utstring_clear(json);
	json_open(json, NULL, '{');
	json_str(json, "type", "ai_reset");
	json_text(json, "chat_id", uuid_as_text(&w->chat_id));
	json_text(json, "turn_id", uuid_as_text(&w->turn_id));
	json_i64(json, "epoch", w->mirror.epoch);
	json_close(json, '}');
	return ws_frame_new(json_written(json));
}

void watch_tell_reset(const struct watch *w, struct ws_frame *frame)
{
	struct audience audience = audience_of_watch(w);
	struct ws_conn *ws;

	frame->piece_of = w->turn_id;
	AUDIENCE_FOREACH(audience, ws)
	if (!cursor_is_closed(&ws->cursors, &w->turn_id))
		ws_push_event(ws, frame);
	ws_frame_unref(frame);
}
