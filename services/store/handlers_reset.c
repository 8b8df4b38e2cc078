/* A forgotten password: the link that an administrator makes, and its only use. */
#include "columns.h"
#include "handlers.h"
#include "rows.h"

#define HASH_MAX 255

/* Behind the verdict. */
enum { MADE_UNTIL = VERDICT_COLUMN_COUNT };
enum { RESET_USER = VERDICT_COLUMN_COUNT, RESET_VERSION };

static void reset_made(struct call *call, struct pg_job *job)
{
	struct ans_password_reset_make ans = { 0 };
	char iso[ISO_SIZE];

	if (store_refused(call, job))
		return;
	if (iso_from_pg(row_text(job->results[0], 0, MADE_UNTIL), iso))
		ans.expires_at = text_from(iso);
	call_answer(call, &ans);
}

enum rc on_password_reset_make(struct store *store, const struct msg_password_reset_make *m, struct call *call)
{
	struct pg_job *job = store_job(call, reset_made);

	if (!store_is_hash(call, "token_hash", m->token_hash))
		return RC_OK;
	pg_job_add(job, QUERY_PASSWORD_RESET_MAKE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->user_id);
	pg_arg_text(job, m->token_hash);
	pg_arg_i64(job, store->config->password_reset_ttl_minutes);
	return store_run(store, call, job);
}

static void reset_done(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[0];
	struct ans_password_reset ans;

	if (store_refused(call, job))
		return;
	ans = (struct ans_password_reset){ row_uuid(r, 0, RESET_USER), row_i64(r, 0, RESET_VERSION) };
	call_answer(call, &ans);
}

enum rc on_password_reset(struct store *store, const struct msg_password_reset *m, struct call *call)
{
	struct pg_job *job = store_job(call, reset_done);

	if (!store_is_hash(call, "token_hash", m->token_hash) || !store_fits(call, "new_hash", m->new_hash, HASH_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_PASSWORD_RESET);
	pg_arg_text(job, m->token_hash);
	pg_arg_text(job, m->new_hash);
	return store_run(store, call, job);
}
