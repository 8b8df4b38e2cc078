#include "event_stream.h"

#include <stdio.h>

#include <utlist.h>

#include "clock.h"
#include "problem.h"
#include "watch.h"

#define KEEP_ALIVE_MS 15000

struct event_stream {
	struct http_request *r;
	struct watch *watch; /* NULL: it is over, the rest is being sent */
	struct text session_id;
	int64_t epoch;
	size_t next; /* the piece that comes next */
	bool shown; /* the client holds something of this epoch */
	ev_timer beat;
	struct event_stream *prev, *next_in_watch;
};

/* ---- writing ------------------------------------------------------------------------- */

/* The name of a frame's type: every frame begins with it. */
static struct text type_of(struct text frame)
{
	static const char head[] = "{\"type\":\"";
	size_t len = sizeof(head) - 1;
	const char *end;

	if (frame.len <= len || memcmp(frame.p, head, len) != 0)
		return text_from("message");
	end = memchr(frame.p + len, '"', frame.len - len);
	return end != NULL ? text_of(frame.p + len, (size_t)(end - frame.p) - len) : text_from("message");
}

static void event_write(struct event_stream *s, struct text frame, bool has_position, size_t offset)
{
	CLEANUP(string_done) UT_string out;
	struct text type = type_of(frame);

	utstring_init(&out);
	utstring_printf(&out, "event: " TEXT_FMT "\n", TEXT_ARG(type));
	if (has_position)
		utstring_printf(&out, "id: %lld.%zu\n", (long long)s->epoch, offset);
	utstring_printf(&out, "data: ");
	utstring_bincpy(&out, frame.p, frame.len); /* JSON of our own: no line breaks */
	utstring_printf(&out, "\n\n");
	http_stream_write(s->r, json_written(&out));
}

static struct text text_of_frame(const struct ws_frame *frame)
{
	return text_of(frame->bytes + LWS_PRE, frame->len);
}

static bool has_room(const struct event_stream *s)
{
	return http_stream_waiting(s->r) < (size_t)s->r->gw->config->ws_queue_max / 2;
}

/* What cannot wait in the mirror. False: the reader is too slow, it is hung up on. */
static bool write_or_kill(struct event_stream *s, struct text frame, bool has_position, size_t offset)
{
	size_t waiting = http_stream_waiting(s->r);

	/* As on sockets, one long frame passes through a short queue. */
	if (waiting > 0 && waiting + frame.len > (size_t)s->r->gw->config->ws_queue_max) {
		log_info(&s->r->log, "stream.slow", "bytes=%zu", waiting);
		http_stream_kill(s->r);
		return false;
	}
	event_write(s, frame, has_position, offset);
	return true;
}

/* ---- life ----------------------------------------------------------------------------- */

static void detach(struct event_stream *s)
{
	loop_disarm(s->r->gw->loop, &s->beat);
	if (s->watch != NULL)
		DL_DELETE2(s->watch->streams, s, prev, next_in_watch);
	s->watch = NULL;
}

static void finish(struct event_stream *s)
{
	detach(s);
	http_stream_end(s->r);
}

void event_stream_break_off(struct event_stream *s)
{
	if (s->watch == NULL)
		return;
	s->r->close = true;
	finish(s);
}

void event_stream_on_gone(struct event_stream *s)
{
	if (s == NULL)
		return;
	detach(s);
	s->r->stream = NULL;
	talloc_free(s);
}

static void write_error(struct event_stream *s, const char *code, enum word id)
{
	CLEANUP(string_done) UT_string json;
	char now[CLOCK_ISO_SIZE];

	utstring_init(&json);
	clock_iso(clock_wall_us(), now);
	json_open(&json, NULL, '{');
	json_str(&json, "type", "error");
	json_str(&json, "message", word(s->r->caller.language, id));
	json_str(&json, "code", code);
	json_text(&json, "session_id", s->session_id);
	if (s->watch != NULL)
		json_str(&json, "turn_id", s->watch->turn_id.s);
	json_str(&json, "timestamp", now);
	json_close(&json, '}');
	write_or_kill(s, json_written(&json), false, 0);
}

/* A comment now and then keeps proxies from taking silence for an end, and shows us that a client is gone. */
static void stream_on_beat(struct ev_loop *ev, ev_timer *timer, int events)
{
	struct event_stream *s = timer->data;

	(void)ev, (void)events;
	if (s->r->expires_s > 0 && clock_wall_us() / 1000000 >= s->r->expires_s) {
		write_error(s, "unauthorized", WORD_UNAUTHORIZED);
		finish(s);
		return;
	}
	if (http_stream_waiting(s->r) == 0)
		http_stream_write(s->r, text_from(": keep-alive\n\n"));
	loop_arm(s->r->gw->loop, timer, KEEP_ALIVE_MS);
}

/* ---- following -------------------------------------------------------------------------- */

static void stream_feed(struct event_stream *s)
{
	const struct watch *w = s->watch;

	if (s->epoch != w->mirror.epoch) {
		struct ws_frame *frame = s->shown ? watch_reset_frame(w) : NULL;

		s->epoch = w->mirror.epoch;
		s->next = 0;
		s->shown = false;
		if (frame != NULL)
			write_or_kill(s, text_of_frame(frame), false, 0);
		if (frame != NULL)
			ws_frame_unref(frame);
	}
	for (; s->next < w->mirror.log.n && has_room(s); s->next++) {
		struct ws_frame *frame = watch_piece_frame(w, s->next);

		event_write(s, text_of_frame(frame), true, s->next);
		ws_frame_unref(frame);
		s->shown = true;
	}
}

void event_stream_on_drained(struct event_stream *s)
{
	if (s != NULL && s->watch != NULL)
		stream_feed(s);
}

void event_streams_feed(struct watch *w)
{
	struct event_stream *s;

	DL_FOREACH2 (w->streams, s, next_in_watch)
		stream_feed(s);
}

void event_streams_tell(struct watch *w, struct ws_frame *frame)
{
	struct event_stream *s;

	DL_FOREACH2 (w->streams, s, next_in_watch)
		write_or_kill(s, text_of_frame(frame), false, 0);
}

/* As on sockets (watch_tell_rest). False: hung up on. */
static bool write_rest(struct event_stream *s)
{
	const struct watch *w = s->watch;
	struct ws_frame *frame;
	bool written;

	if (s->next >= w->mirror.log.n)
		return true;
	frame = watch_rest_frame(w, s->next);
	s->next = w->mirror.log.n;
	written = write_or_kill(s, text_of_frame(frame), true, s->next - 1);
	ws_frame_unref(frame);
	return written;
}

void event_streams_end(struct watch *w, struct ws_frame *final)
{
	struct event_stream *s, *next;

	DL_FOREACH_SAFE2 (w->streams, s, next, next_in_watch) {
		stream_feed(s);
		if (final == NULL)
			write_error(s, "busy", WORD_UNAVAILABLE); /* asking again with the same id tells */
		else if (write_rest(s))
			write_or_kill(s, text_of_frame(final), true, w->mirror.log.n);
		finish(s);
	}
}

/* Where the client is: behind the last piece it had. */
static void take_position(struct event_stream *s, const struct turn_view *turn)
{
	int64_t offset;

	s->epoch = turn->epoch;
	if (!mirror_position(s->r->last_event_id, &s->epoch, &offset))
		return;
	s->next = (size_t)offset + 1;
	s->shown = true;
}

static void write_first(struct event_stream *s, const struct turn_view *turn)
{
	CLEANUP(string_done) UT_string json;

	utstring_init(&json);
	write_accepted(&json, turn, s->session_id);
	http_stream_begin(s->r, "text/event-stream; charset=utf-8");
	event_write(s, json_written(&json), false, 0);
}

/* The turn's watch. NULL: there are too many. */
static struct watch *watch_for(struct http_request *r, const struct turn_view *turn, struct text session_id)
{
	struct watch *w = watch_find(r->gw->events, &turn->turn_id);

	if (w == NULL)
		w = watch_open(r->gw->events, &turn->turn_id, &r->caller, turn->epoch);
	if (w == NULL)
		return NULL;
	watch_name(w, &turn->session_id, &turn->chat_id, turn->session_key);
	watch_name_path(w, session_id);
	if (text_is(turn->outcome.state, "running"))
		w->live = true;
	return w;
}

void event_stream_answer(struct http_request *r, const struct turn_view *turn, struct text session_id)
{
	struct watch *w = watch_for(r, turn, session_id);
	struct event_stream *s;

	if (w == NULL) {
		problem_later(r, 503, WORD_BUSY, 1);
		return;
	}
	s = talloc_zero(NULL, struct event_stream);
	s->r = r;
	s->session_id = text_copy(s, session_id);
	s->watch = w;
	r->stream = s;
	take_position(s, turn);
	loop_timer(&s->beat, stream_on_beat, s);
	loop_arm(r->gw->loop, &s->beat, KEEP_ALIVE_MS);
	DL_APPEND2(w->streams, s, prev, next_in_watch);
	write_first(s, turn);
	stream_feed(s);
	watch_pull(w); /* what was published before we were there */
}
