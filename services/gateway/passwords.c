#include "passwords.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <crypt.h>
#include <sodium.h>
#include <utlist.h>

#define OPS 2U
#define MEMORY (32U << 20)
#define THREADS_MAX 16

/* Between passwords_check and its arrival in `ended` a job belongs to a thread. */
struct passwords_job {
	struct passwords *owner;
	char *password; /* plain malloc: talloc contexts do not cross threads */
	size_t password_len;
	char *compare_with; /* NULL: make a hash */
	struct passwords_result result;
	passwords_done_fn *done; /* loop thread only; NULL: forgotten */
	void *arg;
	struct passwords_job *prev, *next;
};

struct passwords {
	struct loop *loop;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct passwords_job *queue, *ended; /* under lock */
	bool stopping; /* under lock */
	ev_async wake;
	int open_n, open_max; /* loop thread: queued and running */
	pthread_t threads[THREADS_MAX];
	int threads_n;
};

static void make_hash(struct passwords_job *job)
{
	if (crypto_pwhash_str(job->result.hash, job->password, job->password_len, OPS, MEMORY) != 0)
		abort(); /* no memory */
}

/* crypt: "$2a$", "$2b$", "$2y$". The comparison takes the same time wherever they differ. */
static bool fits_bcrypt(const struct passwords_job *job)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *made;
	bool fits;

	if (data == NULL)
		abort();
	made = crypt_r(job->password, job->compare_with, data);
	fits = made != NULL && strlen(made) == strlen(job->compare_with) &&
	       sodium_memcmp(made, job->compare_with, strlen(made)) == 0;
	sodium_memzero(data, sizeof(*data));
	free(data);
	return fits;
}

static void compare(struct passwords_job *job)
{
	bool bcrypt = strncmp(job->compare_with, "$2", 2) == 0;

	job->result.fits = bcrypt ? fits_bcrypt(job)
				  : crypto_pwhash_str_verify(job->compare_with, job->password, job->password_len) == 0;
	if (job->result.fits && (bcrypt || crypto_pwhash_str_needs_rehash(job->compare_with, OPS, MEMORY) != 0))
		make_hash(job);
}

static void run_job(struct passwords_job *job)
{
	if (job->compare_with != NULL) {
		compare(job);
	} else {
		make_hash(job);
		job->result.fits = true;
	}
	sodium_memzero(job->password, job->password_len);
}

/* On a thread of ours. */
static void *thread_main(void *arg)
{
	struct passwords *passwords = arg;
	struct passwords_job *job;

	pthread_mutex_lock(&passwords->lock);
	for (;;) {
		while (passwords->queue == NULL && !passwords->stopping)
			pthread_cond_wait(&passwords->work, &passwords->lock);
		if (passwords->stopping)
			break;
		job = passwords->queue;
		DL_DELETE(passwords->queue, job);
		pthread_mutex_unlock(&passwords->lock);
		run_job(job);
		pthread_mutex_lock(&passwords->lock);
		DL_APPEND(passwords->ended, job);
		ev_async_send(passwords->loop->ev, &passwords->wake);
	}
	pthread_mutex_unlock(&passwords->lock);
	return NULL;
}

static void job_free(struct passwords_job *job)
{
	sodium_memzero(job->password, job->password_len);
	free(job->password);
	free(job->compare_with);
	free(job);
}

static void passwords_on_wake(struct ev_loop *ev, ev_async *w, int events)
{
	struct passwords *passwords = w->data;
	struct passwords_job *ended, *job, *next;

	(void)ev, (void)events;
	pthread_mutex_lock(&passwords->lock);
	ended = passwords->ended;
	passwords->ended = NULL;
	pthread_mutex_unlock(&passwords->lock);
	DL_FOREACH_SAFE (ended, job, next) {
		passwords->open_n--;
		if (job->done != NULL)
			job->done(job->arg, &job->result);
		job_free(job);
	}
}

struct passwords *passwords_new(void *ctx, struct loop *loop, int threads, int queue_max)
{
	struct passwords *passwords = talloc_zero(ctx, struct passwords);
	sigset_t all, before;

	passwords->loop = loop;
	passwords->open_max = queue_max + threads;
	pthread_mutex_init(&passwords->lock, NULL);
	pthread_cond_init(&passwords->work, NULL);
	ev_async_init(&passwords->wake, passwords_on_wake);
	passwords->wake.data = passwords;
	ev_async_start(loop->ev, &passwords->wake);
	/* Signals are the loop thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (int i = 0; i < threads && i < THREADS_MAX; i++)
		if (pthread_create(&passwords->threads[passwords->threads_n], NULL, thread_main, passwords) == 0)
			passwords->threads_n++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (passwords->threads_n == 0)
		abort();
	return passwords;
}

void passwords_free(struct passwords *passwords)
{
	struct passwords_job *job, *next;

	pthread_mutex_lock(&passwords->lock);
	passwords->stopping = true;
	pthread_cond_broadcast(&passwords->work);
	pthread_mutex_unlock(&passwords->lock);
	for (int i = 0; i < passwords->threads_n; i++)
		pthread_join(passwords->threads[i], NULL);
	ev_async_stop(passwords->loop->ev, &passwords->wake);
	DL_CONCAT(passwords->queue, passwords->ended);
	DL_FOREACH_SAFE (passwords->queue, job, next)
		job_free(job);
	pthread_cond_destroy(&passwords->work);
	pthread_mutex_destroy(&passwords->lock);
	talloc_free(passwords);
}

struct passwords_job *passwords_check(struct passwords *passwords, struct text password, const char *hash,
				      passwords_done_fn *done, void *arg)
{
	struct passwords_job *job;

	if (passwords->open_n >= passwords->open_max)
		return NULL;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		abort();
	job->owner = passwords;
	job->password = strndup(password.p, password.len);
	job->password_len = password.len;
	job->compare_with = hash != NULL ? strdup(hash) : NULL;
	job->done = done;
	job->arg = arg;
	passwords->open_n++;
	pthread_mutex_lock(&passwords->lock);
	DL_APPEND(passwords->queue, job);
	pthread_cond_signal(&passwords->work);
	pthread_mutex_unlock(&passwords->lock);
	return job;
}

void passwords_forget(struct passwords_job *job)
{
	if (job != NULL)
		job->done = NULL;
}

int passwords_waiting(const struct passwords *passwords)
{
	return passwords->open_n;
}
