/*
 * store: the daemon that owns PostgreSQL. One request of the bus is one
 * transaction; who asks is checked in the statement that reads or writes.
 */
#ifndef ALP_STORE_H
#define ALP_STORE_H

#include "daemon.h"
#include "pg_pool.h"
#include "purge.h"
#include "schema.h"

struct store {
	struct daemon *daemon;
	struct config *config;
	struct log log;
	struct uuid_text instance; /* of this process */
	struct schema schema;
	struct pg_pool *pool;
	struct purge purge;
};

settings_fn store_settings; /* numbers, and the form of DATABASE_URL */

/* After store_settings. Ends the process with a reason when the bus cannot be served. */
void store_init(struct store *store, struct daemon *d);
void store_done(struct store *store);

/*
 * --migrate: brings the schema up to date without serving anything; the exit
 * status. d has its options. rehearsal (--dry-run): changes nothing, says on
 * standard output what would happen; 1 when it could not.
 */
int store_migrate(struct daemon *d, bool rehearsal);

/*
 * --password-reset: makes a link to set a new password for the account with
 * this address. The link, without the address of the page, goes to standard
 * output, all else to standard error; the exit status. d has its options.
 */
int store_reset_link(struct daemon *d, const char *email);

/* ---- for handlers ------------------------------------------------------------ */

/* Makes the answer from the job's results, all of which are there, and answers the call. */
typedef void store_answer_fn(struct call *call, struct pg_job *job);

/* A job for a call, allocated in the call's context; store_run hands it to the pool. */
struct pg_job *store_job(struct call *call, store_answer_fn *answer);
enum rc store_run(struct store *store, struct call *call, struct pg_job *job);

/* Refuses the call when the first result has no row (RC_NOT_FOUND) or a verdict that is not "ok". True: refused. */
bool store_refused(struct call *call, const struct pg_job *job);

/* The same, and when the turn that the verdict speaks of is not in the second result. */
bool store_refused_turn(struct call *call, const struct pg_job *job);

/* The caller, as the next argument. */
void store_arg_caller(struct pg_job *job, const struct call *call);

/* A session as a client names it, as the next two arguments: row id, own name; both null when empty. */
void store_arg_session(struct pg_job *job, struct text session);

/*
 * A module as a client names it, as the next five arguments: its track's id,
 * the client's own name of a track that is not stored, the module's id, its
 * number, its name as it came.
 */
void store_arg_module(struct pg_job *job, struct text track, struct text module);

/* ... only its id and its number. */
void store_arg_module_id(struct pg_job *job, struct text module);

/* A list's limit and after, as the next two arguments: without a limit, or with a larger one, it is LIST_MAX. */
#define LIST_MAX 1000
void store_arg_page(struct pg_job *job, int64_t limit, const struct uuid_text *after);

/* False and the call refused (RC_INVALID naming the field) when t has more than max characters. */
bool store_fits(struct call *call, const char *field, struct text t, size_t max);

/* False and the call refused when hash is no SHA-256-sized value in lower-case hexadecimal. */
bool store_is_hash(struct call *call, const char *field, struct text hash);

#endif
