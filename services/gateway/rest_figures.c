/* What a chat or a session has cost, and the caller's own figures over all of it. */
#include "problem.h"
#include "rest.h"
#include "rest_chat.h"

static void usage_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_usage *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->usage);
}

void chat_usage(struct http_request *r)
{
	struct msg_usage m = { 0 };

	if (rest_chat_id(r, r->match.params[0].value, WORD_BAD_CHAT_ID, &m.chat_id))
		http_ask(r, r->gw->store, MSG_USAGE, &m, 0, usage_on_answer);
}

void chat_session_usage(struct http_request *r)
{
	struct msg_usage m = { .session_id = rest_session_name(r, r->match.params[0].value) };

	http_ask(r, r->gw->store, MSG_USAGE, &m, 0, usage_on_answer);
}

static void figures_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_figures *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->figures);
}

void analytics(struct http_request *r)
{
	http_ask(r, r->gw->store, MSG_FIGURES, &(struct msg_figures){}, 0, figures_on_answer);
}
