#include "messages.h"

#include <math.h>

/* ---- writing: a field's put_ writes it unless it is optional and empty ---- */

static void put_uuid(struct enc *e, const char *key, const struct uuid_text *v, bool must)
{
	if (must || v->s[0] != '\0')
		json_text(e->json, key, uuid_as_text(v));
}

static void put_text(struct enc *e, const char *key, const struct text *v, bool must)
{
	if (must || v->len > 0)
		json_text(e->json, key, *v);
}

static void put_blob(struct enc *e, const char *key, const struct text *v, bool must)
{
	if (!must && v->len == 0)
		return;
	json_open(e->json, key, '[');
	json_i64(e->json, NULL, (int64_t)utstring_len(e->blob));
	json_i64(e->json, NULL, (int64_t)v->len);
	json_close(e->json, ']');
	if (v->len > 0)
		utstring_bincpy(e->blob, v->p, v->len);
}

static void put_i64(struct enc *e, const char *key, const int64_t *v, bool must)
{
	if (must || *v != 0)
		json_i64(e->json, key, *v);
}

static void put_flag(struct enc *e, const char *key, const bool *v, bool must)
{
	if (must || *v)
		json_bool(e->json, key, *v);
}

static void put_real(struct enc *e, const char *key, const double *v, bool must)
{
	if (must || fpclassify(*v) != FP_ZERO)
		json_real(e->json, key, *v);
}

/* A group that was never filled in; one in use has at least a byte that is not zero. */
static bool is_empty(const void *group, size_t size)
{
	const char *p = group;

	return p[0] == 0 && memcmp(p, p + 1, size - 1) == 0; /* each byte is as the one before it */
}

/* ---- reading: a field's get_ fills it or marks the decoder ---------------- */

static void dec_mark(struct dec *d, const char *key)
{
	if (d->bad == NULL)
		d->bad = key;
}

/* The item of a field; NULL when it is absent, which is bad only where it must be there. */
static const cJSON *dec_item(struct dec *d, const char *key, bool must)
{
	const cJSON *item = json_get(d->object, key);

	if (item == NULL && must)
		dec_mark(d, key);
	return item;
}

static void get_text(struct dec *d, const char *key, struct text *v, bool must)
{
	const cJSON *item = dec_item(d, key, must);

	if (cJSON_IsString(item))
		*v = text_from(item->valuestring);
	else if (item != NULL)
		dec_mark(d, key);
}

static void get_uuid(struct dec *d, const char *key, struct uuid_text *v, bool must)
{
	const cJSON *item = dec_item(d, key, must);

	if (item != NULL && (!cJSON_IsString(item) || !uuid_from_text(text_from(item->valuestring), v)))
		dec_mark(d, key);
}

static bool item_i64(const cJSON *item, int64_t *out)
{
	if (!cJSON_IsNumber(item) || floor(item->valuedouble) != item->valuedouble ||
	    fabs(item->valuedouble) > 9007199254740992.0)
		return false;
	*out = (int64_t)item->valuedouble;
	return true;
}

static void get_i64(struct dec *d, const char *key, int64_t *v, bool must)
{
	const cJSON *item = dec_item(d, key, must);

	if (item != NULL && !item_i64(item, v))
		dec_mark(d, key);
}

static void get_blob(struct dec *d, const char *key, struct text *v, bool must)
{
	const cJSON *item = dec_item(d, key, must);
	int64_t from = -1, len = -1;

	if (item == NULL)
		return;
	if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 || !item_i64(item->child, &from) ||
	    !item_i64(item->child->next, &len) || from < 0 || len < 0 || (uint64_t)from > d->blob.len ||
	    (uint64_t)len > d->blob.len - (uint64_t)from)
		dec_mark(d, key);
	else if (len > 0)
		*v = text_of(d->blob.p + from, (size_t)len);
}

static void get_flag(struct dec *d, const char *key, bool *v, bool must)
{
	const cJSON *item = dec_item(d, key, must);

	if (cJSON_IsBool(item))
		*v = cJSON_IsTrue(item);
	else if (item != NULL)
		dec_mark(d, key);
}

static void get_real(struct dec *d, const char *key, double *v, bool must)
{
	const cJSON *item = dec_item(d, key, must);

	if (cJSON_IsNumber(item) && isfinite(item->valuedouble))
		*v = item->valuedouble;
	else if (item != NULL)
		dec_mark(d, key);
}

/* ---- groups ------------------------------------------------------------------ */

#define REQ(...) __VA_ARGS__
#define ANS(...) __VA_ARGS__

#define FIELD(type, name) put_##type(e, #name, &m->name, true);
#define OPT(type, name) put_##type(e, #name, &m->name, false);
#define OBJECT(name, ...) \
	static void put_##name(struct enc *e, const char *key, const struct name *m, bool must) \
	{ \
		if (!must && is_empty(m, sizeof(*m))) \
			return; \
		json_open(e->json, key, '{'); \
		__VA_ARGS__ \
		json_close(e->json, '}'); \
	}
#define CALL(ID, name, receiver, req, ans) \
	static void enc_req_##name(struct enc *e, const void *body) \
	{ \
		const struct msg_##name *m = body; \
		(void)e, (void)m; \
		req \
	} \
	static void enc_ans_##name(struct enc *e, const void *body) \
	{ \
		const struct ans_##name *m = body; \
		(void)e, (void)m; \
		ans \
	}
#define EVENT(ID, name, receiver, ...) \
	static void enc_req_##name(struct enc *e, const void *body) \
	{ \
		const struct msg_##name *m = body; \
		__VA_ARGS__ \
	}
#include "messages.def"
#undef FIELD
#undef OPT

#define FIELD(type, name) get_##type(d, #name, &m->name, true);
#define OPT(type, name) get_##type(d, #name, &m->name, false);
#define OBJECT(name, ...) \
	static void get_##name(struct dec *outer, const char *key, struct name *m, bool must) \
	{ \
		struct dec inner = { .object = dec_item(outer, key, must), .blob = outer->blob }; \
		struct dec *d = &inner; \
		if (inner.object == NULL) \
			return; \
		if (!cJSON_IsObject(inner.object)) { \
			dec_mark(outer, key); \
			return; \
		} \
		__VA_ARGS__ \
		if (inner.bad != NULL) \
			dec_mark(outer, inner.bad); \
	}
#define CALL(ID, name, receiver, req, ans) \
	static void dec_req_##name(struct dec *d, void *body) \
	{ \
		struct msg_##name *m = body; \
		(void)d, (void)m; \
		req \
	} \
	static void dec_ans_##name(struct dec *d, void *body) \
	{ \
		struct ans_##name *m = body; \
		(void)d, (void)m; \
		ans \
	}
#define EVENT(ID, name, receiver, ...) \
	static void dec_req_##name(struct dec *d, void *body) \
	{ \
		struct msg_##name *m = body; \
		__VA_ARGS__ \
	}
#include "messages.def"
#undef FIELD
#undef OPT

/* ---- keeping: texts move into a context of their own ------------------------- */

static void keep_text(const void *ctx, struct text *v)
{
	*v = text_copy(ctx, *v);
}

#define keep_blob keep_text
#define keep_uuid(ctx, v) ((void)(ctx), (void)(v))
#define keep_i64 keep_uuid
#define keep_flag keep_uuid
#define keep_real keep_uuid
#define keep_usage usage_keep
#define keep_timing timing_keep
#define keep_outcome outcome_keep
#define keep_ai_settings ai_settings_keep
#define keep_turn_context turn_context_keep
#define keep_turn_view turn_view_keep

#define FIELD(type, name) keep_##type(ctx, &m->name);
#define OPT FIELD
#define OBJECT(name, ...) \
	void name##_keep(const void *ctx, struct name *m) \
	{ \
		__VA_ARGS__ \
	}
#define CALL(ID, name, receiver, req, ans) \
	void msg_##name##_keep(const void *ctx, struct msg_##name *m) \
	{ \
		(void)ctx, (void)m; \
		req \
	}
#define EVENT(ID, name, receiver, ...) \
	void msg_##name##_keep(const void *ctx, struct msg_##name *m) \
	{ \
		__VA_ARGS__ \
	}
#include "messages.def"
#undef FIELD
#undef OPT
#undef REQ
#undef ANS

static const struct msg_info infos[MSG_COUNT] = {
#define CALL(ID, n, receiver, req, ans) \
	[MSG_##ID] = { .name = #n, \
		       .to = SERVICE_##receiver, \
		       .req_size = sizeof(struct msg_##n), \
		       .ans_size = sizeof(struct ans_##n), \
		       .enc_req = enc_req_##n, \
		       .enc_ans = enc_ans_##n, \
		       .dec_req = dec_req_##n, \
		       .dec_ans = dec_ans_##n },
#define EVENT(ID, n, receiver, ...) \
	[MSG_##ID] = { .name = #n, \
		       .to = SERVICE_##receiver, \
		       .is_event = true, \
		       .req_size = sizeof(struct msg_##n), \
		       .enc_req = enc_req_##n, \
		       .dec_req = dec_req_##n },
#include "messages.def"
};

const struct msg_info *msg_info(enum msg_id id)
{
	return id > MSG_NONE && id < MSG_COUNT ? &infos[id] : NULL;
}

enum msg_id msg_by_name(const char *name)
{
	for (int i = MSG_NONE + 1; i < MSG_COUNT; i++)
		if (infos[i].name[0] == name[0] && strcmp(infos[i].name, name) == 0)
			return (enum msg_id)i;
	return MSG_NONE;
}
