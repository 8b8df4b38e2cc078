#include "mirror.h"

#include <stdio.h>

void mirror_init(struct mirror *m, int64_t epoch)
{
	m->epoch = epoch;
	reply_log_init(&m->log);
}

void mirror_done(struct mirror *m)
{
	reply_log_done(&m->log);
}

enum mirror_step mirror_delta(struct mirror *m, int64_t epoch, int64_t offset, struct text piece)
{
	if (epoch < m->epoch)
		return MIRROR_OLD;
	/* Nothing was shown of an earlier epoch: its end needs no announcement. */
	if (epoch > m->epoch && m->log.n == 0)
		m->epoch = epoch;
	if (epoch > m->epoch || offset > (int64_t)m->log.n)
		return MIRROR_GAP;
	if (offset < (int64_t)m->log.n)
		return MIRROR_OLD;
	reply_log_add(&m->log, piece);
	return MIRROR_APPENDED;
}

bool mirror_reset(struct mirror *m, int64_t epoch)
{
	if (epoch <= m->epoch)
		return false;
	m->epoch = epoch;
	reply_log_clear(&m->log);
	return true;
}

enum mirror_merge mirror_fill(struct mirror *m, int64_t epoch, int64_t offset, struct text pieces, struct text ends,
			      size_t *from_out)
{
	bool shown = m->log.n > 0;
	bool newer = epoch > m->epoch;

	if (epoch < m->epoch) /* an answer that was overtaken by events */
		return *from_out = m->log.n, MERGE_GOOD;
	if (newer)
		mirror_reset(m, epoch);
	*from_out = m->log.n;
	if (offset < 0 || (ends.len > 0 && !reply_log_merge(&m->log, (size_t)offset, pieces, ends))) {
		reply_log_clear(&m->log);
		return MERGE_BROKEN;
	}
	return newer && shown ? MERGE_RESET : MERGE_GOOD;
}

static bool read_number(const char **p, const char *end, int64_t *out)
{
	const char *from = *p;

	for (*out = 0; *p < end && **p >= '0' && **p <= '9' && *p - from < 15; ++*p)
		*out = *out * 10 + (**p - '0');
	return *p > from;
}

bool mirror_position(struct text id, int64_t *epoch_out, int64_t *offset_out)
{
	const char *p = id.p, *end = id.p + id.len;

	return id.len > 0 && read_number(&p, end, epoch_out) && p < end && *p++ == '.' &&
	       read_number(&p, end, offset_out) && p == end;
}

/* ---- cursors --------------------------------------------------------------------- */

#define CLOSED INT64_MAX /* above every epoch: cursor_next finds nothing that comes next */

static bool same(const struct uuid_text *a, const struct uuid_text *b)
{
	return memcmp(a->s, b->s, 36) == 0;
}

/* Moves the cursor of a turn to the front; made at `next` 0 when there is none. */
static struct cursor *cursor_get(struct cursors *c, const struct uuid_text *turn_id)
{
	struct cursor found = { .turn_id = *turn_id, .epoch = -1 };
	int i = 0;

	while (i < c->n && !same(&c->items[i].turn_id, turn_id))
		i++;
	if (i == 0 && c->n > 0)
		return &c->items[0];
	if (i < c->n)
		found = c->items[i];
	else if (c->n < CURSORS_MAX)
		c->n++;
	else
		i = CURSORS_MAX - 1;
	memmove(&c->items[1], &c->items[0], (size_t)i * sizeof(found));
	c->items[0] = found;
	return &c->items[0];
}

static const struct cursor *cursor_find(const struct cursors *c, const struct uuid_text *turn_id)
{
	for (int i = 0; i < c->n; i++)
		if (same(&c->items[i].turn_id, turn_id))
			return &c->items[i];
	return NULL;
}

int64_t cursor_next(const struct cursors *c, const struct uuid_text *turn_id, int64_t epoch, bool from_start)
{
	const struct cursor *known = cursor_find(c, turn_id);

	if (known != NULL && known->epoch == epoch)
		return (int64_t)known->next;
	return from_start && (known == NULL || known->epoch < epoch) ? 0 : -1;
}

void cursor_set(struct cursors *c, const struct uuid_text *turn_id, int64_t epoch, size_t next)
{
	struct cursor *cursor = cursor_get(c, turn_id);

	cursor->epoch = epoch;
	cursor->next = next;
}

void cursor_close(struct cursor *cursor)
{
	cursor->epoch = CLOSED;
}

bool cursor_is_closed(const struct cursors *c, const struct uuid_text *turn_id)
{
	const struct cursor *known = cursor_find(c, turn_id);

	return known != NULL && known->epoch == CLOSED;
}

void cursor_drop(struct cursors *c, const struct uuid_text *turn_id)
{
	const struct cursor *known = cursor_find(c, turn_id);
	size_t i;

	if (known == NULL)
		return;
	i = (size_t)(known - c->items);
	memmove(&c->items[i], &c->items[i + 1], ((size_t)c->n - i - 1) * sizeof(c->items[0]));
	c->n--;
}

/* ---- ends --------------------------------------------------------------------------- */

bool ended_add(struct ended *e, const struct uuid_text *turn_id, int64_t epoch, struct text type)
{
	for (int i = 0; i < ENDED_MAX; i++)
		if (same(&e->items[i].turn_id, turn_id) && e->items[i].epoch >= epoch &&
		    text_is(type, e->items[i].type))
			return false;
	e->items[e->at].turn_id = *turn_id;
	e->items[e->at].epoch = epoch;
	snprintf(e->items[e->at].type, sizeof(e->items[e->at].type), TEXT_FMT, TEXT_ARG(type));
	e->at = (e->at + 1) % ENDED_MAX;
	return true;
}

bool ended_has(const struct ended *e, const struct uuid_text *turn_id, int64_t epoch)
{
	for (int i = 0; i < ENDED_MAX; i++)
		if (same(&e->items[i].turn_id, turn_id) && (epoch == 0 || e->items[i].epoch >= epoch))
			return true;
	return false;
}
