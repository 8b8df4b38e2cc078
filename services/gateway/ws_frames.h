/* ws_frames: what clients say on a socket and what they are told about it (contract/streaming.md). Loop thread only. */
#ifndef ALP_WS_FRAMES_H
#define ALP_WS_FRAMES_H

#include "words.h"
#include "ws_conn.h"

/* What an error frame refers to; empty texts are left out. */
struct ws_refs {
	struct text chat_id, client_message_id, turn_id;
	int64_t retry_after_ms; /* 0: left out */
};

/* An error frame with a code of streaming.md. refs may be NULL. */
void ws_error(struct ws_conn *ws, const char *code, enum word id, const struct ws_refs *refs);

/* ... whose message ends with what it is about: a field's name, an unknown command. Empty: without. */
void ws_error_about(struct ws_conn *ws, const char *code, enum word id, struct text about, const struct ws_refs *refs);

/*
 * A member that may be missing or null (then *out is empty), and else is a
 * string of at most max characters. False: it is not, and the client was told.
 */
bool ws_text_member(struct ws_conn *ws, const cJSON *json, const char *key, size_t max, const struct ws_refs *refs,
		    struct text *out);

/* ... for a peer's refusal. */
void ws_error_rc(struct ws_conn *ws, enum rc rc, const struct ws_refs *refs);

/* The accepted frame of a turn; session_id as the client named it. Left out is what the turn does not have. */
void write_accepted(UT_string *json, const struct turn_view *turn, struct text session_id);

/* A request on the bus on behalf of a socket, found again by id when the answer comes. */
struct ws_ask {
	struct gateway *gw;
	uint64_t ws_id;
	struct caller caller;
	struct text path_id;
	struct text chat_id; /* as the client named it */
	struct text client_message_id; /* as the client named it; empty: it did not */
	struct text turn_id;
	bool is_post; /* its answer (an acknowledgement, a history) goes before events */
	enum msg_id msg;
	int64_t since_us;
	struct span span;
	void (*then)(struct ws_ask *ask, struct ws_conn *ws, const struct answer *answer); /* ws NULL: it is gone */
};

/* NULL: too many are on their way, which the client was told. refs are copied; then is set by the caller. */
struct ws_ask *ws_ask_new(struct ws_conn *ws, const struct ws_refs *refs);
void ws_ask_send(struct ws_ask *ask, struct peer *peer, enum msg_id msg, const void *body);

/* The refs of an ask, for an error about it. */
struct ws_refs ws_ask_refs(const struct ws_ask *ask);

/* A command of the switch socket (ws_switch.c). */
void ws_switch_take(struct ws_conn *ws, const cJSON *json);

#endif
