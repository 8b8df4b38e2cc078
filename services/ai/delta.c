#include "delta.h"

#include "clock.h"
#include "grow.h"
#include "utf8.h"

void delta_init(struct delta *delta, size_t max, int64_t join_ms, delta_fn *emit, void *arg)
{
	*delta = (struct delta){ .max = max, .join_us = join_ms * 1000, .emit = emit, .arg = arg };
	reply_log_init(&delta->log);
	utstring_init(&delta->held);
}

void delta_done(struct delta *delta)
{
	reply_log_done(&delta->log);
	utstring_done(&delta->held);
}

size_t delta_len(const struct delta *delta)
{
	return reply_log_text(&delta->log).len + utstring_len(&delta->held);
}

static void held_to_log(struct delta *delta, bool emit)
{
	struct text rest = text_of(utstring_body(&delta->held), utstring_len(&delta->held));

	while (rest.len > 0) {
		struct text piece = utf8_start(rest, DELTA_PIECE_MAX);
		size_t number = delta->log.n;

		reply_log_add(&delta->log, piece);
		if (emit)
			delta->emit(delta->arg, number, reply_log_piece(&delta->log, number));
		rest = text_of(rest.p + piece.len, rest.len - piece.len);
		delta->last_us = clock_us();
	}
	utstring_clear(&delta->held);
}

void delta_flush(struct delta *delta)
{
	held_to_log(delta, true);
}

void delta_end(struct delta *delta)
{
	held_to_log(delta, false);
}

int64_t delta_due_us(const struct delta *delta)
{
	return utstring_len(&delta->held) > 0 ? delta->last_us + delta->join_us : 0;
}

bool delta_add(struct delta *delta, struct text text)
{
	struct text fits = utf8_start(text, delta->max - delta_len(delta));

	string_add(&delta->held, fits);
	if (utstring_len(&delta->held) > 0 &&
	    (delta->log.n == 0 || clock_us() >= delta_due_us(delta) || utstring_len(&delta->held) >= DELTA_PIECE_MAX))
		delta_flush(delta);
	return fits.len == text.len;
}
