/* Accounts. */
#include "columns.h"
#include "handlers.h"
#include "rows_json.h"
#include "sign_in_rows.h"

#define EMAIL_MAX 255
#define NAME_MAX 100
#define HASH_MAX 255
#define ADDRESS_MAX 64

static void user_created(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string user = { 0 };
	struct ans_user_create ans = { 0 };

	if (store_refused(call, job))
		return;
	if (job->n > 2)
		ans.signed_in = signed_in_read(job->results[1]);
	utstring_init(&user);
	json_user(&user, job->results[job->n - 1], 0);
	ans.user = json_written(&user);
	call_answer(call, &ans);
}

/* A guest's address only has to be his own: it is made of his id. */
static struct text guest_email(struct pg_job *job, const struct uuid_text *id)
{
	char *email = talloc_asprintf(job, "guest_%.8s%.4s%.4s%.4s%.12s@guest.com", id->s, id->s + 9, id->s + 14,
				      id->s + 19, id->s + 24);

	return text_from(email);
}

enum rc on_user_create(struct store *store, const struct msg_user_create *m, struct call *call)
{
	struct pg_job *job = store_job(call, user_created);

	if (!store_fits(call, "email", m->email, EMAIL_MAX) ||
	    !store_fits(call, "first_name", m->first_name, NAME_MAX) ||
	    !store_fits(call, "last_name", m->last_name, NAME_MAX) ||
	    !store_fits(call, "password_hash", m->password_hash, HASH_MAX) ||
	    !store_fits(call, "address", m->address, ADDRESS_MAX))
		return RC_OK;
	if (!m->is_guest && (m->password_hash.len == 0 || m->email.len == 0)) {
		call_fail(call, RC_INVALID, m->email.len == 0 ? "email" : "password_hash", "an account needs both");
		return RC_OK;
	}
	pg_job_add(job, QUERY_USER_CREATE);
	pg_arg_uuid(job, &m->user_id);
	pg_arg_flag(job, m->is_guest);
	pg_arg_text(job, m->is_guest ? guest_email(job, &m->user_id) : m->email);
	pg_arg_opt(job, m->password_hash);
	pg_arg_text(job, m->first_name);
	pg_arg_text(job, m->last_name);
	pg_arg_opt(job, m->address);
	if (m->sign_in_id.s[0] != '\0') {
		pg_job_add(job, QUERY_SIGN_IN);
		pg_arg_uuid(job, &m->user_id);
		pg_arg_uuid(job, &m->sign_in_id);
		pg_arg_text(job, m->refresh_hash);
		pg_arg_uuid(job, &m->guest_id);
		pg_arg_opt(job, m->guest_key);
		pg_arg_opt(job, m->guest_key_moved);
	}
	pg_job_add(job, QUERY_USER_ROW);
	pg_arg_uuid(job, &m->user_id);
	return store_run(store, call, job);
}

static void user_found_by_email(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[0];
	CLEANUP(string_done) UT_string user = { 0 };
	struct ans_user_by_email ans;

	if (PQntuples(r) == 0) {
		call_fail(call, RC_NOT_FOUND, "email", "no such account");
		return;
	}
	utstring_init(&user);
	json_user(&user, r, 0);
	ans = (struct ans_user_by_email){ .user_id = row_uuid(r, 0, USER_id),
					  .password_hash = row_text(r, 0, USER_password_hash),
					  .is_active = row_flag(r, 0, USER_is_active),
					  .user = json_written(&user) };
	call_answer(call, &ans);
}

enum rc on_user_by_email(struct store *store, const struct msg_user_by_email *m, struct call *call)
{
	struct pg_job *job = store_job(call, user_found_by_email);

	pg_job_add(job, QUERY_USER_BY_EMAIL);
	pg_arg_text(job, m->email);
	return store_run(store, call, job);
}

static void user_password_set(struct call *call, struct pg_job *job)
{
	if (PQntuples(job->results[0]) == 0)
		call_fail(call, RC_CONFLICT, "old_hash", "the password was changed meanwhile");
	else
		call_answer(call, &(struct ans_user_set_password){});
}

enum rc on_user_set_password(struct store *store, const struct msg_user_set_password *m, struct call *call)
{
	struct pg_job *job = store_job(call, user_password_set);

	if (!store_fits(call, "new_hash", m->new_hash, HASH_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_USER_SET_PASSWORD);
	store_arg_caller(job, call);
	pg_arg_text(job, m->old_hash);
	pg_arg_text(job, m->new_hash);
	return store_run(store, call, job);
}

static void user_got_with(struct call *call, struct pg_job *job, bool with_password)
{
	const PGresult *r = job->results[0];
	CLEANUP(string_done) UT_string user = { 0 };
	struct ans_user_get ans;

	if (!row_has(r, 0, USER_id)) {
		call_fail(call, RC_NOT_FOUND, NULL, "the account does not exist");
		return;
	}
	utstring_init(&user);
	json_user(&user, r, 0);
	ans = (struct ans_user_get){ .user = json_written(&user), .is_active = row_flag(r, 0, USER_is_active) };
	if (with_password && !row_flag(r, 0, USER_is_guest))
		ans.password_hash = row_text(r, 0, USER_password_hash);
	call_answer(call, &ans);
}

static void user_got(struct call *call, struct pg_job *job)
{
	user_got_with(call, job, false);
}

static void user_got_to_compare(struct call *call, struct pg_job *job)
{
	user_got_with(call, job, true);
}

enum rc on_user_get(struct store *store, const struct msg_user_get *m, struct call *call)
{
	struct pg_job *job = store_job(call, m->with_password ? user_got_to_compare : user_got);

	if (call_caller(call)->kind == CALLER_NOBODY)
		return RC_NOT_FOUND;
	pg_job_add(job, QUERY_USER_GET);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}
