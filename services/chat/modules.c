#include "modules.h"

#include <math.h>
#include <stdlib.h>

#define TITLE_MAX 255 /* characters; the column's limit */
#define DESCRIPTION_MAX 4000
#define OBJECTIVES_MAX 12
#define OBJECTIVE_MAX 500

/* What is between a first line that opens a fence and a last line that closes it. */
static struct text without_fence(struct text t)
{
	const char *line;

	while (t.len > 0 && strchr(" \t\r\n", t.p[0]) != NULL)
		t = text_of(t.p + 1, t.len - 1);
	while (t.len > 0 && strchr(" \t\r\n", t.p[t.len - 1]) != NULL)
		t.len--;
	if (t.len < 6 || memcmp(t.p, "```", 3) != 0)
		return t;
	line = memchr(t.p, '\n', t.len);
	if (line == NULL)
		return t;
	t = text_of(line + 1, t.len - (size_t)(line + 1 - t.p));
	if (t.len >= 3 && memcmp(t.p + t.len - 3, "```", 3) == 0)
		t.len -= 3;
	return t;
}

/* Cut at a whole character. */
static struct text at_most(struct text t, size_t chars)
{
	size_t n = 0, i = 0;

	for (; i < t.len; i++)
		if (((unsigned char)t.p[i] & 0xC0) != 0x80 && n++ == chars)
			break;
	return text_of(t.p, i);
}

static bool put_text(UT_string *out, const cJSON *module, int number, const char *key, size_t max, bool must,
		     struct err *err)
{
	const cJSON *item = json_get(module, key);
	struct text value = json_get_text(module, key);

	if (item != NULL && !cJSON_IsString(item))
		return err_field(err, RC_INVALID, key, "module %d: %s is not a string", number, key);
	if (must && value.len == 0)
		return err_field(err, RC_INVALID, key, "module %d: %s is missing", number, key);
	json_text(out, key, at_most(value, max));
	return true;
}

static bool put_hours(UT_string *out, const cJSON *module, int number, int64_t *sum, struct err *err)
{
	const cJSON *item = json_get(module, "estimated_duration_hours");
	char *end = NULL;
	double hours = 5;

	if (cJSON_IsNumber(item))
		hours = item->valuedouble;
	else if (cJSON_IsString(item))
		hours = strtod(item->valuestring, &end);
	if (item != NULL && !cJSON_IsNumber(item) && (end == NULL || end == item->valuestring))
		return err_field(err, RC_INVALID, "estimated_duration_hours",
				 "module %d: estimated_duration_hours is not a number", number);
	hours = hours < 1 ? 1 : hours > 500 ? 500 : round(hours);
	*sum += (int64_t)hours;
	json_i64(out, "estimated_duration_hours", (int64_t)hours);
	return true;
}

static bool put_objectives(UT_string *out, const cJSON *module, int number, struct err *err)
{
	const cJSON *list = json_get(module, "learning_objectives");
	int n = 0;

	if (list != NULL && !cJSON_IsArray(list) && !cJSON_IsNull(list))
		return err_field(err, RC_INVALID, "learning_objectives",
				 "module %d: learning_objectives is not an array", number);
	json_open(out, "learning_objectives", '[');
	for (const cJSON *item = list != NULL ? list->child : NULL; item != NULL && n < OBJECTIVES_MAX;
	     item = item->next) {
		if (!cJSON_IsString(item))
			return err_field(err, RC_INVALID, "learning_objectives",
					 "module %d: a learning objective is not a string", number);
		json_text(out, NULL, at_most(text_from(item->valuestring), OBJECTIVE_MAX));
		n++;
	}
	json_close(out, ']');
	return true;
}

static bool put_module(UT_string *out, const cJSON *module, int number, struct modules *sums, struct err *err)
{
	if (!cJSON_IsObject(module))
		return err_set(err, RC_INVALID, "module %d is not an object", number);
	json_open(out, NULL, '{');
	json_i64(out, "module_number", number);
	if (!put_text(out, module, number, "title", TITLE_MAX, true, err) ||
	    !put_text(out, module, number, "description", DESCRIPTION_MAX, false, err) ||
	    !put_hours(out, module, number, &sums->hours, err) || !put_objectives(out, module, number, err))
		return false;
	json_close(out, '}');
	return true;
}

static void announce_module(UT_string *out, const cJSON *module, int number, bool ru)
{
	const cJSON *hours = json_get(module, "estimated_duration_hours");
	struct text title = at_most(json_get_text(module, "title"), TITLE_MAX);

	utstring_printf(out, "%d. **" TEXT_FMT "**", number, TEXT_ARG(title));
	if (cJSON_IsNumber(hours))
		utstring_printf(out, " — %d %s", (int)round(hours->valuedouble), ru ? "ч" : "h");
	utstring_printf(out, "\n");
}

static struct text announce(const void *ctx, const cJSON *list, const struct modules *m, bool ru)
{
	CLEANUP(string_done) UT_string out = { 0 };
	int number = 0;

	utstring_init(&out);
	utstring_printf(&out,
			ru ? "## 🎉 Курс готов\n\nМодулей: %lld, часов: %lld.\n\n"
			   : "## 🎉 Your course is ready\n\nModules: %lld, hours: %lld.\n\n",
			(long long)m->count, (long long)m->hours);
	for (const cJSON *item = list->child; item != NULL; item = item->next)
		announce_module(&out, item, ++number, ru);
	return text_copy(ctx, json_written(&out));
}

static const cJSON *find_list(const cJSON *tree, struct err *err)
{
	const cJSON *list = cJSON_IsObject(tree) ? json_get(tree, "modules") : tree;

	if (!cJSON_IsArray(list)) {
		err_set(err, RC_INVALID, "an object with an array \"modules\" was expected");
		return NULL;
	}
	if (cJSON_GetArraySize(list) < 1 || cJSON_GetArraySize(list) > MODULES_MAX) {
		err_set(err, RC_INVALID, "between 1 and %d modules were expected", MODULES_MAX);
		return NULL;
	}
	return list;
}

bool modules_parse(const void *ctx, struct text answer, const struct turn_context *context, struct modules *out,
		   struct err *err)
{
	CLEANUP(json_drop) cJSON *tree = json_parse(without_fence(answer), err);
	CLEANUP(string_done) UT_string json = { 0 };
	const cJSON *list = tree != NULL ? find_list(tree, err) : NULL;
	struct modules m = { 0 };

	utstring_init(&json);
	if (list == NULL)
		return false;
	json_open(&json, NULL, '[');
	for (const cJSON *item = list->child; item != NULL; item = item->next)
		if (!put_module(&json, item, (int)++m.count, &m, err))
			return false;
	json_close(&json, ']');
	m.json = text_copy(ctx, json_written(&json));
	m.announcement = announce(ctx, list, &m, !text_is(context->language, "en"));
	*out = m;
	return true;
}
