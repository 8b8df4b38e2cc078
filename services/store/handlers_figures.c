/* What was spent and said. The database counts, and writes the JSON: it is short. */
#include "handlers.h"
#include "rows.h"

#define NAME_MAX 255

static void usage_counted(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[0];

	if (PQntuples(r) == 0 || !row_has(r, 0, 0))
		call_fail(call, RC_NOT_FOUND, NULL, "no such chat or session");
	else
		call_answer(call, &(struct ans_usage){ .usage = row_text(r, 0, 0) });
}

enum rc on_usage(struct store *store, const struct msg_usage *m, struct call *call)
{
	struct pg_job *job = store_job(call, usage_counted);

	if (!store_fits(call, "session_id", m->session_id, NAME_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_USAGE);
	store_arg_caller(job, call);
	store_arg_session(job, m->session_id);
	pg_arg_uuid(job, &m->chat_id);
	return store_run(store, call, job);
}

static void figures_counted(struct call *call, struct pg_job *job)
{
	call_answer(call, &(struct ans_figures){ .figures = row_text(job->results[0], 0, 0) });
}

enum rc on_figures(struct store *store, const struct msg_figures *m, struct call *call)
{
	struct pg_job *job = store_job(call, figures_counted);

	(void)m;
	pg_job_add(job, QUERY_FIGURES);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}
