#include "sse.h"

#include "grow.h"

#define BOM "\xEF\xBB\xBF"
#define BOM_LEN 3
#define BOM_OVER 4

void sse_init(struct sse *sse, size_t max, sse_event_fn *on_event, void *arg)
{
	*sse = (struct sse){ .max = max, .on_event = on_event, .arg = arg };
	utstring_init(&sse->line);
	utstring_init(&sse->data);
}

void sse_done(struct sse *sse)
{
	utstring_done(&sse->line);
	utstring_done(&sse->data);
}

static bool sse_stop(struct sse *sse, bool over)
{
	sse->stopped = true;
	sse->over = over;
	return false;
}

/* A blank line: what was collected is an event, unless no data line was. */
static bool sse_dispatch(struct sse *sse)
{
	size_t len = utstring_len(&sse->data);
	bool go_on = true;

	if (len > 0) /* without the LF behind the last line */
		go_on = sse->on_event(sse->arg, text_from(sse->type), text_of(utstring_body(&sse->data), len - 1));
	utstring_clear(&sse->data);
	sse->type[0] = '\0';
	return go_on || sse_stop(sse, false);
}

static bool sse_field(struct sse *sse, struct text name, struct text value)
{
	if (text_is(name, "data")) {
		if (utstring_len(&sse->data) + value.len + 1 > sse->max)
			return sse_stop(sse, true);
		string_add(&sse->data, value);
		string_add(&sse->data, text_of("\n", 1));
	} else if (text_is(name, "event") && value.len <= SSE_TYPE_MAX) {
		if (value.len > 0)
			memcpy(sse->type, value.p, value.len);
		sse->type[value.len] = '\0';
	}
	return true; /* id and retry are for clients that reconnect; anything else is to be ignored */
}

static bool sse_line(struct sse *sse, struct text line)
{
	const char *colon = line.len > 0 ? memchr(line.p, ':', line.len) : NULL;
	size_t name = colon != NULL ? (size_t)(colon - line.p) : line.len;
	size_t from = colon != NULL ? name + 1 : name;

	if (line.len == 0)
		return sse_dispatch(sse);
	if (name == 0)
		return true; /* a comment */
	if (from < line.len && line.p[from] == ' ')
		from++;
	return sse_field(sse, text_of(line.p, name), text_of(line.p + from, line.len - from));
}

/* A line has come to its end; its last bytes are given, its first may have come before. */
static bool sse_line_end(struct sse *sse, struct text rest)
{
	bool go_on;

	if (utstring_len(&sse->line) + rest.len > sse->max)
		return sse_stop(sse, true);
	if (utstring_len(&sse->line) == 0)
		return sse_line(sse, rest);
	string_add(&sse->line, rest);
	go_on = sse_line(sse, text_of(utstring_body(&sse->line), utstring_len(&sse->line)));
	utstring_clear(&sse->line);
	return go_on;
}

/* A BOM at the very start is no part of the first line; the start of one that is none belongs to it. */
static struct text sse_skip_bom(struct sse *sse, struct text bytes)
{
	while (sse->bom < BOM_LEN && bytes.len > 0 && *bytes.p == BOM[sse->bom]) {
		sse->bom++;
		bytes = text_of(bytes.p + 1, bytes.len - 1);
	}
	if (sse->bom == BOM_LEN)
		sse->bom = BOM_OVER;
	if (bytes.len == 0 || sse->bom == BOM_OVER)
		return bytes;
	string_add(&sse->line, text_of(BOM, sse->bom));
	sse->bom = BOM_OVER;
	return bytes;
}

/* How many bytes come before the end of the line; all of them when it is not among them. */
static size_t line_len(struct text bytes)
{
	size_t n = 0;

	while (n < bytes.len && bytes.p[n] != '\n' && bytes.p[n] != '\r')
		n++;
	return n;
}

bool sse_feed(struct sse *sse, struct text bytes)
{
	if (sse->stopped)
		return false;
	if (sse->bom != BOM_OVER)
		bytes = sse_skip_bom(sse, bytes);
	while (bytes.len > 0) {
		bool half = sse->after_cr && *bytes.p == '\n';
		size_t n = half ? 0 : line_len(bytes);

		if (n == bytes.len)
			break;
		if (!half && !sse_line_end(sse, text_of(bytes.p, n)))
			return false;
		sse->after_cr = bytes.p[n] == '\r';
		bytes = text_of(bytes.p + n + 1, bytes.len - n - 1);
	}
	if (bytes.len > 0)
		sse->after_cr = false;
	if (utstring_len(&sse->line) + bytes.len > sse->max)
		return sse_stop(sse, true);
	string_add(&sse->line, bytes);
	return true;
}

bool sse_end(struct sse *sse)
{
	if (sse->stopped)
		return false;
	if (utstring_len(&sse->line) > 0 && !sse_line_end(sse, (struct text){ 0 }))
		return false;
	return sse_dispatch(sse);
}
