#include "ws_conn.h"

#include <utlist.h>

#include "routes.h"

/*
 * lws writes when the kernel has said that a socket is writable, which takes
 * two changes of the epoll set and a turn of the loop for each frame. It nearly
 * always is, so we try first; lws keeps what the kernel does not take, and asks
 * then.
 */
static void due_on_prepare(struct ev_loop *ev, ev_prepare *w, int events)
{
	struct sockets *sockets = w->data;
	struct ws_conn *ws;

	(void)events;
	while ((ws = sockets->due) != NULL) {
		LL_DELETE2(sockets->due, ws, due_next);
		ws->is_due = false;
		ws_write_now(ws);
	}
	ev_prepare_stop(ev, w);
}

void sockets_write_soon(struct sockets *sockets, struct ws_conn *ws)
{
	if (ws->is_due || ws->id == 0)
		return;
	ws->is_due = true;
	LL_PREPEND2(sockets->due, ws, due_next);
	ev_prepare_start(sockets->ev, &sockets->write_due);
}

struct sockets *sockets_new(void *ctx, struct loop *loop)
{
	struct sockets *sockets = talloc_zero(ctx, struct sockets);

	sockets->ev = loop->ev;
	ev_prepare_init(&sockets->write_due, due_on_prepare);
	sockets->write_due.data = sockets;
	return sockets;
}

/* Owner and session name; the owner's part has a fixed length, so that no two pairs look alike. */
static char *group_key(const void *ctx, const struct uuid_text *user_id, struct text path_id)
{
	return talloc_asprintf(ctx, "%.36s/" TEXT_FMT, user_id->s, TEXT_ARG(path_id));
}

struct session_group *sockets_group(const struct sockets *sockets, const struct uuid_text *user_id, struct text path_id)
{
	char key[36 + 1 + ROUTE_ID_MAX * 4];
	struct session_group *group;

	if (path_id.len == 0 || path_id.len > sizeof(key) - 37)
		return NULL;
	memcpy(key, user_id->s, 36);
	key[36] = '/';
	memcpy(key + 37, path_id.p, path_id.len);
	HASH_FIND(hh, sockets->groups, key, 37 + path_id.len, group);
	return group;
}

static struct user_sockets *user_find(const struct sockets *sockets, const struct uuid_text *user_id)
{
	struct user_sockets *user;

	HASH_FIND(hh, sockets->users, user_id, sizeof(*user_id), user);
	return user;
}

size_t sockets_of_user(const struct sockets *sockets, const struct uuid_text *user_id)
{
	const struct user_sockets *user = user_find(sockets, user_id);

	return user != NULL ? user->n : 0;
}

static void user_count(struct sockets *sockets, struct ws_conn *ws)
{
	struct user_sockets *user = user_find(sockets, &ws->caller.user_id);

	if (ws->caller.kind == CALLER_NOBODY)
		return;
	if (user == NULL) {
		user = talloc_zero(sockets, struct user_sockets);
		user->user_id = ws->caller.user_id;
		HASH_ADD(hh, sockets->users, user_id, sizeof(user->user_id), user);
	}
	user->n++;
	ws->user = user;
}

static void user_uncount(struct sockets *sockets, struct ws_conn *ws)
{
	struct user_sockets *user = ws->user;

	if (user == NULL || --user->n > 0)
		return;
	HASH_DEL(sockets->users, user);
	talloc_free(user);
}

void sockets_add(struct sockets *sockets, struct ws_conn *ws)
{
	struct session_group *group;

	ws->id = ++sockets->last_id;
	HASH_ADD(hh, sockets->by_id, id, sizeof(ws->id), ws);
	user_count(sockets, ws);
	if (ws->is_switch) /* it gets answers only */
		return;
	group = sockets_group(sockets, &ws->caller.user_id, ws->path_id);
	if (group == NULL) {
		group = talloc_zero(sockets, struct session_group);
		group->key = group_key(group, &ws->caller.user_id, ws->path_id);
		HASH_ADD_KEYPTR(hh, sockets->groups, group->key, strlen(group->key), group);
	}
	DL_APPEND(group->all, ws);
	ws->group = group;
}

void sockets_remove(struct sockets *sockets, struct ws_conn *ws)
{
	struct session_group *group = ws->group;

	HASH_DEL(sockets->by_id, ws);
	user_uncount(sockets, ws);
	if (ws->is_due)
		LL_DELETE2(sockets->due, ws, due_next);
	if (sockets->due == NULL)
		ev_prepare_stop(sockets->ev, &sockets->write_due);
	if (group == NULL)
		return;
	DL_DELETE(group->all, ws);
	ws->group = NULL;
	if (group->all != NULL)
		return;
	HASH_DEL(sockets->groups, group);
	talloc_free(group);
}

struct ws_conn *sockets_find(const struct sockets *sockets, uint64_t id)
{
	struct ws_conn *ws;

	HASH_FIND(hh, sockets->by_id, &id, sizeof(id), ws);
	return ws;
}

size_t sockets_count(const struct sockets *sockets)
{
	return HASH_COUNT(sockets->by_id);
}
