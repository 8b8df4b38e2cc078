#define DISPATCH_TABLE
#include "handlers.h"

const struct dispatch *ai_handlers(void)
{
	return &dispatch_rows;
}

/* Every worker hears it; most do not have the attempt. It may come twice. */
void on_ai_control(struct ai *ai, const struct msg_ai_control *m, const struct envelope *env)
{
	struct attempt *a = attempt_find(ai, &m->turn_id, m->attempt);

	(void)env;
	if (a == NULL)
		return;
	if (text_is(m->action, "cancel"))
		attempt_stop(a, ENDING_CANCELLED);
	else if (text_is(m->action, "refetch"))
		tell_text(a);
	else
		log_warning(&a->log, "ai.control", "reason=\"unknown action\"");
}
