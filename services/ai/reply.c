#include "reply.h"

#include <ctype.h>
#include <strings.h>

#include "grow.h"

#define EVENT_PER_TEXT 4 /* an escaped character takes up to six bytes for two */
#define EVENT_SPARE 65536
#define RAW_PER_TEXT 256 /* a chunk of one letter is some 250 bytes */
#define ERROR_BODY_MAX 65536
#define IDLE_MAX 100000 /* a thinking model's pieces are among them */

static bool on_event(void *arg, struct text type, struct text data);

void reply_init(struct reply *r, size_t text_max, reply_text_fn *on_text, void *arg)
{
	*r = (struct reply){ .event_max = text_max * EVENT_PER_TEXT + EVENT_SPARE,
			     .raw_max = (text_max + EVENT_SPARE) * RAW_PER_TEXT,
			     .usage = LLM_USAGE_NONE,
			     .on_text = on_text,
			     .arg = arg };
	sse_init(&r->sse, r->event_max, on_event, r);
	utf8_init(&r->utf8);
	utstring_init(&r->body);
}

void reply_done(struct reply *r)
{
	sse_done(&r->sse);
	utf8_done(&r->utf8);
	utstring_done(&r->body);
}

static bool is_type(const char *content_type, const char *want)
{
	size_t n = strlen(want);

	return strncasecmp(content_type, want, n) == 0 && strchr("; \t", content_type[n]) != NULL;
}

void reply_head(struct reply *r, long status, const char *content_type, bool streamed)
{
	if (r->mode != REPLY_UNKNOWN)
		return;
	r->status = status;
	if (status < 200 || status > 299)
		r->mode = REPLY_ERROR;
	else if (content_type == NULL)
		r->mode = streamed ? REPLY_EVENTS : REPLY_WHOLE;
	else if (is_type(content_type, "text/event-stream"))
		r->mode = REPLY_EVENTS;
	else if (is_type(content_type, "application/json"))
		r->mode = REPLY_WHOLE; /* also when a stream was asked for: some servers cannot */
	else
		r->mode = REPLY_FOREIGN;
}

bool reply_is_finished(const struct reply *r)
{
	return r->marked || r->whole || r->finish_reason[0] != '\0';
}

/* ---- from documents to text ------------------------------------------------------------ */

static bool stop(struct reply *r, enum ending ending)
{
	if (r->ending == ENDING_NONE)
		r->ending = ending;
	return false;
}

static bool give(struct reply *r, struct text text)
{
	if (text.len == 0)
		return true;
	r->text_n += text.len;
	return r->on_text(r->arg, text) || stop(r, ENDING_FULL);
}

/* A foreign name that will be stored and shown; what is no printable text is left out. */
static void take_name(char out[REPLY_NAME_MAX + 1], struct text name)
{
	if (name.len == 0 || name.len > REPLY_NAME_MAX || !text_is_utf8(name))
		return;
	for (size_t i = 0; i < name.len; i++)
		if (iscntrl((unsigned char)name.p[i]))
			return;
	memcpy(out, name.p, name.len);
	out[name.len] = '\0';
}

static bool take_chunk(struct reply *r, const struct llm_chunk *chunk)
{
	llm_usage_take(&r->usage, chunk->usage);
	if (r->marked)
		return true; /* behind the end mark only a late usage counts */
	if (chunk->is_error)
		return stop(r, ending_of_error(chunk->error_code, chunk->error_type));
	take_name(r->model, chunk->model);
	if (!give(r, utf8_repair(&r->utf8, chunk->content)))
		return false;
	take_name(r->finish_reason, chunk->finish_reason);
	if (chunk->content.len == 0 && ++r->idle > IDLE_MAX)
		return stop(r, ENDING_TOO_LARGE);
	return true;
}

static bool read_document(struct reply *r, struct text document)
{
	struct llm_chunk chunk;
	bool good = llm_read(&chunk, document);
	bool go_on = good ? take_chunk(r, &chunk) : stop(r, ENDING_GARBLED);

	llm_drop(&chunk);
	return go_on;
}

static struct text trimmed(struct text t)
{
	while (t.len > 0 && isspace((unsigned char)t.p[t.len - 1]))
		t.len--;
	while (t.len > 0 && isspace((unsigned char)*t.p))
		t = text_of(t.p + 1, t.len - 1);
	return t;
}

static bool on_event(void *arg, struct text type, struct text data)
{
	struct reply *r = arg;

	data = trimmed(data);
	if (data.len == 0)
		return ++r->idle <= IDLE_MAX || stop(r, ENDING_TOO_LARGE);
	if (text_is(data, "[DONE]")) {
		r->marked = true;
		return true;
	}
	if (text_is(type, "error") && !r->marked)
		return stop(r, ENDING_SERVER_ERROR);
	return read_document(r, data);
}

/* ---- bytes ------------------------------------------------------------------------------- */

static bool collect(struct reply *r, struct text bytes, size_t max)
{
	if (utstring_len(&r->body) + bytes.len > max)
		return r->mode == REPLY_WHOLE ? stop(r, ENDING_TOO_LARGE) : false;
	string_add(&r->body, bytes);
	return true;
}

bool reply_feed(struct reply *r, struct text bytes)
{
	r->raw += bytes.len;
	if (r->raw > r->raw_max)
		return stop(r, ENDING_TOO_LARGE);
	switch (r->mode) {
	case REPLY_EVENTS:
		return sse_feed(&r->sse, bytes) || stop(r, r->sse.over ? ENDING_TOO_LARGE : ENDING_GARBLED);
	case REPLY_WHOLE:
		return collect(r, bytes, r->event_max);
	case REPLY_ERROR:
		return collect(r, bytes, ERROR_BODY_MAX);
	case REPLY_UNKNOWN:
	case REPLY_FOREIGN:
		return stop(r, ENDING_GARBLED);
	}
	return false;
}

/* What is unfinished at the end and cannot be read was cut, not garbled. */
static void close_events(struct reply *r)
{
	bool was_good = r->ending == ENDING_NONE;

	sse_end(&r->sse);
	if (was_good && r->ending == ENDING_GARBLED)
		r->ending = ENDING_NONE;
}

static void close_whole(struct reply *r, bool regular)
{
	if (r->ending != ENDING_NONE)
		return;
	r->whole = read_document(r, trimmed(json_written(&r->body)));
	if (!regular && r->ending == ENDING_GARBLED)
		r->ending = ENDING_NONE;
}

static void close_error(struct reply *r)
{
	struct llm_chunk chunk;

	llm_read(&chunk, json_written(&r->body));
	stop(r, ending_of_status(r->status, chunk.error_code, chunk.error_type));
	llm_drop(&chunk);
}

void reply_close(struct reply *r, bool regular)
{
	switch (r->mode) {
	case REPLY_EVENTS:
		close_events(r);
		break;
	case REPLY_WHOLE:
		close_whole(r, regular);
		break;
	case REPLY_ERROR:
		close_error(r);
		break;
	case REPLY_FOREIGN:
		stop(r, ENDING_GARBLED);
		break;
	case REPLY_UNKNOWN:
		break;
	}
	give(r, utf8_end(&r->utf8));
	utstring_clear(&r->body);
}

enum ending reply_ending(const struct reply *r, enum ending transport)
{
	if (r->ending == ENDING_FULL)
		return ENDING_FULL;
	if (reply_is_finished(r))
		return r->text_n > 0 ? ENDING_COMPLETE : ending_of_empty(r->finish_reason);
	if (r->ending != ENDING_NONE)
		return r->ending;
	return transport != ENDING_NONE ? transport : ENDING_BROKEN_OFF;
}
