#include "gateway.h"

int main(int argc, char **argv)
{
	struct daemon d;
	struct gateway gateway;

	daemon_init(&d, "gateway", SERVICE_GATEWAY, gateway_settings, &gateway);
	if (!daemon_options(&d, argc, argv))
		return daemon_status(&d);
	daemon_start(&d);
	gateway_init(&gateway, &d);
	daemon_run(&d);
	gateway_done(&gateway);
	return daemon_stop(&d);
}
