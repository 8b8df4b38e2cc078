#include "changed.h"

static void changed_on_answer(void *arg, const struct answer *answer)
{
	struct gateway *gw = arg;

	if (answer->err.rc != RC_OK)
		log_warning(&gw->log, "changed.untold", "rc=%s reason=\"%s\"", rc_name(answer->err.rc),
			    answer->err.message);
}

/* Replies may run in any chat. */
static bool replies_elsewhere(const void *body)
{
	const struct ans_chat_changed *ans = body;

	return ans->elsewhere;
}

void changed_tell(struct http_request *r, const char *change, struct text told, const struct uuid_text *track_id)
{
	struct msg_chat_changed m = { .change = text_from(change), .told = told };
	struct ask ask = { .caller = r->caller, .trace = r->trace };

	if (change[0] == '\0')
		return;
	if (track_id != NULL)
		m.track_id = *track_id;
	bus_request(r->gw->chat, MSG_CHAT_CHANGED, &m, &ask, changed_on_answer, r->gw);
	if (peer_instances(r->gw->chat) == 1 || (track_id == NULL && strcmp(change, "deleted") != 0))
		return;
	m.told_already = true;
	ask.elsewhere = replies_elsewhere;
	bus_request(r->gw->chat, MSG_CHAT_CHANGED, &m, &ask, changed_on_answer, r->gw);
}
