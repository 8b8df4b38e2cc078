#include "problem.h"

#define LIMITED_S 3600 /* what is stored goes by hours, or by an account */

static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

/*
 * detail is the text of a plain error, or NULL; field the one it is about, or
 * NULL; entries those of a 422, or empty.
 */
static void answer(struct http_request *r, unsigned status, const char *detail, const char *field, struct text entries,
		   const char *message)
{
	CLEANUP(string_done) UT_string json;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	if (r->wants_problem) {
		json_str(&json, "type", "about:blank");
		json_str(&json, "title", reason(status));
		json_i64(&json, "status", status);
	}
	if (detail != NULL || r->wants_problem)
		json_str(&json, "detail", detail != NULL ? detail : message);
	if (field != NULL)
		json_str(&json, "field", field);
	if (entries.len > 0) {
		json_open(&json, r->wants_problem ? "errors" : "detail", '[');
		json_raw(&json, NULL, entries);
		json_close(&json, ']');
		json_str(&json, "message", message);
	}
	json_close(&json, '}');
	http_answer(r, status, r->wants_problem ? "application/problem+json" : "application/json", json_written(&json));
}

void problem_detail(struct http_request *r, unsigned status, const char *detail)
{
	answer(r, status, detail, NULL, (struct text){ 0 }, NULL);
}

void problem_word(struct http_request *r, unsigned status, enum word id)
{
	problem_detail(r, status, word(r->caller.language, id));
}

void problem_about(struct http_request *r, unsigned status, enum word id, const char *field)
{
	answer(r, status, word(r->caller.language, id), field, (struct text){ 0 }, NULL);
}

void problem_later(struct http_request *r, unsigned status, enum word id, int64_t seconds)
{
	http_header(r, "retry-after", "%lld", (long long)(seconds > 0 ? seconds : 1));
	problem_word(r, status, id);
}

void problem_unauthorized(struct http_request *r, enum word id)
{
	http_header(r, "www-authenticate", "Bearer");
	problem_word(r, 401, id);
}

void http_answer_done(struct http_request *r, enum word id)
{
	CLEANUP(string_done) UT_string json;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_bool(&json, "success", true);
	json_str(&json, "message", word(r->caller.language, id));
	json_close(&json, '}');
	http_answer_json(r, &json);
}

static const struct {
	unsigned status;
	enum word id;
} codes[RC_COUNT] = {
	[RC_OK] = { 200, WORD_INTERNAL },
	[RC_INVALID] = { 422, WORD_BAD_STATUS },
	[RC_NOT_FOUND] = { 404, WORD_NOT_FOUND },
	[RC_CONFLICT] = { 409, WORD_CONFLICT },
	[RC_CMID_CONFLICT] = { 422, WORD_CMID_CONFLICT },
	[RC_TURN_RUNNING] = { 409, WORD_TURN_RUNNING },
	[RC_BUSY] = { 503, WORD_BUSY },
	[RC_UNAUTHORIZED] = { 401, WORD_UNAUTHORIZED },
	[RC_FORBIDDEN] = { 403, WORD_FORBIDDEN },
	[RC_UNSUPPORTED] = { 500, WORD_INTERNAL },
	[RC_UNKNOWN] = { 503, WORD_UNAVAILABLE },
	[RC_UNAVAILABLE] = { 503, WORD_UNAVAILABLE },
	[RC_STORAGE] = { 503, WORD_STORAGE },
	[RC_NOT_CONFIGURED] = { 503, WORD_NOT_CONFIGURED },
	[RC_AI_FAILED] = { 503, WORD_AI_FAILED },
	[RC_AI_REFUSED] = { 503, WORD_AI_REFUSED },
	[RC_LIMITED] = { 429, WORD_GUEST_LIMIT },
	[RC_INTERNAL] = { 500, WORD_INTERNAL },
};

unsigned problem_status(enum rc rc)
{
	return codes[rc].status;
}

enum word problem_word_of(enum rc rc)
{
	return codes[rc].id;
}

/* The key under which something else was asked for before: the member of the body counts before the header. */
static void problem_key(struct http_request *r)
{
	static const char type[] = "value_error", msg[] = "Used for something else";

	if (r->idempotency_key.len > 0 && json_get_text(r->json, "client_message_id").len == 0)
		problem_header(r, "Idempotency-Key", type, msg, WORD_CMID_CONFLICT);
	else
		problem_field(r, "client_message_id", type, msg, WORD_CMID_CONFLICT);
}

void problem_rc(struct http_request *r, const struct err *err)
{
	unsigned status = problem_status(err->rc);

	/* The peer's own sentence is for operators: the client gets ours. */
	if (status >= 500)
		log_warning(&r->log, "http.refused", "route=%s rc=%s reason=\"%s\"", route_name(&r->match),
			    rc_name(err->rc), err->message);
	if (err->rc == RC_INVALID && err->field[0] != '\0')
		problem_field(r, err->field, "value_error", "Value not allowed", WORD_FIELD_CHOICE);
	else if (err->rc == RC_CMID_CONFLICT)
		problem_key(r);
	else if (status == 401)
		problem_unauthorized(r, problem_word_of(err->rc));
	else if (status == 503)
		problem_later(r, status, problem_word_of(err->rc), 1);
	else if (status == 429)
		problem_later(r, status, problem_word_of(err->rc), LIMITED_S);
	else
		problem_word(r, status, problem_word_of(err->rc));
}

static void entry(UT_string *entries, const char *place, const char *field, const char *type, const char *msg)
{
	json_open(entries, NULL, '{');
	json_str(entries, "type", type);
	json_open(entries, "loc", '[');
	json_str(entries, NULL, place);
	if (field != NULL)
		json_str(entries, NULL, field);
	json_close(entries, ']');
	json_str(entries, "msg", msg);
	json_close(entries, '}');
}

void problem_entry(UT_string *entries, const char *field, const char *type, const char *msg)
{
	entry(entries, "body", field, type, msg);
}

void problem_invalid(struct http_request *r, struct text entries, const char *message)
{
	answer(r, 422, NULL, NULL, entries, message);
}

void problem_body(struct http_request *r, const char *type, const char *msg, enum word id, const size_t *at)
{
	CLEANUP(string_done) UT_string entries;

	utstring_init(&entries);
	json_open(&entries, NULL, '{');
	json_str(&entries, "type", type);
	json_open(&entries, "loc", '[');
	json_str(&entries, NULL, "body");
	if (at != NULL)
		json_i64(&entries, NULL, (int64_t)*at);
	json_close(&entries, ']');
	json_str(&entries, "msg", msg);
	json_close(&entries, '}');
	problem_invalid(r, json_written(&entries), word(r->caller.language, id));
}

static void problem_at(struct http_request *r, const char *place, const char *field, const char *type, const char *msg,
		       enum word id)
{
	CLEANUP(string_done) UT_string entries;
	char *message = talloc_asprintf(r, "%s: %s", field, word(r->caller.language, id));

	utstring_init(&entries);
	entry(&entries, place, field, type, msg);
	problem_invalid(r, json_written(&entries), message);
}

void problem_field(struct http_request *r, const char *field, const char *type, const char *msg, enum word id)
{
	problem_at(r, "body", field, type, msg, id);
}

void problem_header(struct http_request *r, const char *name, const char *type, const char *msg, enum word id)
{
	problem_at(r, "header", name, type, msg, id);
}

void problem_query(struct http_request *r, const char *name, const char *type, const char *msg, enum word id)
{
	problem_at(r, "query", name, type, msg, id);
}

void problem_path(struct http_request *r, const char *name, const char *type, const char *msg, enum word id)
{
	problem_at(r, "path", name, type, msg, id);
}
