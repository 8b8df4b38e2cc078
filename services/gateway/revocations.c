#include "revocations.h"

#include "clock.h"
#include "ws_conn.h"

#define ASK_EVERY_MS 2000
#define ASK_AGAIN_MS 200 /* before the first answer, and after one that was not the last */
#define ASK_TIMEOUT_MS 2000
#define SKEW_S 60 /* clocks of gateways and database */
#define ENTRIES_MAX 1000000

/* A sign-in, or a user with the version below which his tokens are void. */
struct entry {
	struct uuid_text id;
	int64_t version;
	int64_t until_us; /* no token of before lives longer */
	UT_hash_handle hh; /* in the order of their ends */
};

struct revocations {
	struct gateway *gw;
	struct entry *all;
	int64_t issued_min_s; /* tokens of before are void: there were too many entries */
	int64_t cursor;
	bool known;
	struct request *asking;
	ev_timer timer;
};

static void entry_drop(struct revocations *rev, struct entry *entry)
{
	HASH_DEL(rev->all, entry);
	talloc_free(entry);
}

static void drop_old(struct revocations *rev)
{
	struct entry *entry, *next;

	HASH_ITER (hh, rev->all, entry, next) {
		if (entry->until_us > clock_us())
			return;
		entry_drop(rev, entry);
	}
}

/* Full: forgetting a revocation would be worse than asking everybody to renew his token. */
static void forget_all(struct revocations *rev)
{
	struct entry *entry, *next;

	log_warning(&rev->gw->log, "auth.revocations_full", "entries=%u", HASH_COUNT(rev->all));
	rev->issued_min_s = clock_wall_us() / 1000000 + 1;
	HASH_ITER (hh, rev->all, entry, next)
		entry_drop(rev, entry);
}

static void note(struct revocations *rev, const struct uuid_text *id, int64_t version)
{
	int64_t life_us = (token_life_s(rev->gw->tokens) + SKEW_S) * 1000000;
	struct entry *entry;

	HASH_FIND(hh, rev->all, id->s, 36, entry);
	if (entry != NULL && entry->version >= version)
		return; /* told again */
	if (entry != NULL)
		entry_drop(rev, entry); /* its place is at the end now */
	if (HASH_COUNT(rev->all) >= ENTRIES_MAX)
		forget_all(rev);
	entry = talloc_zero(rev, struct entry);
	entry->id = *id;
	entry->version = version;
	entry->until_us = clock_us() + life_us;
	HASH_ADD(hh, rev->all, id.s, 36, entry);
}

/* ---- who is meant ----------------------------------------------------------------------- */

bool revocations_allow(const struct revocations *rev, const struct token *token)
{
	const struct entry *entry;

	if (token->sign_in.id.s[0] == '\0')
		return true;
	if (token->issued_s < rev->issued_min_s)
		return false;
	HASH_FIND(hh, rev->all, token->sign_in.id.s, 36, entry);
	if (entry != NULL)
		return false;
	HASH_FIND(hh, rev->all, token->caller.user_id.s, 36, entry);
	return entry == NULL || token->sign_in.version >= entry->version;
}

static void close_sockets(struct revocations *rev)
{
	struct ws_conn *ws, *next;

	HASH_ITER (hh, rev->gw->sockets->by_id, ws, next)
		if (!revocations_allow(rev, &ws->token))
			ws_close(ws, WS_CLOSE_SIGNED_OUT);
}

void revocations_end_sign_in(struct revocations *rev, const struct uuid_text *sign_in_id)
{
	if (sign_in_id->s[0] == '\0')
		return;
	note(rev, sign_in_id, 0);
	close_sockets(rev);
}

void revocations_end_user(struct revocations *rev, const struct uuid_text *user_id, int64_t version)
{
	note(rev, user_id, version);
	close_sockets(rev);
}

/* ---- asking ------------------------------------------------------------------------------- */

static void take_changes(struct revocations *rev, struct text json)
{
	CLEANUP(json_drop) cJSON *tree = json_parse_trusted(json);
	const cJSON *item;
	struct uuid_text id;
	int64_t version;

	cJSON_ArrayForEach(item, tree)
	{
		if (uuid_from_text(json_get_text(item, "sign_in_id"), &id))
			note(rev, &id, 0);
		else if (uuid_from_text(json_get_text(item, "user_id"), &id) &&
			 json_get_i64(item, "token_version", &version))
			note(rev, &id, version);
	}
	if (cJSON_GetArraySize(tree) > 0)
		close_sockets(rev);
}

static void on_changes(void *arg, const struct answer *answer)
{
	struct revocations *rev = arg;
	const struct ans_auth_changes *ans = answer->body;
	bool more = ans != NULL && ans->more;

	rev->asking = NULL;
	if (ans != NULL) {
		rev->cursor = ans->cursor;
		take_changes(rev, ans->changes);
		rev->known = rev->known || !ans->more;
	} else {
		log_debug(&rev->gw->log, "auth.changes", "rc=%s reason=\"%s\"", rc_name(answer->err.rc),
			  answer->err.message);
	}
	drop_old(rev);
	loop_arm(rev->gw->loop, &rev->timer, rev->known && !more ? ASK_EVERY_MS : ASK_AGAIN_MS);
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
	struct revocations *rev = timer->data;
	struct msg_auth_changes m = { .cursor = rev->cursor, .life_s = token_life_s(rev->gw->tokens) };
	struct ask ask = { .caller = caller_nobody, .timeout_ms = ASK_TIMEOUT_MS, .background = true };

	(void)ev, (void)events;
	rev->asking = bus_request(rev->gw->store, MSG_AUTH_CHANGES, &m, &ask, on_changes, rev);
}

/* ---- life -------------------------------------------------------------------------------------- */

struct revocations *revocations_new(struct gateway *gw)
{
	struct revocations *rev = talloc_zero(gw->daemon->ctx, struct revocations);

	rev->gw = gw;
	loop_timer(&rev->timer, on_timer, rev);
	loop_arm(gw->loop, &rev->timer, 0);
	return rev;
}

void revocations_free(struct revocations *rev)
{
	struct entry *entry, *next;

	loop_disarm(rev->gw->loop, &rev->timer);
	request_forget(rev->asking);
	HASH_ITER (hh, rev->all, entry, next)
		entry_drop(rev, entry);
	talloc_free(rev);
}

bool revocations_are_known(const struct revocations *rev)
{
	return rev->known;
}

size_t revocations_count(const struct revocations *rev)
{
	return HASH_COUNT(rev->all);
}
