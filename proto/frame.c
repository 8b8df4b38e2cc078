#include "frame.h"

#include <endian.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <sodium.h>

#define FRAME_HEAD (MAC_BYTES + sizeof(uint32_t))

const struct caller caller_nobody = { .user_id = { "00000000-0000-0000-0000-000000000000" },
				      .kind = CALLER_NOBODY,
				      .language = "en" };

static const char *const kind_names[] = { "nobody", "guest", "user" };

const char *caller_kind_name(enum caller_kind kind)
{
	return kind_names[kind <= CALLER_USER ? kind : CALLER_NOBODY];
}

enum caller_kind caller_kind_from(struct text name)
{
	if (text_is(name, "user"))
		return CALLER_USER;
	return text_is(name, "guest") ? CALLER_GUEST : CALLER_NOBODY;
}

void frame_key(struct text bus_key, unsigned char key_out[BUS_KEY_BYTES])
{
	unsigned char secret[MAC_SECRET_BYTES];

	crypto_generichash(secret, sizeof(secret), (const unsigned char *)bus_key.p, bus_key.len, NULL, 0);
	mac_prepare(key_out, secret);
	sodium_memzero(secret, sizeof(secret));
}

/* The stamp of a request or an answer: both numbers in so many hex digits, in the first member, so that its place is known. */
#define STAMP_LEN 24
#define STAMP_AT (FRAME_HEAD + sizeof("{\"s\":\"") - 1)

static void put_stamp(char out[STAMP_LEN], int64_t sent_us, int64_t hop_ms)
{
	uint64_t sent = htobe64((uint64_t)sent_us);
	uint32_t hop = htobe32((uint32_t)hop_ms);
	unsigned char bytes[STAMP_LEN / 2];
	char hex[STAMP_LEN + 1];

	memcpy(bytes, &sent, sizeof(sent));
	memcpy(bytes + sizeof(sent), &hop, sizeof(hop));
	sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes));
	memcpy(out, hex, STAMP_LEN);
}

static void get_stamp(struct text stamp, struct envelope *env)
{
	char sent[17];

	if (stamp.len != STAMP_LEN)
		return;
	memcpy(sent, stamp.p, 16);
	sent[16] = '\0';
	env->sent_us = (int64_t)strtoull(sent, NULL, 16);
	env->hop_ms = (int64_t)strtoull(stamp.p + 16, NULL, 16);
}

static void put_envelope(UT_string *json, const struct envelope *env)
{
	char stamp[STAMP_LEN];

	utstring_bincpy(json, "{", 1); /* behind bytes that are no JSON: no comma */
	if (env->sent_us > 0) {
		put_stamp(stamp, env->sent_us, env->hop_ms);
		json_text(json, "s", text_of(stamp, STAMP_LEN));
	}
	json_i64(json, "v", PROTO_MAJOR);
	json_str(json, "m", msg_info(env->msg)->name);
	if (env->trace[0] != '\0')
		json_str(json, "tp", env->trace);
	if (!env->is_answer) {
		json_i64(json, "t", env->timeout_ms);
		json_str(json, "u", env->caller.user_id.s);
		json_str(json, "k", caller_kind_name(env->caller.kind));
		json_str(json, "l", env->caller.language);
		return;
	}
	json_str(json, "rc", rc_name(env->err.rc));
	if (env->err.field[0] != '\0')
		json_str(json, "f", env->err.field);
	if (env->err.message[0] != '\0')
		json_str(json, "e", env->err.message);
}

/* The MAC of the message that begins at start and ends with out. */
static void sign(UT_string *out, size_t start, const unsigned char key[BUS_KEY_BYTES])
{
	unsigned char *head = (unsigned char *)utstring_body(out) + start;

	mac_write(head, key, text_of(head + MAC_BYTES, utstring_len(out) - start - MAC_BYTES));
}

void frame_stamp(UT_string *bytes, const unsigned char key[BUS_KEY_BYTES], int64_t sent_us, int64_t hop_ms)
{
	put_stamp(utstring_body(bytes) + STAMP_AT, sent_us, hop_ms);
	sign(bytes, 0, key);
}

void frame_encode(UT_string *out, const unsigned char key[BUS_KEY_BYTES], const struct envelope *env, const void *body)
{
	const struct msg_info *info = msg_info(env->msg);
	CLEANUP(string_done) UT_string blob = { 0 }; /* without memory until there is one */
	struct enc e = { .json = out, .blob = &blob };
	static const char head[FRAME_HEAD];
	size_t start = utstring_len(out);
	uint32_t len;

	utstring_bincpy(out, head, sizeof(head));
	put_envelope(out, env);
	if (body != NULL) {
		json_open(out, "b", '{');
		(env->is_answer ? info->enc_ans : info->enc_req)(&e, body);
		json_close(out, '}');
	}
	json_close(out, '}');
	len = htonl((uint32_t)(utstring_len(out) - start - FRAME_HEAD));
	memcpy(utstring_body(out) + start + MAC_BYTES, &len, sizeof(len));
	utstring_bincpy(out, utstring_body(&blob), utstring_len(&blob));
	sign(out, start, key);
}

static void copy_text(char *out, size_t size, struct text t)
{
	snprintf(out, size, TEXT_FMT, TEXT_ARG(t));
}

static bool get_envelope(const cJSON *tree, struct envelope *env, struct err *err)
{
	int64_t version = 0;
	struct text name = json_get_text(tree, "m");
	struct text code = json_get_text(tree, "rc");
	struct text user = json_get_text(tree, "u");

	if (!json_get_i64(tree, "v", &version) || version != PROTO_MAJOR)
		return err_set(err, RC_UNSUPPORTED, "the peer speaks version %lld, this is version %d",
			       (long long)version, PROTO_MAJOR);
	env->msg = name.len > 0 ? msg_by_name(name.p) : MSG_NONE;
	if (env->msg == MSG_NONE)
		return err_set(err, RC_UNSUPPORTED, "unknown message");
	get_stamp(json_get_text(tree, "s"), env);
	copy_text(env->trace, sizeof(env->trace), json_get_text(tree, "tp"));
	if (code.len > 0 && msg_info(env->msg)->is_event)
		return err_set(err, RC_INVALID, "a publication has no answer");
	if (code.len > 0) {
		env->is_answer = true;
		env->err.rc = rc_from_name(code.p);
		copy_text(env->err.field, sizeof(env->err.field), json_get_text(tree, "f"));
		copy_text(env->err.message, sizeof(env->err.message), json_get_text(tree, "e"));
		return true;
	}
	json_get_i64(tree, "t", &env->timeout_ms);
	env->caller.kind = caller_kind_from(json_get_text(tree, "k"));
	copy_text(env->caller.language, sizeof(env->caller.language), json_get_text(tree, "l"));
	return uuid_from_text(user, &env->caller.user_id) || err_field(err, RC_INVALID, "u", "no caller");
}

/* The envelope and the blobs of authenticated bytes; NULL with err. */
static cJSON *open_frame(const unsigned char key[BUS_KEY_BYTES], struct text bytes, struct text *blob, struct err *err)
{
	const unsigned char *head = (const unsigned char *)bytes.p;
	uint32_t len;
	cJSON *tree;

	if (bytes.len < FRAME_HEAD || !mac_verify(head, key, text_of(head + MAC_BYTES, bytes.len - MAC_BYTES))) {
		err_set(err, RC_UNAUTHORIZED, "the peer does not have the suite's bus key");
		return NULL;
	}
	memcpy(&len, head + MAC_BYTES, sizeof(len));
	len = ntohl(len);
	if (len > bytes.len - FRAME_HEAD) {
		err_set(err, RC_INVALID, "cut message");
		return NULL;
	}
	tree = json_parse_trusted(text_of(bytes.p + FRAME_HEAD, len));
	if (!cJSON_IsObject(tree)) {
		json_drop(&tree);
		err_set(err, RC_INVALID, "the envelope is not a JSON object");
		return NULL;
	}
	*blob = text_of(bytes.p + FRAME_HEAD + len, bytes.len - FRAME_HEAD - len);
	return tree;
}

static int frame_on_free(struct frame *f)
{
	json_drop(&f->tree);
	return 0;
}

static bool decode_body(struct frame *f, struct text blob, struct err *err)
{
	const struct msg_info *info = msg_info(f->env.msg);
	struct dec d = { .object = json_get(f->tree, "b"), .blob = blob };
	void *body;

	if (f->env.is_answer && f->env.err.rc != RC_OK)
		return true;
	if (!cJSON_IsObject(d.object))
		return err_set(err, RC_INVALID, "the message has no body");
	body = talloc_zero_size(f, (f->env.is_answer ? info->ans_size : info->req_size) + 1);
	(f->env.is_answer ? info->dec_ans : info->dec_req)(&d, body);
	f->body = body;
	return d.bad == NULL || err_field(err, RC_INVALID, d.bad, "%s: missing or malformed", d.bad);
}

struct frame *frame_decode(void *ctx, const unsigned char key[BUS_KEY_BYTES], struct text bytes,
			   struct envelope *env_out, struct err *err)
{
	struct text blob = { 0 };
	cJSON *tree = open_frame(key, bytes, &blob, err);
	struct frame *f;

	if (tree == NULL)
		return NULL;
	f = talloc_zero(ctx, struct frame);
	f->tree = tree;
	talloc_set_destructor(f, frame_on_free);
	if (get_envelope(tree, &f->env, err)) {
		if (env_out != NULL)
			*env_out = f->env;
		if (decode_body(f, blob, err))
			return f;
	}
	talloc_free(f);
	return NULL;
}
