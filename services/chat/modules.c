#include "modules.h"

#include <math.h>
#include <stdlib.h>

#include "module_match.h"

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

/* What a module says, as it is stored and as two are compared. */
static bool put_fields(UT_string *out, const cJSON *module, int number, int64_t *hours, struct err *err)
{
	return put_text(out, module, number, "title", TITLE_MAX, true, err) &&
	       put_text(out, module, number, "description", DESCRIPTION_MAX, false, err) &&
	       put_hours(out, module, number, hours, err) && put_objectives(out, module, number, err);
}

/* ---- the track's modules and those of the answer ------------------------------------------ */

enum fate { FATE_ADDED, FATE_CHANGED, FATE_KEPT, FATE_REMOVED };

struct entry {
	struct text title;
	int64_t hours;
	enum fate fate;
};

/* All of one finalization; arrays belong to ctx. */
struct work {
	const void *ctx;
	cJSON *answer_tree, *old_tree;
	const cJSON *list; /* of the answer */
	int news_n, olds_n;
	int *match; /* by new module: the old one it continues, or -1 */
	struct new_module *news;
	struct old_module *olds;
	struct entry *entries; /* as the track will be, then what is removed */
	int entries_n;
};

static int work_done(struct work *w)
{
	json_drop(&w->answer_tree);
	json_drop(&w->old_tree);
	return 0;
}

static void read_olds(struct work *w, struct text modules)
{
	const cJSON *item;
	int k = 0;

	w->old_tree = modules.len > 0 ? json_parse_trusted(modules) : NULL;
	w->olds_n = cJSON_GetArraySize(w->old_tree);
	w->olds = talloc_zero_array(w->ctx, struct old_module, (unsigned)w->olds_n + 1);
	cJSON_ArrayForEach(item, w->old_tree)
	{
		struct old_module *old = &w->olds[k++];
		int64_t progress = 0;
		struct text status = json_get_text(item, "status");

		json_get_i64(item, "progress", &progress);
		json_get_i64(item, "module_number", &old->number);
		old->title = json_get_text(item, "title");
		old->begun = progress > 0 || (status.len > 0 && !text_is(status, "not_started"));
	}
}

/* Those of the track, as far as an announcement depends on them. */
static struct text seen_of(const struct work *w)
{
	CLEANUP(string_done) UT_string json;
	const cJSON *item;
	int k = 0;

	utstring_init(&json);
	json_open(&json, NULL, '[');
	cJSON_ArrayForEach(item, w->old_tree)
	{
		json_open(&json, NULL, '{');
		json_text(&json, "id", json_get_text(item, "id"));
		json_bool(&json, "begun", w->olds[k].begun);
		json_text(&json, "title", w->olds[k++].title);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	return text_copy(w->ctx, json_written(&json));
}

static void read_news(struct work *w)
{
	const cJSON *item;
	int i = 0;

	w->news_n = cJSON_GetArraySize(w->list);
	w->news = talloc_zero_array(w->ctx, struct new_module, (unsigned)w->news_n);
	w->match = talloc_zero_array(w->ctx, int, (unsigned)w->news_n);
	cJSON_ArrayForEach(item, w->list)
	{
		w->news[i].title = json_get_text(item, "title");
		json_get_i64(item, "id", &w->news[i].continues);
		i++;
	}
	modules_match(w->olds, w->olds_n, w->news, w->news_n, w->match);
}

static const cJSON *old_of(const struct work *w, int i)
{
	return w->match[i] >= 0 ? cJSON_GetArrayItem(w->old_tree, w->match[i]) : NULL;
}

/* Whether an old module says the same as these fields. */
static bool says_the_same(const cJSON *old, struct text fields)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct err err = { 0 };
	int64_t hours = 0;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	return put_fields(&json, old, 0, &hours, &err) && text_equal(json_written(&json), fields);
}

/* One module of the answer: checked, and as the store takes it. */
static bool put_module(UT_string *out, const struct work *w, const cJSON *module, int i, struct entry *entry,
		       struct err *err)
{
	CLEANUP(string_done) UT_string fields = { 0 };
	const cJSON *old = old_of(w, i);

	utstring_init(&fields);
	if (!cJSON_IsObject(module))
		return err_set(err, RC_INVALID, "module %d is not an object", i + 1);
	json_open(&fields, NULL, '{');
	*entry = (struct entry){ .title = at_most(json_get_text(module, "title"), TITLE_MAX) };
	if (!put_fields(&fields, module, i + 1, &entry->hours, err))
		return false;
	entry->fate = old == NULL ? FATE_ADDED : says_the_same(old, json_written(&fields)) ? FATE_KEPT : FATE_CHANGED;
	json_raw(out, NULL, json_written(&fields));
	if (old != NULL)
		json_text(out, "id", json_get_text(old, "id"));
	json_i64(out, "module_number", i + 1);
	json_close(out, '}');
	return true;
}

static bool is_continued(const struct work *w, int old)
{
	for (int i = 0; i < w->news_n; i++)
		if (w->match[i] == old)
			return true;
	return false;
}

/* The entry of an old module that nothing continues. */
static struct entry entry_of_old(const struct work *w, int k)
{
	const cJSON *old = cJSON_GetArrayItem(w->old_tree, k);
	struct entry entry = { .title = json_get_text(old, "title"), .fate = FATE_KEPT };

	json_get_i64(old, "estimated_duration_hours", &entry.hours);
	return entry;
}

/* News and what stays in between, in the order of the track; behind them what goes. */
static void place_entries(struct work *w, const struct entry *news)
{
	int *left = talloc_array(w->ctx, int, (unsigned)w->olds_n + 1);
	int *before = talloc_array(w->ctx, int, (unsigned)w->olds_n + 1);
	int64_t *numbers = talloc_array(w->ctx, int64_t, (unsigned)w->olds_n + 1);
	int n = 0, k = 0;

	w->entries = talloc_array(w->ctx, struct entry, (unsigned)(w->news_n + w->olds_n));
	for (int old = 0; old < w->olds_n; old++) {
		if (is_continued(w, old) || !w->olds[old].begun)
			continue;
		left[n] = old;
		numbers[n++] = w->olds[old].number;
	}
	modules_place(numbers, n, w->news_n, before);
	for (int i = 0; i <= w->news_n; i++) {
		for (; k < n && before[k] <= i; k++)
			w->entries[w->entries_n++] = entry_of_old(w, left[k]);
		if (i < w->news_n)
			w->entries[w->entries_n++] = news[i];
	}
	for (int old = 0; old < w->olds_n; old++) {
		if (is_continued(w, old) || w->olds[old].begun)
			continue;
		w->entries[w->entries_n] = entry_of_old(w, old);
		w->entries[w->entries_n++].fate = FATE_REMOVED;
	}
}

/* ---- what the chat is told ---------------------------------------------------------------------- */

static void announce_fate(UT_string *out, const struct work *w, enum fate fate, const char *heading)
{
	bool any = false;

	for (int i = 0; i < w->entries_n; i++) {
		if (w->entries[i].fate != fate)
			continue;
		utstring_printf(out, any ? ", " : "\n- %s: ", heading);
		utstring_printf(out, TEXT_FMT, TEXT_ARG(w->entries[i].title));
		any = true;
	}
}

static void announce_changes(UT_string *out, const struct work *w, bool ru)
{
	utstring_printf(out, ru ? "\nЧто изменилось:\n" : "\nWhat changed:\n");
	announce_fate(out, w, FATE_ADDED, ru ? "добавлено" : "added");
	announce_fate(out, w, FATE_CHANGED, ru ? "изменено" : "changed");
	announce_fate(out, w, FATE_KEPT, ru ? "осталось как было" : "as before");
	announce_fate(out, w, FATE_REMOVED, ru ? "убрано" : "removed");
	utstring_printf(out, "\n");
}

static struct text announce(const struct work *w, const struct modules *m, bool ru)
{
	CLEANUP(string_done) UT_string out = { 0 };
	const char *heading = w->olds_n > 0 ? ru ? "Курс обновлён" : "Your course is updated"
			      : ru          ? "Курс готов"
					    : "Your course is ready";

	utstring_init(&out);
	utstring_printf(&out, "## 🎉 %s\n\n", heading);
	utstring_printf(&out, ru ? "Модулей: %lld, часов: %lld.\n\n" : "Modules: %lld, hours: %lld.\n\n",
			(long long)m->count, (long long)m->hours);
	for (int i = 0; i < m->count; i++)
		utstring_printf(&out, "%d. **" TEXT_FMT "** — %lld %s\n", i + 1, TEXT_ARG(w->entries[i].title),
				(long long)w->entries[i].hours, ru ? "ч" : "h");
	if (w->olds_n > 0)
		announce_changes(&out, w, ru);
	return text_copy(w->ctx, json_written(&out));
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

static bool put_modules(UT_string *json, struct work *w, struct err *err)
{
	struct entry *news = talloc_zero_array(w->ctx, struct entry, (unsigned)w->news_n);
	int i = 0;

	json_open(json, NULL, '[');
	for (const cJSON *item = w->list->child; item != NULL; item = item->next, i++)
		if (!put_module(json, w, item, i, &news[i], err))
			return false;
	json_close(json, ']');
	place_entries(w, news);
	return true;
}

bool modules_parse(const void *ctx, struct text answer, const struct turn_context *context, struct modules *out,
		   struct err *err)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct work *w = talloc_zero(ctx, struct work);

	utstring_init(&json);
	talloc_set_destructor(w, work_done);
	*out = (struct modules){ 0 };
	w->ctx = w;
	w->answer_tree = json_parse(without_fence(answer), err);
	w->list = w->answer_tree != NULL ? find_list(w->answer_tree, err) : NULL;
	if (w->list == NULL)
		return false;
	read_olds(w, context->modules);
	read_news(w);
	if (!put_modules(&json, w, err))
		return false;
	for (int i = 0; i < w->entries_n; i++)
		if (w->entries[i].fate != FATE_REMOVED) {
			out->count++;
			out->hours += w->entries[i].hours;
		}
	out->json = text_copy(ctx, json_written(&json));
	out->seen = text_copy(ctx, seen_of(w));
	out->announcement = text_copy(ctx, announce(w, out, !text_is(context->language, "en")));
	talloc_free(w);
	return true;
}

bool course_plan_parse(const void *ctx, struct text answer, struct text *out)
{
	struct err err = { 0 };
	CLEANUP(json_drop) cJSON *tree = json_parse(without_fence(answer), &err);
	char *written = cJSON_IsObject(tree) ? cJSON_PrintUnformatted(tree) : NULL;

	if (written == NULL)
		return false;
	*out = text_copy(ctx, text_from(written));
	cJSON_free(written);
	return true;
}
