#define DISPATCH_TABLE
#include "handlers.h"

const struct dispatch *ai_handlers(void)
{
	return &dispatch_rows;
}

/*
 * Every worker hears it; most do not have the attempt. It may come twice. Who
 * asks for the text has the turn from now on; who has not may not end it: he
 * may have slept while another took it over.
 */
void on_ai_control(struct chat_link *chat, const struct msg_ai_control *m, const struct envelope *env)
{
	struct attempt *a = attempt_find(chat->ai, &m->turn_id, m->attempt);

	(void)env;
	if (a == NULL)
		return;
	if (text_is(m->action, "refetch")) {
		attempt_goes_to(a, chat);
		tell_text(a);
	} else if (!text_is(m->action, "cancel")) {
		log_warning(&a->log, "ai.control", "reason=\"unknown action\"");
	} else if (a->chat == chat) {
		attempt_stop(a, ENDING_CANCELLED);
	} else {
		log_info(&a->log, "attempt.not_cancelled", "reason=\"asked by a chat that does not have the turn\"");
	}
}
