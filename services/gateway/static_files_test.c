#include "static_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>

#include "unit.h"

struct fixture {
	char dir[64];
	struct static_files *files;
};

static void put(const struct fixture *f, const char *name)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	out = fopen(path, "we");
	assert_non_null(out);
	fputs("x", out);
	fclose(out);
}

static void make_dir(const struct fixture *f, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	char link[256];

	snprintf(f->dir, sizeof(f->dir), "/tmp/alp-static-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	make_dir(f, "assets");
	make_dir(f, ".hidden");
	put(f, "index.html");
	put(f, "docs.html");
	put(f, "favicon.svg");
	put(f, "assets/app.js");
	put(f, "assets/app.js.br");
	put(f, "assets/app.js.gz");
	put(f, "assets/font.woff2");
	put(f, "lonely.gz");
	put(f, ".env");
	put(f, ".hidden/secret.txt");
	snprintf(link, sizeof(link), "%s/passwd", f->dir);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	f->files = static_files_new(f, f->dir, NULL);
	assert_non_null(f->files);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "index.html",
					     "docs.html",
					     "favicon.svg",
					     "assets/app.js",
					     "assets/app.js.br",
					     "assets/app.js.gz",
					     "assets/font.woff2",
					     "lonely.gz",
					     ".env",
					     ".hidden/secret.txt",
					     "passwd",
					     "assets",
					     ".hidden",
					     "." };
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		if (unlink(path) != 0)
			rmdir(path);
	}
	rmdir(f->dir);
	talloc_free(f);
	return 0;
}

static const struct static_file *find(void **state, const char *path)
{
	const struct fixture *f = *state;

	return static_files_find(f->files, text_from(path));
}

static void only_listed_files_are_found(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(static_files_count(f->files), 6);
	assert_string_equal(find(state, "/favicon.svg")->type, "image/svg+xml");
	assert_string_equal(find(state, "/lonely.gz")->type, "application/octet-stream");
	assert_null(find(state, "/assets/app.js.br"));
	assert_null(find(state, "/.env"));
	assert_null(find(state, "/.hidden/secret.txt"));
	assert_null(find(state, "/../../etc/passwd.txt"));
	assert_null(find(state, "/assets/gone.js"));
	assert_null(find(state, "//favicon.svg"));
}

static void links_are_not_followed(void **state)
{
	/* what is no file is the page's own path: never the target of the link */
	assert_string_equal(find(state, "/passwd")->type, "text/html; charset=utf-8");
}

static void paths_of_the_pages_router_are_the_page(void **state)
{
	assert_string_equal(find(state, "/")->type, "text/html; charset=utf-8");
	assert_ptr_equal(find(state, "/tracks/new"), find(state, "/index.html"));
	assert_ptr_equal(find(state, "/docs"), find(state, "/docs.html"));
	assert_ptr_equal(find(state, "/tracks/docs"), find(state, "/"));
	assert_null(find(state, "/robots.txt"));
	assert_null(find(state, "/v1.0/x.js"));
	assert_ptr_equal(find(state, "/v1.0/x"), find(state, "/"));
}

static void only_hashed_assets_are_immutable(void **state)
{
	assert_true(find(state, "/assets/app.js")->immutable);
	assert_false(find(state, "/favicon.svg")->immutable);
	assert_false(find(state, "/")->immutable);
}

static enum encoding choose(void **state, const char *path, const char *header)
{
	return static_file_encoding(find(state, path), text_from(header));
}

static void the_best_encoding_both_sides_have_is_chosen(void **state)
{
	assert_int_equal(choose(state, "/assets/app.js", "gzip, deflate, br"), ENCODING_BROTLI);
	assert_int_equal(choose(state, "/assets/app.js", "gzip"), ENCODING_GZIP);
	assert_int_equal(choose(state, "/assets/app.js", "br;q=0.5, gzip;q=0.8"), ENCODING_GZIP);
	assert_int_equal(choose(state, "/assets/app.js", "br;q=0, gzip;q=0"), ENCODING_PLAIN);
	assert_int_equal(choose(state, "/assets/app.js", "identity"), ENCODING_PLAIN);
	assert_int_equal(choose(state, "/assets/app.js", "brx, gzipped"), ENCODING_PLAIN);
	assert_int_equal(choose(state, "/assets/app.js", ""), ENCODING_PLAIN);
	assert_int_equal(choose(state, "/assets/font.woff2", "br, gzip"), ENCODING_PLAIN);
}

static void no_folder_serves_no_files(void **state)
{
	struct static_files *none = static_files_new(NULL, "", NULL);
	struct static_files *gone = static_files_new(NULL, "/nonexistent/folder", NULL);

	(void)state;
	assert_int_equal(static_files_count(none), 0);
	assert_null(static_files_find(none, text_from("/")));
	assert_int_equal(static_files_count(gone), 0);
	talloc_free(none);
	talloc_free(gone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_listed_files_are_found),
		cmocka_unit_test(links_are_not_followed),
		cmocka_unit_test(paths_of_the_pages_router_are_the_page),
		cmocka_unit_test(only_hashed_assets_are_immutable),
		cmocka_unit_test(the_best_encoding_both_sides_have_is_chosen),
		cmocka_unit_test(no_folder_serves_no_files),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
