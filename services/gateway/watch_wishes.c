#include "watch.h"

#include <utlist.h>

#include "clock.h"
#include "upstream.h"

#define PULL_MS 3000

/* ---- who waits ---------------------------------------------------------------------------------------- */

enum wish { WISH_RESTORE, WISH_RESUME, WISH_END };

struct waiter {
	enum wish wish;
	uint64_t ws_id;
	struct text head; /* restore: the frame so far */
	int64_t epoch, offset; /* resume */
	struct waiter *next;
};

/* What happens while a history waits goes behind it: it may be of a later turn, of which the history knows nothing. */
static struct waiter *wait_for(struct watch *w, enum wish wish, struct ws_conn *ws)
{
	struct waiter *waiter = talloc_zero(w, struct waiter);

	waiter->wish = wish;
	waiter->ws_id = ws->id;
	LL_APPEND(w->waiters, waiter);
	if (wish == WISH_RESTORE)
		ws_hold(ws);
	return waiter;
}

/* Was answered, and is off the list. */
static void waiter_done(struct waiter *waiter, struct ws_conn *ws)
{
	if (waiter->wish == WISH_RESTORE)
		ws_release(ws);
	talloc_free(waiter);
}

/* The next one whose socket is still there; it is off the list. NULL: none left. */
static struct waiter *next_waiter(struct watch *w, struct ws_conn **ws_out)
{
	struct waiter *waiter;

	while ((waiter = w->waiters) != NULL) {
		LL_DELETE(w->waiters, waiter);
		*ws_out = sockets_find(w->events->gw->sockets, waiter->ws_id);
		if (*ws_out != NULL)
			return waiter;
		talloc_free(waiter);
	}
	return NULL;
}

/* w NULL: no reply runs. */
static void push_restored(struct ws_conn *ws, struct text head, const struct watch *w)
{
	CLEANUP(string_done) UT_string json;
	char now[CLOCK_ISO_SIZE];

	utstring_init(&json);
	utstring_bincpy(&json, head.p, head.len);
	if (w != NULL) {
		json_open(&json, "active_turn", '{');
		json_text(&json, "turn_id", uuid_as_text(&w->turn_id));
		json_str(&json, "kind", w->kind[0] != '\0' ? w->kind : "message");
		json_i64(&json, "epoch", w->mirror.epoch);
		json_i64(&json, "offset", (int64_t)w->mirror.log.n);
		json_text(&json, "text", reply_log_text(&w->mirror.log));
		json_str(&json, "state", w->mirror.log.n > 0 ? "streaming" : "waiting");
		json_close(&json, '}');
		cursor_set(&ws->cursors, &w->turn_id, w->mirror.epoch, w->mirror.log.n);
	} else {
		json_null(&json, "active_turn");
	}
	clock_iso(clock_wall_us(), now);
	json_str(&json, "timestamp", now);
	json_close(&json, '}');
	ws_push_json(ws, &json);
}

/* ---- what a history makes superfluous ----------------------------------------------------------------- */

static bool is_same_turn(const void *arg, const struct uuid_text *turn_id)
{
	return strcmp(((const struct uuid_text *)arg)->s, turn_id->s) == 0;
}

struct restored {
	struct text head;
	const struct uuid_text *running; /* "": none */
};

/* A turn that the history names and that did not run any more when it was read is in it whole. */
static bool is_told_whole(const void *arg, const struct uuid_text *turn_id)
{
	const struct restored *restored = arg;
	char member[64];
	int n = snprintf(member, sizeof(member), "\"turn_id\":\"%s\"", turn_id->s);

	return !is_same_turn(restored->running, turn_id) &&
	       memmem(restored->head.p, restored->head.len, member, (size_t)n) != NULL;
}

static void push_rest(const struct watch *w, struct ws_conn *ws, int64_t epoch, int64_t offset)
{
	struct ws_frame *frame = NULL;

	if (epoch != w->mirror.epoch) {
		frame = watch_reset_frame(w);
		ws_push_event(ws, frame);
		ws_frame_unref(frame);
		frame = NULL;
		offset = 0;
	}
	if (offset > (int64_t)w->mirror.log.n)
		offset = (int64_t)w->mirror.log.n;
	watch_feed(w, ws, offset, &frame);
	if (frame != NULL)
		ws_frame_unref(frame);
}

static void serve_running(struct watch *w)
{
	struct ws_conn *ws;
	struct waiter *waiter;

	while ((waiter = next_waiter(w, &ws)) != NULL) {
		if (waiter->wish == WISH_RESTORE) {
			push_restored(ws, waiter->head, w);
			ws_drop_held(ws, is_same_turn, &w->turn_id); /* they are in active_turn */
		} else if (waiter->wish == WISH_RESUME) {
			push_rest(w, ws, waiter->epoch, waiter->offset);
		}
		waiter_done(waiter, ws);
	}
}

void watch_fail(struct watch *w, enum rc rc)
{
	struct ws_refs refs = { .turn_id = uuid_as_text(&w->turn_id), .chat_id = uuid_as_text(&w->chat_id) };
	const struct text none = { 0 };
	struct ws_conn *ws;
	struct waiter *waiter;

	while ((waiter = next_waiter(w, &ws)) != NULL) {
		/* A restore names no turn: an error about one would say that the reply failed. */
		refs.turn_id = waiter->wish == WISH_RESTORE ? none : uuid_as_text(&w->turn_id);
		ws_error_rc(ws, rc, &refs);
		waiter_done(waiter, ws);
	}
}

void watch_end(struct watch *w, struct ws_frame *final, bool told)
{
	struct ws_conn *ws;
	struct waiter *waiter;

	while ((waiter = next_waiter(w, &ws)) != NULL) {
		if (waiter->wish == WISH_RESTORE) {
			push_restored(ws, waiter->head, NULL);
			ws_drop_pieces(ws, is_same_turn, &w->turn_id);
		}
		/* After a restore the end comes (again): the restored history does not have it. It may be held already. */
		if (final != NULL && (told ? waiter->wish == WISH_RESTORE : !w->live) && !ws_holds_end(ws, &w->turn_id))
			ws_push(ws, final);
		waiter_done(waiter, ws);
	}
	if (final != NULL && !told && w->live) {
		watch_tell_rest(w);
		watch_tell(w, final);
	}
	event_streams_end(w, final);
	watch_free(w);
}

/* ---- pulling ------------------------------------------------------------------------------------------- */

/* A socket of another session of the same owner does not get this turn. */
static void drop_strangers(struct watch *w)
{
	struct waiter *waiter, *next;

	LL_FOREACH_SAFE (w->waiters, waiter, next) {
		struct ws_conn *ws = sockets_find(w->events->gw->sockets, waiter->ws_id);
		struct ws_refs refs = { .turn_id = uuid_as_text(&w->turn_id) };

		if (ws == NULL || !text_is_uuid(ws->path_id) || text_equal(ws->path_id, uuid_as_text(&w->session_id)))
			continue;
		ws_error_rc(ws, RC_NOT_FOUND, &refs);
		LL_DELETE(w->waiters, waiter);
		waiter_done(waiter, ws);
	}
}

/*
 * A turn that has ended is answered with its whole reply and no pieces. What
 * its sockets lack of it goes out as one more piece, so that the joined pieces
 * are the reply.
 */
static void complete_from_reply(struct watch *w, struct text reply)
{
	struct text have = reply_log_text(&w->mirror.log);
	size_t from = w->mirror.log.n;

	if (reply.len <= have.len || (have.len > 0 && memcmp(reply.p, have.p, have.len) != 0))
		return;
	reply_log_add(&w->mirror.log, text_of(reply.p + have.len, reply.len - have.len));
	watch_tell_pieces(w, from);
}

static void pulled_end(struct watch *w, const struct ans_turn_get *ans, int64_t began_us)
{
	struct events *events = w->events;
	struct ws_frame *final = NULL;
	bool told;

	if (ans->final.len > 0)
		final = watch_end_frame(events, &w->turn_id, ans->final, ans->total_us, began_us);
	else
		log_warning(&events->gw->log, "events.no_end", "turn=%.8s state=" TEXT_FMT, w->turn_id.s,
			    TEXT_ARG(ans->turn.outcome.state));
	/* When its sockets know of the end already, only who waits is told. */
	told = w->live && !ended_add(&events->ended, &w->turn_id, w->mirror.epoch, ans->final_type);
	watch_end(w, final, told);
	if (final != NULL)
		ws_frame_unref(final);
}

static void pulled(struct watch *w, const struct ans_turn_get *ans)
{
	int64_t began_us = clock_us();
	size_t from = 0;
	enum mirror_merge merge;

	watch_name(w, &ans->turn.session_id, &ans->turn.chat_id, ans->turn.session_key);
	snprintf(w->kind, sizeof(w->kind), TEXT_FMT, TEXT_ARG(ans->turn.kind));
	drop_strangers(w);
	merge = mirror_fill(&w->mirror, ans->turn.epoch, ans->offset, ans->pieces, ans->ends, &from);
	if (merge == MERGE_RESET)
		watch_tell_reset(w, watch_reset_frame(w));
	if (merge == MERGE_BROKEN)
		log_warning(&w->events->gw->log, "events.broken", "turn=%.8s offset=%lld have=%zu", w->turn_id.s,
			    (long long)ans->offset, w->mirror.log.n);
	else if (w->mirror.log.n > from)
		watch_tell_pieces(w, from);
	if (!text_is(ans->turn.outcome.state, "running")) {
		if (w->live && text_is(ans->final_type, "ai_response"))
			complete_from_reply(w, ans->turn.outcome.reply);
		pulled_end(w, ans, began_us);
		return;
	}
	w->live = true;
	event_streams_feed(w);
	serve_running(w);
	if (w->again)
		watch_pull(w);
}

/* Its chat was deleted while its sockets saw it run: for them it was stopped. */
static void vanished(struct watch *w)
{
	CLEANUP(string_done) UT_string json;
	struct ws_frame *frame;

	if (!ended_add(&w->events->ended, &w->turn_id, w->mirror.epoch, text_from("ai_status"))) {
		watch_free(w);
		return;
	}
	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_str(&json, "type", "ai_status");
	json_text(&json, "session_id",
		  w->session_key[0] != '\0' ? text_from(w->session_key) : uuid_as_text(&w->session_id));
	json_text(&json, "chat_id", uuid_as_text(&w->chat_id));
	json_text(&json, "turn_id", uuid_as_text(&w->turn_id));
	json_str(&json, "kind", w->kind[0] != '\0' ? w->kind : "message");
	json_str(&json, "state", "stopped");
	json_i64(&json, "attempt", w->mirror.epoch);
	json_close(&json, '}');
	frame = watch_end_frame(w->events, &w->turn_id, json_written(&json), 0, 0);
	watch_end(w, frame, false);
	ws_frame_unref(frame);
}

static void watch_on_pulled(void *arg, const struct answer *answer)
{
	struct watch *w = arg;

	w->pulling = NULL;
	watch_heard(w);
	if (answer->err.rc == RC_OK) {
		pulled(w, answer->body);
		return;
	}
	log_info(&w->events->gw->log, "events.pull", "turn=%.8s rc=%s reason=\"%s\"", w->turn_id.s,
		 rc_name(answer->err.rc), answer->err.message);
	watch_fail(w, answer->err.rc);
	/* A turn nobody waits for any more, or that is not there; otherwise the timer asks again. */
	if (answer->err.rc == RC_NOT_FOUND && w->live)
		vanished(w);
	else if ((!w->live && w->streams == NULL) || answer->err.rc == RC_NOT_FOUND)
		watch_free(w);
}

void watch_pull(struct watch *w)
{
	struct msg_turn_get m = { .turn_id = w->turn_id, .epoch = w->mirror.epoch, .offset = (int64_t)w->mirror.log.n };
	struct ask ask = { .caller = w->caller,
			   .timeout_ms = PULL_MS,
			   .background = true,
			   .elsewhere = upstream_elsewhere(MSG_TURN_GET) };

	if (w->pulling != NULL) {
		w->again = true;
		return;
	}
	w->again = false;
	w->events->pulls_n++;
	w->pulling = bus_request(w->events->gw->chat, MSG_TURN_GET, &m, &ask, watch_on_pulled, w);
}

/* ---- what sockets want ------------------------------------------------------------------------------------ */

static bool is_of(const struct watch *w, const struct ws_conn *ws)
{
	return strcmp(w->caller.user_id.s, ws->caller.user_id.s) == 0;
}

/*
 * The watch of a turn a socket asks for. is_his: store has told so; another's
 * watch is then that of a guest whose work was claimed, and ends. Otherwise it
 * gives way when nobody is left to hear of it, and chat tells whose the turn is.
 * NULL: it is someone else's, or there are too many; the client was told.
 */
static struct watch *watch_for(struct events *events, struct ws_conn *ws, const struct uuid_text *turn_id, bool is_his)
{
	struct watch *w = watch_find(events, turn_id);
	struct ws_refs refs = { .turn_id = uuid_as_text(turn_id) };

	if (w != NULL && is_of(w, ws))
		return w;
	if (w != NULL && !is_his && !watch_is_lonely(w)) {
		ws_error_rc(ws, RC_NOT_FOUND, &refs);
		return NULL;
	}
	if (w != NULL)
		watch_free(w);
	w = watch_open(events, turn_id, &ws->caller, 0);
	if (w == NULL)
		ws_error_rc(ws, RC_BUSY, &refs);
	else
		watch_name_path(w, ws->path_id);
	return w;
}

void events_restore(struct events *events, struct ws_conn *ws, const struct uuid_text *turn_id,
		    const struct uuid_text *session_id, const struct uuid_text *chat_id, struct text head)
{
	struct watch *w = turn_id->s[0] != '\0' ? watch_for(events, ws, turn_id, true) : NULL;
	struct waiter *waiter;

	ws_drop_pieces(ws, is_told_whole, &(struct restored){ head, turn_id });
	if (w == NULL) {
		push_restored(ws, head, NULL);
		return;
	}
	watch_name(w, session_id, chat_id, (struct text){ 0 });
	waiter = wait_for(w, WISH_RESTORE, ws);
	waiter->head = text_copy(waiter, head);
	watch_pull(w);
}

void events_resume(struct events *events, struct ws_conn *ws, const struct uuid_text *turn_id, int64_t epoch,
		   int64_t offset)
{
	struct watch *w = watch_for(events, ws, turn_id, false);
	struct waiter *waiter;

	if (w == NULL)
		return;
	waiter = wait_for(w, WISH_RESUME, ws);
	waiter->epoch = epoch;
	waiter->offset = offset;
	watch_pull(w);
}

void events_repeat_end(struct events *events, struct ws_conn *ws, const struct turn_view *turn)
{
	struct watch *w = watch_for(events, ws, &turn->turn_id, true);

	if (w == NULL)
		return;
	watch_name(w, &turn->session_id, &turn->chat_id, turn->session_key);
	wait_for(w, WISH_END, ws);
	watch_pull(w);
}
