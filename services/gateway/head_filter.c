#include "head_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_DIGITS 15 /* as many as cannot overflow */

const char *header_name(enum header header)
{
	static const char *const names[] = {
#define X(name, text) text,
		HEADERS(X)
#undef X
	};

	return names[header];
}

static enum header header_find(struct text name)
{
	enum header h = 0;

	while (h < HEADER_COUNT && !text_is_nocase(name, header_name(h)))
		h++;
	return h;
}

/* The first one counts. */
void head_fault(struct head_filter *f, unsigned status, const char *detail)
{
	if (f->fault.status != 0)
		return;
	f->fault.status = status;
	f->fault.detail = detail;
}

const struct head_fault *head_filter_fault(const struct head_filter *f, uint64_t head)
{
	return f->fault.status != 0 && f->heads == head ? &f->fault : NULL;
}

void head_filter_done(struct head_filter *f)
{
	free(f->held);
	f->held = NULL;
	f->held_n = 0;
}

/* ---- headers ------------------------------------------------------------------------- */

static void read_length(struct head_filter *f, struct text value)
{
	if (f->has_length || value.len == 0 || value.len > LENGTH_DIGITS)
		head_fault(f, 400, "Malformed Content-Length");
	f->has_length = true;
	f->length = 0;
	for (size_t i = 0; i < value.len && f->fault.status == 0; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			head_fault(f, 400, "Malformed Content-Length");
		f->length = f->length * 10 + (uint64_t)(value.p[i] - '0');
	}
}

/* False: lws does not get it. */
static bool keep_header(struct head_filter *f, enum header header, struct text value)
{
	switch ((int)header) {
	case HEADER_COUNT:
		return false;
	case HEADER_HOST:
		if (f->has_host)
			head_fault(f, 400, "More than one Host");
		f->has_host = true;
		return true;
	case HEADER_CONTENT_LENGTH:
		read_length(f, value);
		return f->fault.status == 0;
	case HEADER_TRANSFER_ENCODING:
		f->has_transfer = true;
		return f->fault.status == 0;
	case HEADER_UPGRADE:
		f->upgrades = f->is_get && text_is_nocase(value, "websocket");
		return f->upgrades;
	case HEADER_EXPECT:
		f->waits = text_is_nocase(value, "100-continue");
		if (!f->waits)
			head_fault(f, 417, "Expectation Failed");
		return false;
	}
	return true;
}

static size_t put_header(struct head_filter *f, struct text line, char *out)
{
	const char *colon = memchr(line.p, ':', line.len);
	struct text name = text_of(line.p, colon != NULL ? (size_t)(colon - line.p) : line.len);
	struct text value;

	if (colon == NULL || !head_is_token(name)) { /* also a folded line, and a blank before the colon */
		head_fault(f, 400, "Malformed header line");
		return 0;
	}
	value = text_strip(text_of(colon + 1, line.len - name.len - 1));
	for (size_t i = 0; i < value.len; i++)
		if (head_is_control((unsigned char)value.p[i]) && value.p[i] != '\t') {
			head_fault(f, 400, "Malformed header line");
			return 0;
		}
	if (!keep_header(f, header_find(name), value))
		return 0;
	return (size_t)snprintf(out, line.len + HEAD_GROWTH, TEXT_FMT ": " TEXT_FMT "\r\n", TEXT_ARG(name),
				TEXT_ARG(value));
}

/* ---- the head ---------------------------------------------------------------------------- */

static enum head_state state_after_head(const struct head_filter *f)
{
	if (f->fault.status != 0 || f->has_transfer) /* refused: nothing behind it is a request */
		return HEAD_DEAF;
	if (f->upgrades)
		return HEAD_TUNNEL;
	return f->length > 0 ? HEAD_BODY : HEAD_LINE;
}

static size_t end_head(struct head_filter *f, char *out)
{
	if (f->is_1_1 && !f->has_host)
		head_fault(f, 400, "Host is missing");
	f->heads++;
	if (f->waits && f->is_1_1 && f->length > 0)
		f->expects = f->heads;
	f->state = state_after_head(f);
	out[0] = '\r';
	out[1] = '\n';
	return 2;
}

static void begin_head(struct head_filter *f)
{
	f->state = HEAD_HEADERS;
	f->is_get = f->is_1_1 = f->has_host = f->has_length = f->has_transfer = f->upgrades = f->waits = false;
	f->length = 0;
}

/* One line, without its end. */
static size_t put_line(struct head_filter *f, struct text line, char *out)
{
	if (f->state == HEAD_LINE && line.len == 0)
		return 0; /* RFC 9112, 2.2 */
	if (f->state == HEAD_LINE) {
		begin_head(f);
		return head_request_line(f, line, out);
	}
	return line.len > 0 ? put_header(f, line, out) : end_head(f, out);
}

static size_t put_too_long(struct head_filter *f, char *out)
{
	bool first = f->state == HEAD_LINE;

	if (first)
		begin_head(f);
	head_fault(f, first ? 414 : 431, first ? "URI Too Long" : "Request Header Fields Too Large");
	if (!first)
		return 0;
	f->is_1_1 = true;
	return (size_t)snprintf(out, HEAD_GROWTH, "GET / HTTP/1.1\r\n");
}

/* A line that came whole, with its end. A lone LF is none, and ends no line for anybody who reads it otherwise. */
static size_t take_line(struct head_filter *f, struct text line, char *out)
{
	bool skipped = f->skipping;

	f->skipping = false;
	if (f->state == HEAD_LINE)
		f->head_n = 0;
	f->head_n += line.len;
	if (skipped)
		return 0;
	if (f->head_n > HEAD_MAX && line.len > 2)
		return put_too_long(f, out);
	if (line.len < 2 || line.p[line.len - 2] != '\r') {
		head_fault(f, 400, "A line ends without CR");
		return put_line(f, text_of(line.p, line.len - 1), out);
	}
	return put_line(f, text_of(line.p, line.len - 2), out);
}

static void hold(struct head_filter *f, const char *in, size_t n)
{
	f->held = malloc(n);
	if (f->held == NULL)
		abort();
	memcpy(f->held, in, n);
	f->held_n = n;
}

/* Of the beginning of a line: kept until the rest is there, unless it is too long already. */
static size_t take_beginning(struct head_filter *f, struct text line, char *out)
{
	if (f->skipping)
		return 0;
	if (line.len > HEAD_MAX) {
		f->skipping = true;
		return put_too_long(f, out);
	}
	hold(f, line.p, line.len);
	return 0;
}

/* One step from in on. Returns how much was taken; *out_n grows. */
static size_t step(struct head_filter *f, struct text in, char *out, size_t *out_n)
{
	const char *end;
	size_t n = in.len;

	switch (f->state) {
	case HEAD_LINE:
	case HEAD_HEADERS:
		end = memchr(in.p, '\n', in.len);
		if (end == NULL) {
			*out_n += take_beginning(f, in, out + *out_n);
			return n;
		}
		n = (size_t)(end - in.p) + 1;
		*out_n += take_line(f, text_of(in.p, n), out + *out_n);
		return n;
	case HEAD_BODY:
		n = n < f->length ? n : (size_t)f->length;
		head_filter_body_came(f, n);
		break;
	case HEAD_TUNNEL:
		break;
	case HEAD_DEAF:
		return n;
	}
	memcpy(out + *out_n, in.p, n);
	*out_n += n;
	return n;
}

void head_filter_body_came(struct head_filter *f, size_t n)
{
	f->length -= n;
	if (f->length == 0)
		f->state = HEAD_LINE;
}

static size_t run(struct head_filter *f, struct text in, char *out)
{
	size_t out_n = 0;

	for (size_t at = 0; at < in.len;)
		at += step(f, text_of(in.p + at, in.len - at), out, &out_n);
	return out_n;
}

size_t head_filter_run(struct head_filter *f, const char *in, size_t n, char *out)
{
	char *whole;
	size_t whole_n = f->held_n + n, out_n;

	if (f->held_n == 0)
		return run(f, text_of(in, n), out);
	whole = realloc(f->held, whole_n);
	if (whole == NULL)
		abort();
	memcpy(whole + f->held_n, in, n);
	f->held = NULL;
	f->held_n = 0;
	out_n = run(f, text_of(whole, whole_n), out);
	free(whole);
	return out_n;
}
