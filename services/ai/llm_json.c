#include "llm_json.h"

#include <ctype.h>

#include "grow.h"

#define TOKENS_MAX 1000000000
#define REPLACEMENT "\xEF\xBF\xBD"
#define ESCAPE_LEN 6 /* \uXXXX */

/*
 * One pass before cJSON, which would cut a string at U+0000, refuse a document
 * for half of a surrogate pair, and build trees of any size. Nothing is copied
 * unless something has to be changed.
 */
struct clean {
	struct text in;
	UT_string *out;
	size_t done; /* bytes of in that are in out */
	int depth, nodes;
	bool in_string;
	bool bad;
};

static void clean_patch(struct clean *c, size_t at, size_t len, const char *bytes, size_t n)
{
	if (c->out->d == NULL)
		utstring_init(c->out);
	string_add(c->out, text_of(c->in.p + c->done, at - c->done));
	string_add(c->out, text_of(bytes, n));
	c->done = at + len;
}

/* The code unit of an escape \uXXXX at i; -1 when there is none. */
static int escape_at(struct text in, size_t i)
{
	int unit = 0;

	if (in.len < ESCAPE_LEN || i > in.len - ESCAPE_LEN || in.p[i] != '\\' || in.p[i + 1] != 'u')
		return -1;
	for (size_t k = i + 2; k < i + ESCAPE_LEN; k++) {
		unsigned char d = (unsigned char)in.p[k];

		if (!isxdigit(d))
			return -1;
		unit = unit * 16 + (isdigit(d) ? d - '0' : tolower(d) - 'a' + 10);
	}
	return unit;
}

static bool is_high(int unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(int unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* An escape at i; how many bytes it takes. */
static size_t clean_escape(struct clean *c, size_t i)
{
	int unit = escape_at(c->in, i);

	if (unit < 0) {
		c->bad |= i + 1 >= c->in.len || c->in.p[i + 1] == 'u'; /* cJSON would read U+0000 */
		return 2;
	}
	if (is_high(unit) && is_low(escape_at(c->in, i + ESCAPE_LEN)))
		return 2UL * ESCAPE_LEN;
	if (unit == 0) {
		clean_patch(c, i, ESCAPE_LEN, REPLACEMENT, 3);
	} else if (is_high(unit) || is_low(unit)) {
		char bytes[3] = { (char)0xED, (char)(0x80 | (unit >> 6 & 0x3F)), (char)(0x80 | (unit & 0x3F)) };

		clean_patch(c, i, ESCAPE_LEN, bytes, 3);
	}
	return ESCAPE_LEN;
}

/* Bytes inside a string that stay as they are and end nothing. */
static size_t plain_len(struct text in, size_t i)
{
	static const bool special[256] = { ['\0'] = true, ['"'] = true, ['\\'] = true, [0xED] = true };
	size_t from = i;

	while (i < in.len && !special[(unsigned char)in.p[i]])
		i++;
	return i - from;
}

/* What comes next inside a string; how many bytes are dealt with. */
static size_t clean_string(struct clean *c, size_t i)
{
	unsigned char b = (unsigned char)c->in.p[i];
	size_t plain = plain_len(c->in, i);

	if (plain > 0)
		return plain;
	if (b == '\\')
		return clean_escape(c, i);
	if (b == '"')
		c->in_string = false;
	else if (b == '\0')
		clean_patch(c, i, 1, REPLACEMENT, 3);
	else if (b == 0xED && i + 1 < c->in.len && (unsigned char)c->in.p[i + 1] >= 0xA0)
		clean_patch(c, i, 1, "\xFF", 1); /* raw bytes of a surrogate are broken; only escapes make halves */
	return 1;
}

static bool clean_structure(struct clean *c, char b)
{
	switch (b) {
	case '"':
		c->in_string = true;
		return true;
	case '{':
	case '[':
		c->nodes++;
		return ++c->depth <= LLM_DEPTH_MAX;
	case '}':
	case ']':
		c->depth--;
		return true;
	case ',':
		return ++c->nodes <= LLM_NODES_MAX;
	default:
		return b != '\0';
	}
}

static bool clean_document(struct clean *c, struct text *clean_out)
{
	for (size_t i = 0; i < c->in.len && !c->bad;) {
		if (c->in_string)
			i += clean_string(c, i);
		else if (clean_structure(c, c->in.p[i]))
			i++;
		else
			return false;
	}
	*clean_out = c->in;
	if (c->bad)
		return false;
	if (c->done > 0) {
		string_add(c->out, text_of(c->in.p + c->done, c->in.len - c->done));
		*clean_out = json_written(c->out);
	}
	return true;
}

static cJSON *parse(struct text in)
{
	const char *end = NULL;
	cJSON *tree = cJSON_ParseWithLengthOpts(in.p, in.len, &end, false);

	for (; tree != NULL && end < in.p + in.len; end++)
		if (strchr(" \t\r\n", *end) == NULL)
			json_drop(&tree); /* a second document, or rubbish */
	return tree;
}

/* ---- what is in it ---------------------------------------------------------------- */

/* Content as a string, or as a list of parts of which the texts count. */
static struct text content_of(struct llm_chunk *chunk, const cJSON *message)
{
	const cJSON *content = json_get(message, "content");
	const cJSON *part;

	if (cJSON_IsString(content))
		return text_from(content->valuestring);
	if (!cJSON_IsArray(content))
		return json_get_text(message, "refusal");
	utstring_init(&chunk->joined);
	cJSON_ArrayForEach(part, content)
	{
		struct text t = json_get_text(part, "text");

		if (text_is(json_get_text(part, "type"), "text"))
			string_add(&chunk->joined, t);
	}
	return json_written(&chunk->joined);
}

/* The choice we asked for is number 0; a server that does not number them has one. */
static const cJSON *choice_of(const cJSON *tree)
{
	const cJSON *choice;

	cJSON_ArrayForEach(choice, json_get(tree, "choices"))
	{
		const cJSON *index = json_get(choice, "index");

		if (cJSON_IsObject(choice) && (!cJSON_IsNumber(index) || index->valueint == 0))
			return choice;
	}
	return NULL;
}

static void read_choice(struct llm_chunk *chunk)
{
	const cJSON *choice = choice_of(chunk->tree);
	const cJSON *message = json_get(choice, "delta");

	if (!cJSON_IsObject(message))
		message = json_get(choice, "message");
	if (cJSON_IsObject(message))
		chunk->content = content_of(chunk, message);
	chunk->finish_reason = json_get_text(choice, "finish_reason");
}

static void read_error(struct llm_chunk *chunk)
{
	const cJSON *error = json_get(chunk->tree, "error");

	if (text_is(json_get_text(chunk->tree, "object"), "error"))
		error = chunk->tree;
	chunk->is_error = error != NULL && !cJSON_IsNull(error) && !cJSON_IsFalse(error);
	if (!cJSON_IsObject(error))
		return;
	chunk->error_code = json_get_text(error, "code");
	chunk->error_type = json_get_text(error, "type");
}

bool llm_read(struct llm_chunk *chunk, struct text in)
{
	struct clean clean = { .in = in, .out = &chunk->cleaned };
	struct text document = { 0 };

	*chunk = (struct llm_chunk){ 0 };
	if (in.len == 0 || !clean_document(&clean, &document))
		return false;
	chunk->tree = parse(document);
	if (!cJSON_IsObject(chunk->tree))
		return false;
	chunk->model = json_get_text(chunk->tree, "model");
	chunk->usage = json_get(chunk->tree, "usage");
	read_choice(chunk);
	read_error(chunk);
	return true;
}

void llm_drop(struct llm_chunk *chunk)
{
	cJSON_Delete(chunk->tree);
	utstring_done(&chunk->cleaned);
	utstring_done(&chunk->joined);
	*chunk = (struct llm_chunk){ 0 };
}

/* A count that may be missing. False: it is there and impossible. */
static bool read_count(const cJSON *object, const char *key, int64_t *out)
{
	const cJSON *item = json_get(object, key);
	int64_t n;

	if (item == NULL || cJSON_IsNull(item))
		return true;
	if (!json_get_i64(object, key, &n) || n < 0 || n > TOKENS_MAX)
		return false;
	*out = n;
	return true;
}

void llm_usage_take(struct llm_usage *usage, const cJSON *object)
{
	struct llm_usage u = *usage;

	if (cJSON_IsObject(object) && read_count(object, "prompt_tokens", &u.prompt) &&
	    read_count(object, "completion_tokens", &u.completion) &&
	    read_count(json_get(object, "prompt_tokens_details"), "cached_tokens", &u.cached))
		*usage = u;
}
