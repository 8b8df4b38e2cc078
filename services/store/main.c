#include <stdio.h>
#include <string.h>

#include "store.h"

/* Takes --migrate out of the arguments, which the suite's own options do not know. */
static bool take_migrate(int *argc, char **argv)
{
	int n = 1;

	for (int i = 1; i < *argc; i++)
		if (strcmp(argv[i], "--migrate") != 0)
			argv[n++] = argv[i];
	argv[n] = NULL;
	return n != *argc ? (*argc = n, true) : false;
}

int main(int argc, char **argv)
{
	struct daemon d;
	struct store store;
	bool migrate = take_migrate(&argc, argv);

	daemon_init(&d, "store", SERVICE_STORE);
	if (!daemon_options(&d, argc, argv)) {
		if (argc > 1 && strcmp(argv[1], "--help") == 0)
			printf("  --migrate   bring the database's schema up to date and leave\n");
		return daemon_status(&d);
	}
	if (migrate)
		return store_migrate(&d);
	daemon_start(&d);
	store_init(&store, &d);
	daemon_run(&d);
	store_done(&store);
	return daemon_stop(&d);
}
