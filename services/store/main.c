#include <stdio.h>
#include <string.h>

#include "store.h"

/* Takes an option out of the arguments, which the suite's own do not know. */
static bool take_option(const char *name, int *argc, char **argv)
{
	int n = 1, before = *argc;

	for (int i = 1; i < before; i++)
		if (strcmp(argv[i], name) != 0)
			argv[n++] = argv[i];
	argv[n] = NULL;
	*argc = n;
	return n != before;
}

/* The same with a value behind it; NULL: it is not there, or has none. */
static const char *take_value(const char *name, int *argc, char **argv)
{
	for (int i = 1; i + 1 < *argc; i++) {
		const char *value = argv[i + 1];

		if (strcmp(argv[i], name) != 0)
			continue;
		memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof(*argv)); /* the NULL as well */
		*argc -= 2;
		return value;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct daemon d;
	struct store store;
	bool rehearsal = take_option("--dry-run", &argc, argv);
	bool migrate = take_option("--migrate", &argc, argv) || rehearsal;
	const char *forgetful = take_value("--password-reset", &argc, argv);

	daemon_init(&d, "store", SERVICE_STORE, store_settings, &store);
	if (!daemon_options(&d, argc, argv)) {
		if (argc > 1 && strcmp(argv[1], "--help") == 0)
			printf("  --migrate   bring the database's schema up to date and leave\n"
			       "  --dry-run   say what --migrate would do, change nothing; 1 when it could not\n"
			       "  --password-reset EMAIL   print a link with which that user sets a new password, "
			       "once\n");
		return daemon_status(&d);
	}
	if (migrate)
		return store_migrate(&d, rehearsal);
	if (forgetful != NULL)
		return store_reset_link(&d, forgetful);
	daemon_start(&d);
	store_init(&store, &d);
	daemon_run(&d);
	store_done(&store);
	return daemon_stop(&d);
}
