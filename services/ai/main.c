#include "ai.h"

int main(int argc, char **argv)
{
	struct daemon d;
	struct ai ai;

	daemon_init(&d, "ai", SERVICE_AI, ai_settings, &ai);
	if (!daemon_options(&d, argc, argv))
		return daemon_status(&d);
	daemon_start(&d);
	ai_init(&ai, &d);
	daemon_run(&d);
	ai_done(&ai);
	return daemon_stop(&d);
}
