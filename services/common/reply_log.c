#include "reply_log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

void reply_log_init(struct reply_log *log)
{
	*log = (struct reply_log){ 0 };
	utstring_init(&log->text);
}

void reply_log_done(struct reply_log *log)
{
	utstring_done(&log->text);
	free(log->ends);
	*log = (struct reply_log){ 0 };
}

void reply_log_clear(struct reply_log *log)
{
	utstring_clear(&log->text);
	log->n = 0;
}

void reply_log_add(struct reply_log *log, struct text piece)
{
	if (log->n == log->room) {
		log->room = log->room > 0 ? log->room * 2 : 16;
		log->ends = realloc(log->ends, log->room * sizeof(log->ends[0]));
		if (log->ends == NULL)
			abort();
	}
	if (piece.len > 0)
		utstring_bincpy(&log->text, piece.p, piece.len);
	log->ends[log->n++] = (uint32_t)utstring_len(&log->text);
}

static size_t piece_start(const struct reply_log *log, size_t i)
{
	return i > 0 ? log->ends[i - 1] : 0;
}

struct text reply_log_piece(const struct reply_log *log, size_t i)
{
	size_t from = piece_start(log, i);

	return text_of(utstring_body(&log->text) + from, log->ends[i] - from);
}

struct text reply_log_text(const struct reply_log *log)
{
	return text_of(utstring_body(&log->text), utstring_len(&log->text));
}

struct text reply_log_from(const struct reply_log *log, size_t i)
{
	size_t from = i >= log->n ? utstring_len(&log->text) : piece_start(log, i);

	return text_of(utstring_body(&log->text) + from, utstring_len(&log->text) - from);
}

char *reply_log_ends(const void *ctx, const struct reply_log *log, size_t from)
{
	char *out = talloc_strdup(ctx, "");

	for (size_t i = from; i < log->n; i++)
		out = talloc_asprintf_append_buffer(out, i > from ? ",%u" : "%u",
						    log->ends[i] - (uint32_t)piece_start(log, from));
	return out;
}

/* The next number of a comma-separated list; false at its end or when it is malformed. */
static bool next_end(struct text *ends, uint32_t *out)
{
	uint64_t n = 0;
	size_t i = 0;

	while (i < ends->len && isdigit((unsigned char)ends->p[i]) && n <= UINT32_MAX)
		n = n * 10 + (uint64_t)(ends->p[i++] - '0');
	if (i == 0 || n > UINT32_MAX || (i < ends->len && ends->p[i] != ','))
		return false;
	*out = (uint32_t)n;
	i += i < ends->len;
	*ends = text_of(ends->p + i, ends->len - i);
	return true;
}

/* Well-formed, rising, and the last one is the text's length. */
static bool ends_fit(struct text text, struct text ends)
{
	uint32_t last = 0, end = 0;

	while (ends.len > 0) {
		if (!next_end(&ends, &end) || end < last || end > text.len)
			return false;
		last = end;
	}
	return last == text.len;
}

bool reply_log_merge(struct reply_log *log, size_t first, struct text text, struct text ends)
{
	uint32_t start = 0, end = 0;

	if (first > log->n || !ends_fit(text, ends))
		return false;
	for (size_t i = first; next_end(&ends, &end); i++, start = end)
		if (i >= log->n)
			reply_log_add(log, text_of(text.p + start, end - start));
	return true;
}
