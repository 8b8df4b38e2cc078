/*
 * ws_conn: one WebSocket: who is on it, the assembly of what comes in, the
 * bounded queue of what goes out, pings, and its end. Sockets of one session
 * of one owner form a group. Loop thread only.
 */
#ifndef ALP_WS_CONN_H
#define ALP_WS_CONN_H

#include "conn.h"
#include "mirror.h"
#include "tokens.h"

/* Close codes: RFC 6455, 7.4, and contract/websocket.md 1.1. */
enum ws_close {
	WS_CLOSE_BINARY = 1003,
	WS_CLOSE_FLOOD = 1008,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_RESTART = 1012, /* come back: this process ends */
	WS_CLOSE_OVERLOAD = 1013, /* come back later: you read too slowly */
	WS_CLOSE_SIGNED_OUT = 4401,
};

/* The bytes of one outgoing message, shared by all sockets that get it. */
struct ws_frame {
	unsigned refs;
	struct uuid_text piece_of; /* the turn of whose reply it is a piece, or a reset; "": it is something else */
	struct uuid_text end_of; /* the turn whose end it tells, or "" */
	size_t len;
	unsigned char bytes[]; /* LWS_PRE, then the text */
};

struct ws_frame *ws_frame_new(struct text json); /* with one reference */
void ws_frame_unref(struct ws_frame *frame);

struct ws_item;

struct ws_queue {
	struct ws_item *items; /* oldest first */
	size_t bytes;
};

struct session_group;

#define POSTED_MAX 8

struct ws_conn {
	struct conn *conn;
	struct gateway *gw;
	uint64_t id; /* what completions find it by; 0 until open */
	struct log log;
	struct caller caller;
	struct token token; /* it came with; expires_s 0: never */
	struct text path_id; /* the session as named in the path */
	bool is_switch; /* /ws/chat/{id}/switch */

	struct text frame_trace; /* the traceparent of the message being taken; else empty */
	UT_string in; /* a message in pieces */
	bool in_binary;
	struct ws_queue out;
	struct ws_queue held; /* events that wait until posts are acknowledged, and histories told */
	int holds;
	struct uuid_text posted[POSTED_MAX]; /* the latest messages it sent: it is told of them by their answers */
	unsigned posted_n;
	int asks_open; /* requests on the bus */
	struct cursors cursors;
	struct ws_bucket {
		double left;
		int64_t at_us;
	} bucket; /* messages it may still send */

	int64_t opened_us, heard_us, pinged_us;
	bool ping_due;
	unsigned close_code; /* 0: open */
	bool close_said; /* lws sends the close frame and waits for the peer's */
	int64_t closing_us;
	struct user_sockets *user; /* whose it was when it was opened; NULL: nobody's */
	struct session_group *group;
	struct ws_conn *prev, *next; /* in the group */
	bool is_due; /* in sockets.due */
	struct ws_conn *due_next;
	UT_hash_handle hh; /* by id */
};

/* ---- for those who have something to say --------------------------------------------------- */

/* Queues a message; the frame's reference stays the caller's. Too much waiting closes the socket with 1013. */
void ws_push(struct ws_conn *ws, struct ws_frame *frame);

/* The same for an event, which may not overtake the acknowledgement of a post on its way. */
void ws_push_event(struct ws_conn *ws, struct ws_frame *frame);
void ws_push_json(struct ws_conn *ws, const UT_string *json);

typedef bool turn_test(const void *arg, const struct uuid_text *turn_id);

/* Of what is held back: the pieces of turns for which is_told says true. */
void ws_drop_held(struct ws_conn *ws, turn_test *is_told, const void *arg);

/* Those, and every piece to come: the socket has the whole turn in another way. */
void ws_drop_pieces(struct ws_conn *ws, turn_test *is_told, const void *arg);

/* From now on events wait, until as many releases: what was held back follows the answer. */
void ws_hold(struct ws_conn *ws);
void ws_release(struct ws_conn *ws);
bool ws_holds_end(const struct ws_conn *ws, const struct uuid_text *turn_id); /* its end is among what waits */

/* A message of this client id was sent by this socket lately. */
bool ws_has_posted(const struct ws_conn *ws, const struct uuid_text *client_message_id);

/* Says what is queued, then closes. The first code stays. */
void ws_close(struct ws_conn *ws, enum ws_close code);

/* ---- the registry ------------------------------------------------------------------------------ */

struct session_group {
	char *key;
	struct ws_conn *all;
	UT_hash_handle hh;
};

/* How many sockets somebody has open. */
struct user_sockets {
	struct uuid_text user_id;
	size_t n;
	UT_hash_handle hh;
};

struct sockets {
	struct ws_conn *by_id;
	struct user_sockets *users;
	struct session_group *groups;
	uint64_t last_id;
	struct ev_loop *ev;
	struct ws_conn *due; /* have something to write since the loop last waited */
	ev_prepare write_due;
};

struct sockets *sockets_new(void *ctx, struct loop *loop);
struct ws_conn *sockets_find(const struct sockets *sockets, uint64_t id);
size_t sockets_count(const struct sockets *sockets);
size_t sockets_of_user(const struct sockets *sockets, const struct uuid_text *user_id);
void sockets_add(struct sockets *sockets, struct ws_conn *ws); /* gives it its id */
void sockets_remove(struct sockets *sockets, struct ws_conn *ws);

/* It is written to before the loop waits again, without asking the kernel first whether it may. */
void sockets_write_soon(struct sockets *sockets, struct ws_conn *ws);

/* The open sockets of an owner's session, by either of its names. NULL: none. */
struct session_group *sockets_group(const struct sockets *sockets, const struct uuid_text *user_id,
				    struct text path_id);

/* ---- for server and conn ------------------------------------------------------------------------- */

/* As lws wants it: 0 lets the upgrade go on, -1 hangs up (an answer was written when one is due). */
int ws_on_upgrade(struct conn *conn);
int ws_on_open(struct conn *conn);
int ws_on_receive(struct conn *conn, struct text piece);
int ws_on_writable(struct conn *conn);
void ws_write_now(struct ws_conn *ws); /* outside of lws; it may end the connection */
void ws_on_pong(struct conn *conn);
void ws_on_tick(struct ws_conn *ws);
void ws_on_closed(struct conn *conn);

/* ---- ws_upgrade.c → ws_conn.c; ws_conn.c → ws_frames.c ----------------------------------------------- */

struct ws_conn *ws_new(struct conn *conn, const struct caller *caller, const struct token *token, struct text path_id,
		       bool is_switch);

/* A whole message. */
void ws_take(struct ws_conn *ws, struct text message);

#endif
