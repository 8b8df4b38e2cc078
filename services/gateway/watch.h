/*
 * watch: one turn that is followed: its mirror, whose sockets hear of it, and
 * what is still asked for. Shared by events.c (what chat publishes) and
 * watch_wishes.c (what sockets want, what is pulled). Loop thread only.
 */
#ifndef ALP_WATCH_H
#define ALP_WATCH_H

#include "event_stream.h"
#include "events.h"

struct waiter;

/* Who hears of a turn: the owner's sockets under either name of the session. */
struct audience {
	struct session_group *groups[2];
};

#define AUDIENCE_FOREACH(audience, ws) \
	for (int group_ = 0; group_ < 2; group_++) \
		if ((audience).groups[group_] != NULL) \
			DL_FOREACH ((audience).groups[group_]->all, ws)

struct watch {
	struct events *events;
	struct uuid_text turn_id;
	struct uuid_text session_id, chat_id; /* "" until known */
	char *session_key; /* the client's own name, or "" */
	char kind[16]; /* welcome, message, finalize; "" until known */
	struct caller caller; /* the owner */
	struct mirror mirror;
	bool live; /* its sockets believe that it runs */
	int64_t heard_us;
	ev_timer timer;
	struct request *pulling;
	bool again; /* something more was missed while that was on its way */
	struct event_stream *streams; /* HTTP requests that follow it */
	struct waiter *waiters; /* sockets that wait for what is being pulled */
	UT_hash_handle hh;
};

struct events {
	struct gateway *gw;
	struct watch *watches;
	struct ended ended;
	UT_string scratch;
	uint64_t pulls_n, gaps_n;
};

struct audience audience_of(const struct events *events, const struct uuid_text *user_id,
			    const struct uuid_text *session_id, struct text session_key);
bool audience_is_empty(const struct audience *audience);

struct watch *watch_find(const struct events *events, const struct uuid_text *turn_id);

/* NULL when there are too many. */
struct watch *watch_open(struct events *events, const struct uuid_text *turn_id, const struct caller *caller,
			 int64_t epoch);

/* What chat says of it; what is empty is left as it is. key: the client's own name of the session. */
void watch_name(struct watch *w, const struct uuid_text *session_id, const struct uuid_text *chat_id, struct text key);

/* The session as one client named it, in a path or a body: for as long as chat has told no other name. */
void watch_name_path(struct watch *w, struct text path_id);
void watch_free(struct watch *w); /* who still waits is told to ask again */

/* None of its owner's sockets is there any more. */
bool watch_is_lonely(const struct watch *w);
void watch_heard(struct watch *w);

/* Asks chat for what is missing; one request at a time. */
void watch_pull(struct watch *w);

/* Tells its sockets of the pieces from `from` on. */
void watch_tell_pieces(struct watch *w, size_t from);
void watch_tell(struct watch *w, struct ws_frame *frame);
struct ws_frame *watch_reset_frame(const struct watch *w);

/* Says that what was shown of it is void; takes the frame's reference. */
void watch_tell_reset(const struct watch *w, struct ws_frame *frame);

/* The frame of piece i, with one reference; of all pieces from `from` on, joined to one. */
struct ws_frame *watch_piece_frame(const struct watch *w, size_t i);
struct ws_frame *watch_rest_frame(const struct watch *w, size_t from);

/*
 * Gives a socket the pieces from next on, as far as its queue has room; the
 * rest follows with the next piece, or before the end. *last is the
 * frame of the newest piece, made when first needed and shared by the caller.
 */
void watch_feed(const struct watch *w, struct ws_conn *ws, int64_t next, struct ws_frame **last);

/* Whoever waits is told why there is no answer. */
void watch_fail(struct watch *w, enum rc rc);

/*
 * Before the end: what had no room goes out as one piece, so that the joined
 * pieces are the reply. Who has no room for that and the end is let go; his
 * next history has all of it.
 */
void watch_tell_rest(const struct watch *w);

/*
 * The turn has ended with this frame (NULL: nothing is known of it). told: its
 * sockets have it already. Whoever waits is answered; w is freed.
 */
void watch_end(struct watch *w, struct ws_frame *final, bool told);

/* A turn's end as chat wrote it; total_us > 0: its timing object is open and is closed here. */
struct ws_frame *watch_end_frame(struct events *events, const struct uuid_text *turn_id, struct text json,
				 int64_t total_us, int64_t began_us);

#endif
