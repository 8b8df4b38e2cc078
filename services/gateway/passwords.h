/*
 * passwords: Argon2id (libsodium) and, for accounts of older databases,
 * bcrypt (crypt), on HASH_THREADS threads of their own: one hash takes about
 * 50 ms of pure computing. The queue is bounded. Results arrive on the loop
 * thread; all functions are called there.
 */
#ifndef ALP_PASSWORDS_H
#define ALP_PASSWORDS_H

#include "loop.h"
#include "text.h"

#define PASSWORD_HASH_SIZE 128

struct passwords;
struct passwords_job;

struct passwords_result {
	bool fits; /* the password belongs to the hash; always true when there was none to compare */
	char hash
		[PASSWORD_HASH_SIZE]; /* a new hash: of a new password, or of a good one whose hash is outdated; else "" */
};

typedef void passwords_done_fn(void *arg, const struct passwords_result *result);

struct passwords *passwords_new(void *ctx, struct loop *loop, int threads, int queue_max);
void passwords_free(struct passwords *passwords);

/*
 * Compares password with hash (NULL: makes a new hash, which takes as long).
 * Both are copied; the copy of the password is wiped. NULL when the queue is full.
 */
struct passwords_job *passwords_check(struct passwords *passwords, struct text password, const char *hash,
				      passwords_done_fn *done, void *arg);

/* The asker is gone: done will not run. NULL is quiet. */
void passwords_forget(struct passwords_job *job);

int passwords_waiting(const struct passwords *passwords);

#endif
