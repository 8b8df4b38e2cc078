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

int main(int argc, char **argv)
{
	struct daemon d;
	struct store store;
	bool rehearsal = take_option("--dry-run", &argc, argv);
	bool migrate = take_option("--migrate", &argc, argv) || rehearsal;

	daemon_init(&d, "store", SERVICE_STORE, store_settings, &store);
	if (!daemon_options(&d, argc, argv)) {
		if (argc > 1 && strcmp(argv[1], "--help") == 0)
			printf("  --migrate   bring the database's schema up to date and leave\n"
			       "  --dry-run   say what --migrate would do, change nothing; 1 when it could not\n");
		return daemon_status(&d);
	}
	if (migrate)
		return store_migrate(&d, rehearsal);
	daemon_start(&d);
	store_init(&store, &d);
	daemon_run(&d);
	store_done(&store);
	return daemon_stop(&d);
}
