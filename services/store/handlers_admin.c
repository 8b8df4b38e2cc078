/* What only an administrator may: who he is, is looked up in the statements themselves. */
#include <stdlib.h>

#include "columns.h"
#include "handlers.h"
#include "rows_json.h"

#define LIMIT_MAX 200
#define QUERY_MAX 200

/* Anywhere in the text; what ilike takes for more than itself is escaped. */
static void arg_pattern(struct pg_job *job, struct text query)
{
	char *pattern = talloc_size(job, query.len * 2 + 3);
	size_t n = 0;

	if (query.len == 0) {
		pg_arg_null(job);
		return;
	}
	pattern[n++] = '%';
	for (size_t i = 0; i < query.len; i++) {
		if (strchr("\\%_", query.p[i]) != NULL)
			pattern[n++] = '\\';
		pattern[n++] = query.p[i];
	}
	pattern[n++] = '%';
	pattern[n] = '\0';
	pg_arg_text(job, text_of(pattern, n));
}

/* One more row than was asked for tells that there are more. */
static void users_listed(struct call *call, struct pg_job *job)
{
	const int limit = (int)strtol(job->statements[0].values[2], NULL, 10) - 1; /* as it was asked for */
	const PGresult *r = job->results[0];
	CLEANUP(string_done) UT_string users = { 0 };
	struct ans_admin_users ans = { 0 };
	int n = PQntuples(r) > limit ? limit : PQntuples(r);

	if (PQntuples(r) == 0) {
		call_fail(call, RC_FORBIDDEN, "role", "for administrators only");
		return;
	}
	utstring_init(&users);
	json_open(&users, NULL, '[');
	for (int i = 0; i < n && row_has(r, i, USER_id); i++)
		json_user(&users, r, i);
	json_close(&users, ']');
	ans.users = json_written(&users);
	if (PQntuples(r) > n)
		ans.next = row_uuid(r, n - 1, USER_id);
	call_answer(call, &ans);
}

enum rc on_admin_users(struct store *store, const struct msg_admin_users *m, struct call *call)
{
	struct pg_job *job = store_job(call, users_listed);

	if (m->limit < 1 || m->limit > LIMIT_MAX) {
		call_fail(call, RC_INVALID, "limit", "limit: 1 to %d", LIMIT_MAX);
		return RC_OK;
	}
	if (!store_fits(call, "query", m->query, QUERY_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_ADMIN_USERS);
	store_arg_caller(job, call);
	arg_pattern(job, m->query);
	pg_arg_i64(job, m->limit + 1);
	pg_arg_uuid(job, &m->after);
	return store_run(store, call, job);
}

static void active_set(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string user = { 0 };
	struct ans_admin_set_active ans;

	if (store_refused(call, job))
		return;
	utstring_init(&user);
	json_user(&user, job->results[1], 0);
	ans = (struct ans_admin_set_active){ .user = json_written(&user),
					     .token_version = row_i64(job->results[2], 0, 0) };
	call_answer(call, &ans);
}

enum rc on_admin_set_active(struct store *store, const struct msg_admin_set_active *m, struct call *call)
{
	struct pg_job *job = store_job(call, active_set);

	pg_job_add(job, QUERY_ADMIN_SET_ACTIVE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->user_id);
	pg_arg_flag(job, m->is_active);
	pg_job_add(job, QUERY_USER_ROW);
	pg_arg_uuid(job, &m->user_id);
	pg_job_add(job, QUERY_USER_TOKENS);
	pg_arg_uuid(job, &m->user_id);
	return store_run(store, call, job);
}
