/* Sign-ins: begin, go on, end, and what gateways must learn of their ends. */
#include <stdlib.h>

#include "handlers.h"
#include "rows_json.h"
#include "sign_in_rows.h"

#define CHANGES_MAX 5000 /* in one answer */

static void signed_in(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string user = { 0 };
	struct ans_sign_in ans;

	if (store_refused(call, job))
		return;
	utstring_init(&user);
	json_user(&user, job->results[1], 0);
	ans = (struct ans_sign_in){ .user = json_written(&user), .signed_in = signed_in_read(job->results[0]) };
	call_answer(call, &ans);
}

enum rc on_sign_in(struct store *store, const struct msg_sign_in *m, struct call *call)
{
	struct pg_job *job = store_job(call, signed_in);

	if (!store_is_hash(call, "refresh_hash", m->refresh_hash))
		return RC_OK;
	pg_job_add(job, QUERY_SIGN_IN);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->sign_in_id);
	pg_arg_text(job, m->refresh_hash);
	pg_arg_uuid(job, &m->guest_id);
	pg_arg_opt(job, m->guest_key);
	pg_arg_opt(job, m->guest_key_moved);
	pg_job_add(job, QUERY_USER_SIGNED_IN);
	return store_run(store, call, job);
}

static void refreshed(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[1];
	CLEANUP(string_done) UT_string user = { 0 };
	struct ans_sign_in_refresh ans;

	if (store_refused(call, job))
		return;
	utstring_init(&user);
	json_user(&user, r, 0);
	ans = (struct ans_sign_in_refresh){ .user_id = row_uuid(r, 0, USER_id),
					    .is_guest = row_flag(r, 0, USER_is_guest),
					    .user = json_written(&user),
					    .signed_in = signed_in_read(job->results[0]) };
	call_answer(call, &ans);
}

enum rc on_sign_in_refresh(struct store *store, const struct msg_sign_in_refresh *m, struct call *call)
{
	struct pg_job *job = store_job(call, refreshed);

	if (!store_is_hash(call, "old_hash", m->old_hash) || !store_is_hash(call, "new_hash", m->new_hash))
		return RC_OK;
	pg_job_add(job, QUERY_SIGN_IN_REFRESH);
	pg_arg_text(job, m->old_hash);
	pg_arg_text(job, m->new_hash);
	pg_arg_i64(job, store->config->refresh_token_expire_days);
	pg_job_add(job, QUERY_USER_SIGNED_IN);
	return store_run(store, call, job);
}

static void signed_out(struct call *call, struct pg_job *job)
{
	call_answer(call, &(struct ans_sign_out){ .removed = row_flag(job->results[0], 0, 0) });
}

enum rc on_sign_out(struct store *store, const struct msg_sign_out *m, struct call *call)
{
	struct pg_job *job = store_job(call, signed_out);

	pg_job_add(job, QUERY_SIGN_OUT);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->sign_in_id);
	pg_arg_flag(job, m->everywhere);
	return store_run(store, call, job);
}

/* ---- for gateways ------------------------------------------------------------------------ */

static void changes_read(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[0];
	CLEANUP(string_done) UT_string json = { 0 };
	int n = row_has(r, 0, CHANGE_user_id) ? PQntuples(r) : 0;
	struct ans_auth_changes ans = { .more = n == CHANGES_MAX };

	utstring_init(&json);
	json_open(&json, NULL, '[');
	for (int i = 0; i < n; i++) {
		json_open(&json, NULL, '{');
		json_text(&json, "user_id", row_text(r, i, CHANGE_user_id));
		if (row_has(r, i, CHANGE_sign_in_id))
			json_text(&json, "sign_in_id", row_text(r, i, CHANGE_sign_in_id));
		else
			json_i64(&json, "token_version", row_i64(r, i, CHANGE_token_version));
		json_close(&json, '}');
	}
	json_close(&json, ']');
	ans.cursor = ans.more ? row_i64(r, n - 1, CHANGE_xid) : row_i64(r, 0, CHANGE_cursor);
	ans.changes = json_written(&json);
	call_answer(call, &ans);
}

enum rc on_auth_changes(struct store *store, const struct msg_auth_changes *m, struct call *call)
{
	struct pg_job *job = store_job(call, changes_read);

	if (m->life_s < 1 || m->life_s > 525600 * 60 || m->cursor < 0) {
		call_fail(call, RC_INVALID, m->cursor < 0 ? "cursor" : "life_s", "out of range");
		return RC_OK;
	}
	pg_job_add(job, QUERY_AUTH_CHANGES);
	pg_arg_i64(job, m->cursor);
	pg_arg_i64(job, m->life_s);
	pg_arg_i64(job, CHANGES_MAX);
	return store_run(store, call, job);
}
