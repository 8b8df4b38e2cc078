#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

struct fixture {
	void *ctx;
	char file[64];
	struct config config;
	struct err err;
};

static bool load(struct fixture *f, enum service who, const char *text)
{
	FILE *out = fopen(f->file, "we");

	fputs(text, out);
	fclose(out);
	f->err = (struct err){ 0 };
	return config_load(f->ctx, &f->config, who, f->file, &f->err);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->ctx = talloc_new(NULL);
	snprintf(f->file, sizeof(f->file), "/tmp/alp-config-XXXXXX");
	close(mkstemp(f->file));
	unsetenv("LOG_LEVEL");
	unsetenv("BUS_KEY");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->file);
	talloc_free(f->ctx);
	free(f);
	return 0;
}

#define KEY "BUS_KEY=0123456789abcdef0123456789abcdef\n"

static void config_reads_the_seeds_file(void **state)
{
	struct fixture *f = *state;

	assert_true(load(f, SERVICE_GATEWAY,
			 KEY "# comment\nSECRET_KEY=your-secret-key-here\nDEBUG=true\n\n"
			     "DATABASE_URL=postgresql://user:password@localhost:5432/ai_learning_platform\n"
			     "DEFAULT_OPENAI_MODEL=gpt-4o-mini   # "
			     "cheap\nCORS_ORIGINS=[\"http://localhost:3000\"]\nALGORITHM=HS256\n"));
	assert_true(f->config.debug);
	assert_string_equal(f->config.default_openai_model, "gpt-4o-mini");
	assert_int_equal(f->config.cors_origins.n, 1);
	assert_string_equal(f->config.cors_origins.items[0], "http://localhost:3000");
	/* gateway knows the name but keeps nothing of the database's secret */
	assert_string_equal(f->config.database_url, "");
}

static void config_environment_wins_over_the_file(void **state)
{
	struct fixture *f = *state;

	setenv("LOG_LEVEL", "debug", 1);
	assert_true(load(f, SERVICE_CHAT, KEY "LOG_LEVEL=error\n"));
	assert_string_equal(f->config.log_level, "debug");
	unsetenv("LOG_LEVEL");
}

static void config_stops_with_the_reason(void **state)
{
	static const struct {
		const char *file, *says;
	} cases[] = {
		{ KEY "NO_SUCH_THING=1\n", "NO_SUCH_THING" },
		{ KEY "AI_SLOTS=many\n", "AI_SLOTS" },
		{ KEY "AI_SLOTS=-1\n", "AI_SLOTS" },
		{ KEY "DEBUG=perhaps\n", "DEBUG" },
		{ KEY "BUS_CHAT=nowhere\n", "BUS_CHAT" },
		{ KEY "BUS_CHAT=host:99999\n", "BUS_CHAT" },
		{ KEY "CORS_ORIGINS=[\"http://x\"\n", "CORS_ORIGINS" },
		{ KEY "CORS_ORIGINS=[1]\n", "CORS_ORIGINS" },
		{ KEY KEY, "BUS_KEY" },
		{ "LOG_LEVEL=info\n", "BUS_KEY" },
		{ KEY "just words\n", "NAME=value" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(load(f, SERVICE_CHAT, cases[i].file));
		if (strstr(f->err.message, cases[i].says) == NULL)
			fail_msg("'%s' does not name %s", f->err.message, cases[i].says);
		assert_null(strstr(f->err.message, "0123456789abcdef"));
	}
}

static void config_masks_secrets(void **state)
{
	struct fixture *f = *state;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_true(load(f, SERVICE_AI, KEY "DEFAULT_OPENAI_API_KEY=sk-canary\n"));
	config_print(&f->config, SERVICE_AI, out);
	fclose(out);
	assert_null(strstr(text, "canary"));
	assert_null(strstr(text, "0123456789abcdef"));
	assert_non_null(strstr(text, "DEFAULT_OPENAI_API_KEY=***\n"));
	assert_null(strstr(text, "DATABASE_URL"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(config_reads_the_seeds_file, setup, teardown),
		cmocka_unit_test_setup_teardown(config_environment_wins_over_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(config_stops_with_the_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(config_masks_secrets, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
