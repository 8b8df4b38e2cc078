#include "unready.h"

#include "daemon.h"

/* "name: why" of each dependency that is down, or "". */
static void list_missing(const struct daemon *d, char *out, size_t size)
{
	struct dependency deps[DEPENDENCIES_MAX];
	size_t n = d->hooks.dependencies != NULL ? d->hooks.dependencies(d->hooks.arg, deps) : 0;
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && len < size; i++)
		if (!deps[i].up)
			len += (size_t)snprintf(out + len, size - len, "%s%s: %s", len > 0 ? "; " : "", deps[i].name,
						deps[i].why != NULL ? deps[i].why : "down");
}

static void unready_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct unready *u = w->data;
	struct daemon *d = u->daemon;
	char missing[512];

	(void)ev, (void)events;
	if (d->draining)
		return;
	list_missing(d, missing, sizeof(missing));
	if (missing[0] != '\0' && !u->told)
		log_warning(&d->log, "daemon.unready", "reason=\"%s\"", missing);
	else if (missing[0] == '\0' && u->told)
		log_info(&d->log, "daemon.usable", "dependencies=up");
	u->told = missing[0] != '\0';
	loop_arm(&d->loop, w, UNREADY_LOOK_MS);
}

void unready_init(struct unready *u, struct daemon *d)
{
	*u = (struct unready){ .daemon = d };
	loop_timer(&u->timer, unready_on_timer, u);
	loop_arm(&d->loop, &u->timer, UNREADY_LOOK_MS);
}

void unready_done(struct unready *u)
{
	loop_disarm(&u->daemon->loop, &u->timer);
}
