#include "static_tag.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#include "unit.h"

struct fixture {
	char path[64];
	int fd;
	struct static_tag tag;
};

static int set_up(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	snprintf(f->path, sizeof(f->path), "/tmp/alp-tag-XXXXXX");
	f->fd = mkstemp(f->path);
	assert_true(f->fd >= 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	unlink(f->path);
	talloc_free(f);
	return 0;
}

static void write_file(const struct fixture *f, const char *text)
{
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(pwrite(f->fd, text, strlen(text), 0), strlen(text));
}

/* As in a reproducible image: the same size and time of modification, whatever is in it. */
static struct stat look(const struct fixture *f)
{
	const struct timespec epoch[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct stat st;

	assert_int_equal(futimens(f->fd, epoch), 0);
	assert_int_equal(fstat(f->fd, &st), 0);
	return st;
}

static void other_content_of_the_same_size_and_time_is_another_tag(void **state)
{
	struct fixture *f = *state;
	struct static_tag old = { 0 }, new = { 0 }, again = { 0 };
	struct stat st;

	write_file(f, "app-1.js");
	st = look(f);
	assert_true(static_tag_read(&old, f->fd, &st));
	write_file(f, "app-2.js");
	st = look(f);
	assert_true(static_tag_read(&new, f->fd, &st));
	assert_string_not_equal(new.etag, old.etag);
	write_file(f, "app-1.js");
	st = look(f);
	assert_true(static_tag_read(&again, f->fd, &st));
	assert_string_equal(again.etag, old.etag);
	assert_int_equal(strlen(old.etag), 34);
	assert_true(old.etag[0] == '"' && old.etag[33] == '"');
}

static void the_place_in_the_file_stays(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	write_file(f, "page");
	st = look(f);
	assert_int_equal(lseek(f->fd, 1, SEEK_SET), 1);
	assert_true(static_tag_read(&f->tag, f->fd, &st));
	assert_int_equal(lseek(f->fd, 0, SEEK_CUR), 1);
}

static void a_file_that_has_not_changed_is_not_read_again(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char etag[sizeof(f->tag.etag)];

	write_file(f, "page");
	st = look(f);
	assert_true(static_tag_read(&f->tag, f->fd, &st));
	memcpy(etag, f->tag.etag, sizeof(etag));
	assert_true(static_tag_read(&f->tag, -1, &st)); /* -1 can not be read */
	assert_string_equal(f->tag.etag, etag);
	st.st_ctim.tv_nsec ^= 1;
	assert_false(static_tag_read(&f->tag, -1, &st));
	assert_true(static_tag_read(&f->tag, f->fd, &st));
	assert_string_equal(f->tag.etag, etag);
}

static void a_file_shorter_than_it_was_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	write_file(f, "a whole page");
	st = look(f);
	write_file(f, "half");
	assert_false(static_tag_read(&f->tag, f->fd, &st));
	assert_string_equal(f->tag.etag, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(other_content_of_the_same_size_and_time_is_another_tag, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_place_in_the_file_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_has_not_changed_is_not_read_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_shorter_than_it_was_is_an_error, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
