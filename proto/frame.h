/*
 * frame: one message as bytes.
 *
 *   mac[32] | json length (u32, big endian) | json | blobs
 *
 * The MAC is libsodium's crypto_auth (HMAC-SHA512-256) with the suite's bus
 * key over everything behind it. The JSON is the envelope; its member "b" is
 * the body. Any thread; nothing blocks.
 */
#ifndef ALP_FRAME_H
#define ALP_FRAME_H

#include "mac.h"
#include "messages.h"

#define BUS_KEY_BYTES MAC_KEY_BYTES

enum caller_kind { CALLER_NOBODY, CALLER_GUEST, CALLER_USER };

/* Who asks, as gateway verified it. NOBODY has the nil UUID. */
struct caller {
	struct uuid_text user_id;
	enum caller_kind kind;
	char language[3]; /* ru or en: for messages people read */
};

struct envelope {
	enum msg_id msg;
	bool is_answer;
	int64_t timeout_ms; /* request: how long the asker waits */
	int64_t sent_us; /* when it was sent, by its sender's CLOCK_MONOTONIC_RAW; 0: not told */
	int64_t hop_ms; /* request: how long from then on its receiver may answer, before another is asked */
	char trace[56]; /* W3C traceparent, or "" */
	struct caller caller;
	struct err err; /* answer: rc, and why when it is not OK */
};

/* A decoded message: a talloc context that owns the tree and the body. */
struct frame {
	struct envelope env;
	const void *body; /* struct msg_* or ans_*; NULL in an answer that is not OK */
	cJSON *tree;
};

/* Derives the MAC key from BUS_KEY of any length, prepared (mac.h). */
void frame_key(struct text bus_key, unsigned char key_out[BUS_KEY_BYTES]);

/* Appends the bytes of a message to out (initialised). body may be NULL in an answer with an error. */
void frame_encode(UT_string *out, const unsigned char key[BUS_KEY_BYTES], const struct envelope *env, const void *body);

/* Rewrites sent_us and hop_ms in the bytes of a request that frame_encode made with them. */
void frame_stamp(UT_string *bytes, const unsigned char key[BUS_KEY_BYTES], int64_t sent_us, int64_t hop_ms);

/*
 * Reads a message. The frame borrows from bytes, which must outlive it; free
 * it with talloc_free. NULL with err: RC_UNAUTHORIZED (MAC), RC_UNSUPPORTED
 * (other major version, unknown message), RC_INVALID (names the field).
 * When the envelope could be read, *env_out is filled even on error.
 */
struct frame *frame_decode(void *ctx, const unsigned char key[BUS_KEY_BYTES], struct text bytes,
			   struct envelope *env_out, struct err *err);

const char *caller_kind_name(enum caller_kind kind); /* nobody, guest, user */
enum caller_kind caller_kind_from(struct text name);

extern const struct caller caller_nobody;

#endif
