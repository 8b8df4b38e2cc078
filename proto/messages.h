/*
 * messages: the structs and codecs grown from messages.def.
 *
 * struct msg_<name> is a request or an event, struct ans_<name> an answer.
 * A decoded message borrows from its frame: see bus.h for how long it lives.
 * Any thread; nothing blocks.
 */
#ifndef ALP_MESSAGES_H
#define ALP_MESSAGES_H

#include <stdint.h>

#include "json.h"

#define PROTO_MAJOR 2

enum service { SERVICE_GATEWAY = 1, SERVICE_CHAT = 2, SERVICE_AI = 4, SERVICE_STORE = 8 };

#define CTYPE_uuid struct uuid_text
#define CTYPE_text struct text
#define CTYPE_blob struct text
#define CTYPE_i64 int64_t
#define CTYPE_flag bool
#define CTYPE_real double
#define CTYPE_signed_in struct signed_in
#define CTYPE_usage struct usage
#define CTYPE_timing struct timing
#define CTYPE_outcome struct outcome
#define CTYPE_ai_settings struct ai_settings
#define CTYPE_turn_context struct turn_context
#define CTYPE_turn_view struct turn_view

#define FIELD(type, name) CTYPE_##type name;
#define OPT(type, name) CTYPE_##type name;
#define REQ(...) __VA_ARGS__
#define ANS(...) __VA_ARGS__

#define OBJECT(name, ...) \
	struct name { \
		__VA_ARGS__ \
	};
#define CALL(ID, name, receiver, req, ans) \
	struct msg_##name { \
		req \
	}; \
	struct ans_##name { \
		ans \
	};
#define EVENT(ID, name, receiver, ...) \
	struct msg_##name { \
		__VA_ARGS__ \
	};
#include "messages.def"

#undef FIELD
#undef OPT
#undef REQ
#undef ANS

/*
 * <name>_keep and msg_<name>_keep: copies every text of a decoded group or
 * request into ctx, for what outlives its frame. The struct itself is changed.
 */
#define OBJECT(name, ...) void name##_keep(const void *ctx, struct name *m);
#define CALL(ID, name, receiver, req, ans) void msg_##name##_keep(const void *ctx, struct msg_##name *m);
#define EVENT(ID, name, receiver, ...) void msg_##name##_keep(const void *ctx, struct msg_##name *m);
#include "messages.def"

enum msg_id {
	MSG_NONE,
#define CALL(ID, name, receiver, req, ans) MSG_##ID,
#define EVENT(ID, name, receiver, ...) MSG_##ID,
#include "messages.def"
	MSG_COUNT
};

/* Where an encoder writes: the JSON body and the raw bytes behind it. */
struct enc {
	UT_string *json;
	UT_string *blob;
};

/* Where a decoder reads. bad is sticky and names the first field that did not fit. */
struct dec {
	const cJSON *object;
	struct text blob;
	const char *bad;
};

typedef void enc_fn(struct enc *e, const void *body);
typedef void dec_fn(struct dec *d, void *body);

struct msg_info {
	const char *name;
	enum service to;
	bool is_event;
	size_t req_size, ans_size; /* bytes of the structs; 0 for MSG_NONE */
	enc_fn *enc_req, *enc_ans; /* members of an open JSON object */
	dec_fn *dec_req, *dec_ans; /* into a zeroed struct */
};

/* The entry of a message; NULL outside 1..MSG_COUNT-1. */
const struct msg_info *msg_info(enum msg_id id);

/* The message of a name; MSG_NONE when unknown. */
enum msg_id msg_by_name(const char *name);

#endif
