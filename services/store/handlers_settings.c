/* AI settings of users. Keys come sealed; only those that the original service kept in clear are sealed here. */
#include "clock.h"
#include "columns.h"
#include "handlers.h"
#include "seal.h"
#include "settings_rows.h"

#define MODEL_MAX 100
#define BASE_URL_MAX 255
#define KEY_MAX 8192

/* ---- the caller's own ----------------------------------------------------------------- */

static void settings_got_with(struct call *call, struct pg_job *job, bool with_key)
{
	const PGresult *r = job->results[0];
	struct ans_settings_get ans = { 0 };

	settings_read(r, 0, &ans.settings);
	ans.has_key = settings_key(r, 0).len > 0;
	if (ans.has_key)
		ans.key_hint = row_text(r, 0, SETTINGS_key_hint);
	if (with_key)
		ans.api_key = settings_key(r, 0);
	call_answer(call, &ans);
}

static void settings_got(struct call *call, struct pg_job *job)
{
	settings_got_with(call, job, false);
}

static void settings_got_with_key(struct call *call, struct pg_job *job)
{
	settings_got_with(call, job, true);
}

enum rc on_settings_get(struct store *store, const struct msg_settings_get *m, struct call *call)
{
	struct pg_job *job = store_job(call, m->with_key ? settings_got_with_key : settings_got);

	pg_job_add(job, QUERY_SETTINGS_ROW);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}

static void settings_were_set(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[1];
	struct ans_settings_set ans = { 0 };

	if (store_refused(call, job))
		return;
	settings_read(r, 0, &ans.settings);
	ans.has_key = settings_key(r, 0).len > 0;
	if (ans.has_key)
		ans.key_hint = row_text(r, 0, SETTINGS_key_hint);
	call_answer(call, &ans);
}

static bool set_is_valid(struct call *call, const struct msg_settings_set *m)
{
	if (m->api_key.len > 0 && !seal_is_sealed(m->api_key)) {
		call_fail(call, RC_INVALID, "api_key", "api_key: a sealed key was expected");
		return false;
	}
	return store_fits(call, "model_name", m->settings.model, MODEL_MAX) &&
	       store_fits(call, "base_url", m->settings.base_url, BASE_URL_MAX) &&
	       store_fits(call, "api_key", m->api_key, KEY_MAX) &&
	       store_fits(call, "key_hint", m->key_hint, SEAL_HINT_SIZE - 1);
}

enum rc on_settings_set(struct store *store, const struct msg_settings_set *m, struct call *call)
{
	struct pg_job *job = store_job(call, settings_were_set);

	if (call_caller(call)->kind == CALLER_NOBODY)
		return RC_FORBIDDEN;
	if (!set_is_valid(call, m))
		return RC_OK;
	pg_job_add(job, QUERY_SETTINGS_SET);
	store_arg_caller(job, call);
	pg_arg_flag(job, m->set_model);
	pg_arg_opt(job, m->settings.model);
	pg_arg_flag(job, m->set_base_url);
	pg_arg_opt(job, m->settings.base_url);
	pg_arg_flag(job, m->set_max_tokens);
	if (m->settings.max_tokens > 0)
		pg_arg_i64(job, m->settings.max_tokens);
	else
		pg_arg_null(job);
	pg_arg_flag(job, m->set_temperature);
	pg_arg_opt(job, m->settings.temperature);
	pg_arg_flag(job, m->set_api_key);
	pg_arg_opt(job, m->api_key);
	pg_arg_opt(job, m->key_hint);
	pg_job_add(job, QUERY_SETTINGS_ROW);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}

/* ---- keys ------------------------------------------------------------------------------- */

/* Two transactions: the one key that is read is sealed here, then replaces exactly what was read. */
struct sealing {
	struct store *store;
	struct call *call;
	struct seal_key key;
};

static void sealing_end(struct sealing *s, const struct pg_job *job, bool done)
{
	if (job->err.rc != RC_OK)
		call_refuse(s->call, &job->err);
	else
		call_answer(s->call, &(struct ans_keys_seal){ .done = done });
}

/* Without a row: somebody changed the key meanwhile, which is as good. */
static void sealing_stored(struct pg_job *job)
{
	sealing_end(job->arg, job, false);
}

static void sealing_read(struct pg_job *job)
{
	struct sealing *s = job->arg;
	struct pg_job *next = pg_job_new(call_ctx(s->call), sealing_stored, s, job->deadline_us);
	const PGresult *r = job->results[0];
	struct uuid_text *ids = talloc_zero_array(next, struct uuid_text, 2);
	char *hint = talloc_zero_array(next, char, SEAL_HINT_SIZE), *sealed;

	if (job->err.rc != RC_OK || PQntuples(r) == 0) {
		sealing_end(s, job, true);
		return;
	}
	ids[0] = row_uuid(r, 0, UNSEALED_id);
	ids[1] = row_uuid(r, 0, UNSEALED_user_id);
	seal_hint(row_text(r, 0, UNSEALED_api_key), hint);
	sealed = seal_text(next, &s->key, &ids[1], row_text(r, 0, UNSEALED_api_key));
	pg_job_add(next, QUERY_KEY_REPLACE);
	pg_arg_uuid(next, &ids[0]);
	pg_arg_text(next, text_copy(next, row_text(r, 0, UNSEALED_api_key)));
	pg_arg_opt(next, text_from(sealed));
	pg_arg_opt(next, text_from(hint));
	if (pg_pool_run(s->store->pool, next) != RC_PENDING)
		sealing_end(s, next, false);
}

enum rc on_keys_seal(struct store *store, const struct msg_keys_seal *m, struct call *call)
{
	struct sealing *s = talloc_zero(call_ctx(call), struct sealing);
	struct pg_job *job = pg_job_new(call_ctx(call), sealing_read, s, clock_us() + call_left_us(call));

	*s = (struct sealing){ .store = store, .call = call };
	if (!seal_key_read(&s->key, m->seal_key))
		return RC_INVALID;
	pg_job_add(job, QUERY_KEY_UNSEALED);
	if (pg_pool_run(store->pool, job) == RC_PENDING)
		return RC_PENDING;
	call_refuse(call, &job->err);
	return RC_OK;
}

static void key_was_resealed(struct call *call, struct pg_job *job)
{
	(void)job; /* no row: a newer key is there */
	call_answer(call, &(struct ans_key_reseal){});
}

enum rc on_key_reseal(struct store *store, const struct msg_key_reseal *m, struct call *call)
{
	struct pg_job *job = store_job(call, key_was_resealed);

	if (!seal_is_sealed(m->new_key) || m->new_key.len > KEY_MAX)
		return RC_INVALID;
	pg_job_add(job, QUERY_KEY_RESEAL);
	store_arg_caller(job, call);
	pg_arg_text(job, m->old_key);
	pg_arg_text(job, m->new_key);
	return store_run(store, call, job);
}
