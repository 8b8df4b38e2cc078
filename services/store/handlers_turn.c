/* Turns: begin, claim, load. What comes back is the turn, its surroundings and the dialogue before it. */
#include <stdio.h>

#include <sodium.h>

#include "columns.h"
#include "fault.h"
#include "handlers.h"
#include "rows_json.h"
#include "settings_rows.h"
#include "turn_rows.h"

#define KEY_MAX 255
#define TYPE_MAX 20
#define HASH_BYTES 16
#define LESSON_NUMBER_MAX 1000

/* Of what was asked for: the same id with another one is refused. A welcome has another key, and mostly a finalization. */
static void arg_hash(struct pg_job *job, const struct msg_turn_begin *m)
{
	unsigned char *hash = talloc_size(job, HASH_BYTES);
	bool retry = m->retry_message_id.s[0] != '\0';
	struct text what = retry ? uuid_as_text(&m->retry_message_id) : m->body;
	unsigned char key[crypto_generichash_KEYBYTES_MIN] = { retry };

	if (!text_is(m->kind, "message") && (!text_is(m->kind, "finalize") || m->client_message_id.s[0] == '\0')) {
		pg_arg_null(job);
		return;
	}
	crypto_generichash(hash, HASH_BYTES, (const unsigned char *)what.p, what.len, key, sizeof(key));
	pg_arg_bytes(job, hash, HASH_BYTES);
}

/* What is known of a course that has no track. */
static void arg_context(struct pg_job *job, const struct msg_turn_begin *m)
{
	CLEANUP(string_done) UT_string json = { 0 };

	if (!text_is(m->kind, "welcome") && (!text_is(m->kind, "message") || m->expectations.len == 0)) {
		pg_arg_null(job);
		return;
	}
	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_text(&json, "skill_area", m->skill_area);
	json_text(&json, "difficulty_level", m->difficulty_level);
	json_i64(&json, "hours", m->hours);
	json_text(&json, "expectations", m->expectations);
	if (m->language.len > 0)
		json_text(&json, "language", m->language);
	json_close(&json, '}');
	pg_arg_text(job, text_copy(job, json_written(&json)));
}

/* The chat of a module's tutor, however the client names the module. */
static void arg_place(struct pg_job *job, const struct msg_turn_begin *m)
{
	store_arg_session(job, m->session_id);
	pg_arg_uuid_text(job, m->chat_id);
	store_arg_module(job, m->track_id, m->module_id);
	pg_arg_opt(job, m->language);
	pg_arg_uuid(job, &m->new_session_id);
	pg_arg_uuid(job, &m->new_chat_id);
}

static void arg_begin_tutor(struct pg_job *job, const struct msg_turn_begin *m, const struct call *call)
{
	pg_job_add(job, QUERY_TURN_BEGIN_TUTOR);
	store_arg_caller(job, call);
	pg_arg_text(job, text_from(caller_kind_name(call_caller(call)->kind)));
	pg_arg_uuid(job, &m->turn_id);
	arg_place(job, m);
	pg_arg_uuid(job, &m->client_message_id);
	pg_arg_opt(job, m->body);
	arg_hash(job, m);
	pg_arg_opt(job, m->message_type);
	pg_arg_uuid(job, &m->user_message_id);
	pg_arg_text(job, m->owner);
	pg_arg_i64(job, m->lease_ms);
}

static void arg_begin_module(struct pg_job *job, const struct msg_turn_begin *m, const struct call *call)
{
	pg_job_add(job, QUERY_TURN_BEGIN_MODULE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->turn_id);
	pg_arg_text(job, m->kind);
	arg_place(job, m);
	pg_arg_uuid(job, &m->lesson_id);
	pg_arg_i64(job, m->lesson_number);
	pg_arg_opt(job, m->lesson_title);
	pg_arg_opt(job, m->content_type);
	pg_arg_opt(job, m->lesson_context);
	pg_arg_text(job, m->owner);
	pg_arg_i64(job, m->lease_ms);
}

static void arg_turn_begin(struct pg_job *job, const struct msg_turn_begin *m, const struct call *call)
{
	pg_job_add(job, QUERY_TURN_BEGIN);
	store_arg_caller(job, call);
	pg_arg_text(job, text_from(caller_kind_name(call_caller(call)->kind)));
	pg_arg_uuid(job, &m->turn_id);
	pg_arg_text(job, m->kind);
	store_arg_session(job, m->session_id);
	pg_arg_uuid_text(job, m->chat_id);
	pg_arg_uuid_text(job, m->track_id);
	pg_arg_uuid(job, &m->client_message_id);
	pg_arg_opt(job, m->body);
	arg_hash(job, m);
	pg_arg_opt(job, m->message_type);
	pg_arg_uuid(job, &m->new_session_id);
	pg_arg_uuid(job, &m->new_chat_id);
	pg_arg_uuid(job, &m->user_message_id);
	arg_context(job, m);
	pg_arg_uuid(job, &m->retry_message_id);
	pg_arg_text(job, m->owner);
	pg_arg_i64(job, m->lease_ms);
}

static bool begin_refuse(struct call *call, const char *field, const char *why)
{
	call_fail(call, RC_INVALID, field, "%s: %s", field, why);
	return false;
}

static bool is_known_kind(struct text kind)
{
	static const char *const kinds[] = { "message", "welcome", "finalize", "summary", "lesson" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (text_is(kind, kinds[i]))
			return true;
	return false;
}

/* A lesson without a module has a place of its own. */
static bool names_module(const struct msg_turn_begin *m)
{
	return m->module_id.len > 0 || text_is(m->kind, "lesson");
}

static bool lesson_is_valid(struct call *call, const struct msg_turn_begin *m)
{
	if (m->lesson_title.len == 0)
		return begin_refuse(call, "lesson_title", "a lesson has a title");
	if (m->module_id.len > 0 && (m->lesson_number < 1 || m->lesson_number > LESSON_NUMBER_MAX))
		return begin_refuse(call, "lesson_number", "1 to 1000");
	return store_fits(call, "lesson_title", m->lesson_title, KEY_MAX) &&
	       store_fits(call, "content_type", m->content_type, TYPE_MAX);
}

static bool begin_is_valid(struct call *call, const struct msg_turn_begin *m)
{
	bool retry = m->retry_message_id.s[0] != '\0';
	bool finalize = text_is(m->kind, "finalize");

	if (!is_known_kind(m->kind))
		return begin_refuse(call, "kind", "message, welcome, finalize, summary or lesson");
	if (text_is(m->kind, "lesson") && !retry && !lesson_is_valid(call, m))
		return false;
	if (text_is(m->kind, "message") && !retry && m->body.len == 0)
		return begin_refuse(call, "body", "a message has a text");
	if (!retry && !names_module(m) && m->session_id.len == 0 && !text_is_uuid(m->chat_id))
		return begin_refuse(call, "session_id", "a session or a chat must be named");
	if (m->lease_ms <= 0)
		return begin_refuse(call, "lease_ms", "more than 0");
	if (finalize && m->track_id.len > 0 && !text_is_uuid(m->track_id) && call_caller(call)->kind == CALLER_USER) {
		call_fail(call, RC_NOT_FOUND, "track_id", "no such track");
		return false;
	}
	return store_fits(call, "session_id", m->session_id, KEY_MAX) && store_fits(call, "owner", m->owner, KEY_MAX) &&
	       store_fits(call, "message_type", m->message_type, TYPE_MAX) &&
	       store_fits(call, "module_id", m->module_id, KEY_MAX) &&
	       store_fits(call, "track_id", m->track_id, KEY_MAX);
}

/* The turn that the job's first statement began or took over. */
enum turn_statement { STATEMENT_VERDICT, STATEMENT_TURN, STATEMENT_HISTORY, STATEMENT_MODULES };

static void read_settings(const PGresult *turn, struct turn_context *context)
{
	settings_read(turn, CHOSEN_settings, &context->settings);
	context->api_key = settings_key(turn, CHOSEN_settings);
}

/* ---- answers -------------------------------------------------------------------------- */

static void turn_began(struct call *call, struct pg_job *job)
{
	const PGresult *turn = job->results[STATEMENT_TURN];
	CLEANUP(string_done) UT_string history = { 0 };
	struct ans_turn_begin ans = { 0 };
	char iso[ISO_SIZE];

	FAULT_POINT(store_begin_committed);
	if (store_refused_turn(call, job))
		return;
	ans.begun = row_flag(job->results[STATEMENT_VERDICT], 0, BEGUN_begun);
	ans.restored = row_flag(turn, 0, CHOSEN_restored);
	turn_context_read(turn, 0, &ans.context);
	outcome_read(turn, 0, &ans.outcome, iso);
	if (ans.begun) {
		utstring_init(&history);
		ans.context.history_left_out = json_dialogue(&history, job->results[STATEMENT_HISTORY]);
		ans.context.history = json_written(&history);
		read_settings(turn, &ans.context);
	}
	if (job->n > STATEMENT_MODULES)
		turn_modules_read(job, job->results[STATEMENT_MODULES], 0, 0, &ans.context, &ans.outcome);
	call_answer(call, &ans);
	FAULT_POINT(store_begin_answered);
}

enum rc on_turn_begin(struct store *store, const struct msg_turn_begin *m, struct call *call)
{
	struct pg_job *job = store_job(call, turn_began);
	enum rc rc;

	FAULT_POINT(store_begin);
	if (!begin_is_valid(call, m))
		return RC_OK;
	if (text_is(m->kind, "summary") || text_is(m->kind, "lesson"))
		arg_begin_module(job, m, call);
	else if (m->module_id.len > 0 && text_is(m->kind, "message") && m->retry_message_id.s[0] == '\0')
		arg_begin_tutor(job, m, call);
	else
		arg_turn_begin(job, m, call);
	pg_job_add(job, QUERY_TURN_ROW);
	pg_job_add(job, QUERY_TURN_HISTORY);
	pg_arg_i64(job, m->history_tokens);
	if (text_is(m->kind, "finalize"))
		pg_job_add(job, QUERY_TURN_MODULES);
	rc = store_run(store, call, job);
	FAULT_POINT(store_begin_sent);
	return rc;
}

static void plan_began(struct call *call, struct pg_job *job)
{
	const PGresult *turn = job->results[STATEMENT_TURN];
	struct ans_turn_begin_plan ans = { 0 };
	char iso[ISO_SIZE];

	if (store_refused_turn(call, job))
		return;
	ans.begun = row_flag(job->results[STATEMENT_VERDICT], 0, BEGUN_begun);
	turn_context_read(turn, 0, &ans.context);
	outcome_read(turn, 0, &ans.outcome, iso);
	if (ans.begun)
		read_settings(turn, &ans.context);
	call_answer(call, &ans);
}

enum rc on_turn_begin_plan(struct store *store, const struct msg_turn_begin_plan *m, struct call *call)
{
	struct pg_job *job = store_job(call, plan_began);
	unsigned char *hash = talloc_size(job, HASH_BYTES);

	if ((m->lease_ms <= 0 && !begin_refuse(call, "lease_ms", "more than 0")) ||
	    !store_fits(call, "owner", m->owner, KEY_MAX))
		return RC_OK;
	crypto_generichash(hash, HASH_BYTES, (const unsigned char *)m->wishes.p, m->wishes.len,
			   (const unsigned char *)m->track_id.s, 36);
	pg_job_add(job, QUERY_TURN_BEGIN_PLAN);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->turn_id);
	pg_arg_uuid(job, &m->track_id);
	pg_arg_uuid(job, &m->client_message_id);
	pg_arg_text(job, m->wishes);
	pg_arg_bytes(job, hash, HASH_BYTES);
	pg_arg_uuid(job, &m->new_session_id);
	pg_arg_uuid(job, &m->new_chat_id);
	pg_arg_text(job, m->owner);
	pg_arg_i64(job, m->lease_ms);
	pg_job_add(job, QUERY_TURN_ROW);
	return store_run(store, call, job);
}

static void turn_claimed(struct call *call, struct pg_job *job)
{
	const PGresult *turn = job->results[STATEMENT_TURN];
	CLEANUP(string_done) UT_string history = { 0 };
	struct ans_turn_claim ans = { .found = PQntuples(turn) > 0 };

	if (ans.found) {
		FAULT_POINT(store_claim_committed);
		utstring_init(&history);
		turn_context_read(turn, 0, &ans.context);
		ans.context.history_left_out = json_dialogue(&history, job->results[STATEMENT_HISTORY]);
		ans.context.history = json_written(&history);
		read_settings(turn, &ans.context);
		ans.partial = row_text(turn, 0, TURN_partial);
		turn_modules_read(job, job->results[STATEMENT_MODULES], 0, 0, &ans.context,
				  &(struct outcome){ .state = { "running", 7 } });
	}
	call_answer(call, &ans);
}

enum rc on_turn_claim(struct store *store, const struct msg_turn_claim *m, struct call *call)
{
	struct pg_job *job = store_job(call, turn_claimed);
	char *link = talloc_asprintf(job, "%s-%u", store->instance.s, call_link(call));

	if (!store_fits(call, "owner", m->owner, KEY_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_TURN_CLAIM);
	pg_arg_text(job, m->owner);
	pg_arg_i64(job, m->lease_ms);
	pg_arg_flag(job, m->own_too);
	pg_arg_text(job, text_from(link));
	pg_job_add(job, QUERY_TURN_ROW);
	pg_job_add(job, QUERY_TURN_HISTORY);
	pg_arg_i64(job, m->history_tokens);
	pg_job_add(job, QUERY_TURN_MODULES);
	return store_run(store, call, job);
}

static void turn_loaded(struct call *call, struct pg_job *job)
{
	const PGresult *turn = job->results[0];
	struct ans_turn_load ans = { 0 };
	char iso[ISO_SIZE];

	if (store_refused(call, job))
		return;
	turn_context_read(turn, 0, &ans.context);
	outcome_read(turn, 0, &ans.outcome, iso);
	turn_modules_read(job, turn, 1, TURN_COLUMN_COUNT, &ans.context, &ans.outcome);
	call_answer(call, &ans);
}

enum rc on_turn_load(struct store *store, const struct msg_turn_load *m, struct call *call)
{
	struct pg_job *job = store_job(call, turn_loaded);

	pg_job_add(job, QUERY_TURN_LOAD);
	pg_arg_uuid(job, &m->turn_id);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}
