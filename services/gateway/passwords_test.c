#include "passwords.h"

#include <crypt.h>
#include <sodium.h>
#include <stdio.h>

#include "unit.h"

struct fixture {
	struct loop loop;
	struct passwords *passwords;
	struct passwords_result last;
	int done;
};

static void on_done(void *arg, const struct passwords_result *result)
{
	struct fixture *f = arg;

	f->last = *result;
	f->done++;
}

static int set_up(void **state)
{
	static struct fixture f;

	loop_init(&f.loop);
	f.passwords = passwords_new(NULL, &f.loop, 1, 2);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	passwords_free(f->passwords);
	loop_done(&f->loop);
	return 0;
}

static void wait_for(struct fixture *f, int n)
{
	while (f->done < n)
		ev_run(f->loop.ev, EVRUN_ONCE);
	f->done = 0;
}

static void check(struct fixture *f, const char *password, const char *hash)
{
	assert_non_null(passwords_check(f->passwords, text_from(password), hash, on_done, f));
	wait_for(f, 1);
}

static void a_new_hash_fits_its_password_only(void **state)
{
	struct fixture *f = *state;
	char hash[PASSWORD_HASH_SIZE];

	check(f, "correct horse 1", NULL);
	assert_true(f->last.fits);
	assert_memory_equal(f->last.hash, "$argon2id$", 10);
	memcpy(hash, f->last.hash, sizeof(hash));
	check(f, "correct horse 1", hash);
	assert_true(f->last.fits);
	assert_string_equal(f->last.hash, "");
	check(f, "correct horse 2", hash);
	assert_false(f->last.fits);
	check(f, "", hash);
	assert_false(f->last.fits);
}

static void hashes_of_old_databases_fit_and_are_renewed(void **state)
{
	struct fixture *f = *state;
	/* bcrypt("correct horse 1") */
	const char *old = "$2b$04$abcdefghijklmnopqrstuu";
	char hash[PASSWORD_HASH_SIZE];

	snprintf(hash, sizeof(hash), "%s", crypt("correct horse 1", old));
	assert_memory_equal(hash, "$2b$", 4);
	check(f, "correct horse 1", hash);
	assert_true(f->last.fits);
	assert_memory_equal(f->last.hash, "$argon2id$", 10);
	check(f, "wrong horse 1", hash);
	assert_false(f->last.fits);
	assert_string_equal(f->last.hash, "");
}

static void hashes_of_no_known_kind_fit_nothing(void **state)
{
	struct fixture *f = *state;
	static const char *const strange[] = { "", "x", "default", "$2b$", "$2b$99$x", "$argon2id$", "$6$x$y" };

	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		check(f, "x", strange[i]);
		assert_false(f->last.fits);
	}
}

static void the_queue_is_bounded_and_the_forgotten_are_not_told(void **state)
{
	struct fixture *f = *state;
	struct passwords_job *jobs[3];

	for (int i = 0; i < 3; i++) {
		jobs[i] = passwords_check(f->passwords, text_from("x"), NULL, on_done, f);
		assert_non_null(jobs[i]);
	}
	assert_null(passwords_check(f->passwords, text_from("x"), NULL, on_done, f));
	passwords_forget(jobs[1]);
	wait_for(f, 2);
	while (passwords_waiting(f->passwords) > 0)
		ev_run(f->loop.ev, EVRUN_ONCE);
	assert_int_equal(f->done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_hash_fits_its_password_only),
		cmocka_unit_test(hashes_of_old_databases_fit_and_are_renewed),
		cmocka_unit_test(hashes_of_no_known_kind_fit_nothing),
		cmocka_unit_test(the_queue_is_bounded_and_the_forgotten_are_not_told),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, set_up, tear_down);
}
