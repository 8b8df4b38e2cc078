/* What people do with their own account: names, password, removal, export. */
#include "columns.h"
#include "handlers.h"
#include "rows_json.h"
#include "sign_in_rows.h"

#define NAME_MAX 100
#define HASH_MAX 255
#define EXPORT_BYTES (1 << 20) /* of one page; a single row may be longer */

enum export_column { EXPORT_name, EXPORT_place, EXPORT_doc };

static void user_changed(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string user = { 0 };
	struct ans_user_change ans;

	if (PQntuples(job->results[0]) == 0) {
		call_fail(call, RC_UNAUTHORIZED, NULL, "the account is gone or disabled");
		return;
	}
	utstring_init(&user);
	json_user(&user, job->results[1], 0);
	ans = (struct ans_user_change){ .user = json_written(&user) };
	call_answer(call, &ans);
}

enum rc on_user_change(struct store *store, const struct msg_user_change *m, struct call *call)
{
	struct pg_job *job = store_job(call, user_changed);

	if (!store_fits(call, "first_name", m->first_name, NAME_MAX) ||
	    !store_fits(call, "last_name", m->last_name, NAME_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_USER_CHANGE);
	store_arg_caller(job, call);
	pg_arg_opt(job, m->first_name);
	pg_arg_opt(job, m->last_name);
	pg_job_add(job, QUERY_USER_ROW);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}

static void password_changed(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string user = { 0 };
	struct ans_password_change ans;

	if (store_refused(call, job))
		return;
	utstring_init(&user);
	json_user(&user, job->results[1], 0);
	ans = (struct ans_password_change){ .user = json_written(&user), .signed_in = signed_in_read(job->results[0]) };
	call_answer(call, &ans);
}

enum rc on_password_change(struct store *store, const struct msg_password_change *m, struct call *call)
{
	struct pg_job *job = store_job(call, password_changed);

	if (!store_fits(call, "new_hash", m->new_hash, HASH_MAX) ||
	    !store_is_hash(call, "refresh_hash", m->refresh_hash))
		return RC_OK;
	pg_job_add(job, QUERY_PASSWORD_CHANGE);
	store_arg_caller(job, call);
	pg_arg_text(job, m->old_hash);
	pg_arg_text(job, m->new_hash);
	pg_arg_uuid(job, &m->sign_in_id);
	pg_arg_text(job, m->refresh_hash);
	pg_job_add(job, QUERY_USER_ROW);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}

static void user_removed(struct call *call, struct pg_job *job)
{
	if (!store_refused(call, job))
		call_answer(call, &(struct ans_user_remove){});
}

enum rc on_user_remove(struct store *store, const struct msg_user_remove *m, struct call *call)
{
	struct pg_job *job = store_job(call, user_removed);

	if (call_caller(call)->kind == CALLER_NOBODY)
		return RC_UNAUTHORIZED;
	pg_job_add(job, QUERY_USER_REMOVE);
	store_arg_caller(job, call);
	pg_arg_opt(job, m->password_hash);
	return store_run(store, call, job);
}

static void exported(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[0];
	CLEANUP(string_done) UT_string rows = { 0 };
	struct ans_user_export ans = { 0 };
	int n = PQntuples(r);

	utstring_init(&rows);
	for (int i = 0; i < n; i++)
		if (row_has(r, i, EXPORT_doc))
			json_raw(&rows, NULL, row_text(r, i, EXPORT_doc));
	if (n > 0) {
		ans.name = row_text(r, 0, EXPORT_name);
		ans.after = row_text(r, n - 1, EXPORT_place);
		ans.rows = json_written(&rows);
	}
	call_answer(call, &ans);
}

enum rc on_user_export(struct store *store, const struct msg_user_export *m, struct call *call)
{
	struct pg_job *job = store_job(call, exported);

	if (m->part < 0 || m->part > 1000) {
		call_fail(call, RC_INVALID, "part", "part: 0 to 1000");
		return RC_OK;
	}
	pg_job_add(job, QUERY_USER_EXPORT);
	store_arg_caller(job, call);
	pg_arg_i64(job, m->part);
	pg_arg_opt(job, m->after);
	pg_arg_i64(job, EXPORT_BYTES);
	return store_run(store, call, job);
}
