#include "chat.h"

int main(int argc, char **argv)
{
	struct daemon d;
	struct chat chat;

	daemon_init(&d, "chat", SERVICE_CHAT, chat_settings, &chat);
	if (!daemon_options(&d, argc, argv))
		return daemon_status(&d);
	daemon_start(&d);
	chat_init(&chat, &d);
	daemon_run(&d);
	chat_done(&chat);
	return daemon_stop(&d);
}
