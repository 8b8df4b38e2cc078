#include "prompt.h"

#include <stdio.h>

#include "chat.h"
#include "embedded.h"

#define VALUES 14

static struct text template_get(const char *language, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s.md", strcmp(language, "en") == 0 ? "en" : "ru", name);
	for (const struct embedded_file *f = alp_prompts; f->name != NULL; f++)
		if (strcmp(f->name, path) == 0)
			return text_of(f->bytes, f->len);
	return (struct text){ 0 };
}

static struct text value_of(const struct prompt_value *values, size_t n, struct text name)
{
	for (size_t i = 0; i < n; i++)
		if (text_is(name, values[i].name))
			return values[i].value;
	return (struct text){ 0 };
}

struct text prompt_fill(const void *ctx, struct text template, const struct prompt_value *values, size_t n)
{
	CLEANUP(string_done) UT_string out = { 0 };
	const char *p = template.p, *end = template.p + template.len;

	utstring_init(&out);
	while (p < end) {
		const char *open = memmem(p, (size_t)(end - p), "{{", 2);
		const char *close = open != NULL ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
		struct text value;

		if (close == NULL) {
			utstring_bincpy(&out, p, (size_t)(end - p));
			break;
		}
		utstring_bincpy(&out, p, (size_t)(open - p));
		value = value_of(values, n, text_of(open + 2, (size_t)(close - open - 2)));
		if (value.len > 0)
			utstring_bincpy(&out, value.p, value.len);
		p = close + 2;
	}
	return text_copy(ctx, json_written(&out));
}

/* A course made without a field still reads well. */
static struct text or_dash(struct text t)
{
	return t.len > 0 ? t : text_from("—");
}

/* The modules the track has, numbered from 1 in their order; empty when there are none. */
static struct text existing_modules(const struct turn *turn)
{
	CLEANUP(json_drop)
	cJSON *tree = turn->context.modules.len > 0 ? json_parse_trusted(turn->context.modules) : NULL;
	CLEANUP(string_done) UT_string list = { 0 };
	struct prompt_value value = { "list", { 0 } };
	const cJSON *item;
	int64_t number = 0;

	if (cJSON_GetArraySize(tree) == 0)
		return (struct text){ 0 };
	utstring_init(&list);
	cJSON_ArrayForEach(item, tree)
	{
		CLEANUP(string_done) UT_string line = { 0 };

		utstring_init(&line);
		json_open(&line, NULL, '{');
		json_i64(&line, "id", ++number);
		json_text(&line, "title", json_get_text(item, "title"));
		json_close(&line, '}');
		utstring_printf(&list, "%s" TEXT_FMT, number > 1 ? "\n" : "", TEXT_ARG(json_written(&line)));
	}
	value.value = json_written(&list);
	return prompt_fill(turn, template_get(text_is(turn->context.language, "en") ? "en" : "ru", "existing"), &value,
			   1);
}

static void values_of(const struct turn *turn, struct prompt_value out[VALUES])
{
	const struct turn_context *c = &turn->context;
	const char *hours = talloc_asprintf(turn, "%lld", (long long)(c->hours > 0 ? c->hours : 20));

	out[0] = (struct prompt_value){ "title", or_dash(c->title.len > 0 ? c->title : c->skill_area) };
	out[1] = (struct prompt_value){ "skill", or_dash(c->skill_area.len > 0 ? c->skill_area : c->title) };
	out[2] = (struct prompt_value){ "level", or_dash(c->difficulty_level) };
	out[3] = (struct prompt_value){ "hours", text_from(hours) };
	out[4] = (struct prompt_value){ "description", or_dash(c->description) };
	out[5] = (struct prompt_value){
		"expectations", or_dash(turn->kind == KIND_PLAN && c->plan.len > 0 ? c->plan : c->expectations)
	};
	out[6] = (struct prompt_value){ "plan", c->plan };
	out[7] = (struct prompt_value){ "module", or_dash(c->module_title) };
	out[8] = (struct prompt_value){ "module_description", or_dash(c->module_description) };
	out[9] = (struct prompt_value){ "objectives", or_dash(c->module_objectives) };
	out[10] = (struct prompt_value){ "lesson", or_dash(c->lesson_title) };
	out[11] = (struct prompt_value){ "content_type", or_dash(c->content_type) };
	out[12] = (struct prompt_value){ "context", or_dash(c->lesson_context) };
	out[13] = (struct prompt_value){ "existing", existing_modules(turn) };
}

static void put_message(UT_string *out, const char *role, struct text content)
{
	json_open(out, NULL, '{');
	json_str(out, "role", role);
	json_text(out, "content", content);
	json_close(out, '}');
}

/* The system text, and the user's part behind `---` when the template has one. */
static void put_template(UT_string *out, const struct turn *turn, const char *language, const char *name)
{
	struct text template = template_get(language, name);
	const char *cut = memmem(template.p, template.len, "\n---\n", 5);
	size_t system = cut != NULL ? (size_t)(cut - template.p) : template.len;
	struct prompt_value values[VALUES];

	values_of(turn, values);
	put_message(out, "system", prompt_fill(turn, text_of(template.p, system), values, VALUES));
	if (cut != NULL)
		put_message(out, "user",
			    prompt_fill(turn, text_of(cut + 5, template.len - system - 5), values, VALUES));
}

static const char *template_of(const struct turn *turn)
{
	switch (turn->kind) {
	case KIND_WELCOME:
		return "welcome";
	case KIND_FINALIZE:
		return "finalize";
	case KIND_SUMMARY:
		return "summary";
	case KIND_LESSON:
		return "lesson";
	case KIND_PLAN:
		return "plan";
	case KIND_MESSAGE:
		break;
	}
	return turn->context.module_id.s[0] != '\0' ? "tutor" : "dialogue";
}

void prompt_build(struct turn *turn)
{
	const char *language = text_is(turn->context.language, "en") ? "en" : "ru";
	CLEANUP(string_done) UT_string out = { 0 };

	utstring_init(&out);
	if (turn->messages.len > 0)
		return; /* a further attempt asks the same, or what prompt_keep_complaint made of it */
	put_template(&out, turn, language, template_of(turn));
	if (turn->kind == KIND_MESSAGE && turn->context.history.len > 0)
		json_raw(&out, NULL, turn->context.history);
	turn->messages = text_copy(turn, json_written(&out));
}

void prompt_keep_complaint(struct turn *turn, struct text answer, const char *complaint)
{
	const char *language = text_is(turn->context.language, "en") ? "en" : "ru";
	struct prompt_value value = { "complaint", text_from(complaint) };
	CLEANUP(string_done) UT_string out = { 0 };

	utstring_init(&out);
	utstring_bincpy(&out, turn->messages.p, turn->messages.len);
	put_message(&out, "assistant", answer);
	put_message(&out, "user", prompt_fill(turn, template_get(language, "repair"), &value, 1));
	turn->messages = text_copy(turn, json_written(&out));
}

/* JSON schemas of the answers; "strict" wants every property required. */
#define TEXT_LIST "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"
#define SCHEMA(name, properties, required) \
	"{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"" name \
	"\",\"strict\":true,\"schema\":{\"type\":\"object\"," \
	"\"additionalProperties\":false,\"required\":[" required "],\"properties\":{" properties "}}}}"
#define LIST_OF(properties, required) \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[" required \
	"]," \
	"\"properties\":{" properties "}}}"

static const char finalize_schema[] = SCHEMA(
	"course_modules",
	"\"modules\":" LIST_OF("\"id\":{\"type\":[\"integer\",\"null\"]},\"module_number\":{\"type\":\"integer\"},"
			       "\"title\":{\"type\":\"string\"},\"description\":{\"type\":\"string\"},"
			       "\"estimated_duration_hours\":{\"type\":\"integer\"},"
			       "\"learning_objectives\":" TEXT_LIST ","
			       "\"status\":{\"type\":\"string\",\"enum\":[\"not_started\"]}",
			       "\"id\",\"module_number\",\"title\",\"description\",\"estimated_duration_hours\","
			       "\"learning_objectives\",\"status\""),
	"\"modules\"");

static const char plan_schema[] = SCHEMA(
	"course_plan",
	"\"course_description\":{\"type\":\"string\"},\"learning_objectives\":" TEXT_LIST ","
	"\"modules\":" LIST_OF(
		"\"title\":{\"type\":\"string\"},\"description\":{\"type\":\"string\"},"
		"\"estimated_duration_hours\":{\"type\":\"integer\"},\"topics\":" TEXT_LIST,
		"\"title\",\"description\",\"estimated_duration_hours\",\"topics\"") ","
										     "\"practical_"
										     "assignments\":" TEXT_LIST
										     ",\"final_project\":{\"type\":"
										     "\"string\"}",
	"\"course_description\",\"learning_objectives\",\"modules\",\"practical_assignments\",\"final_project\"");

static struct text format_of(const struct turn *turn)
{
	if (turn->format == FORMAT_SCHEMA)
		return text_from(turn->kind == KIND_PLAN ? plan_schema : finalize_schema);
	if (turn->format == FORMAT_OBJECT)
		return text_from("{\"type\":\"json_object\"}");
	return (struct text){ 0 };
}

void prompt_parameters(const struct turn *turn, struct ans_work_pull *work)
{
	bool json = turn_is_json(turn);

	work->stream = !json;
	work->temperature = turn->kind == KIND_FINALIZE ? 0.3
			    : turn->kind == KIND_LESSON ? 0.6
			    : turn->kind == KIND_PLAN   ? 0.7
							: 0.8;
	/* Russian needs about twice the tokens of English */
	work->max_tokens = turn->kind == KIND_MESSAGE || turn->kind == KIND_WELCOME ? 3000 : 4000;
	if (json)
		work->response_format = format_of(turn);
}
