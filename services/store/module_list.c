#include "module_list.h"

#include <math.h>
#include <stdio.h>

#include "ids.h"

#define TITLE_MAX 255
#define HOURS_MAX 100000

static bool refuse(struct err *err, int number, const char *what)
{
	return err_field(err, RC_INVALID, "modules", "module %d: %s", number, what);
}

/* Absent and null are the same. */
static bool is_given(const cJSON *item)
{
	return item != NULL && !cJSON_IsNull(item);
}

static bool objectives_show(const cJSON *list, int number, UT_string *out, struct err *err)
{
	const cJSON *item;

	json_open(out, "learning_objectives", '[');
	if (is_given(list) && !cJSON_IsArray(list))
		return refuse(err, number, "learning_objectives is not an array");
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item))
			return refuse(err, number, "a learning objective is not a string");
		json_str(out, NULL, item->valuestring);
	}
	json_close(out, ']');
	return true;
}

static bool hours_show(const cJSON *hours, int number, UT_string *out, struct err *err)
{
	double value = is_given(hours) ? cJSON_GetNumberValue(hours) : 1;

	if (isnan(value) || value < 0 || value > HOURS_MAX)
		return refuse(err, number, "estimated_duration_hours is not a number of hours");
	json_i64(out, "estimated_duration_hours", llround(value));
	return true;
}

static bool module_show(const cJSON *module, int number, UT_string *out, struct err *err)
{
	const cJSON *description = json_get(module, "description");
	struct text title = json_get_text(module, "title");
	struct uuid_text id = id_new();

	if (!cJSON_IsObject(module) || title.len == 0 || text_chars(title) > TITLE_MAX)
		return refuse(err, number, "the title is missing or longer than 255 characters");
	if (is_given(description) && !cJSON_IsString(description))
		return refuse(err, number, "description is not a string");
	json_open(out, NULL, '{');
	json_text(out, "id", uuid_as_text(&id));
	json_i64(out, "module_number", number);
	json_text(out, "title", title);
	json_text(out, "description", json_get_text(module, "description"));
	if (!objectives_show(json_get(module, "learning_objectives"), number, out, err) ||
	    !hours_show(json_get(module, "estimated_duration_hours"), number, out, err))
		return false;
	json_str(out, "status", "not_started");
	json_i64(out, "progress", 0);
	json_close(out, '}');
	return true;
}

bool modules_show(struct text json, UT_string *out, struct err *err)
{
	CLEANUP(json_drop) cJSON *tree = json_parse(json, err);
	const cJSON *module;
	int number = 0;

	if (tree == NULL) {
		if (err != NULL)
			snprintf(err->field, sizeof(err->field), "modules");
		return false;
	}
	if (!cJSON_IsArray(tree) || cJSON_GetArraySize(tree) < 1 || cJSON_GetArraySize(tree) > MODULES_MAX)
		return err_field(err, RC_INVALID, "modules", "an array of 1 to %d modules was expected", MODULES_MAX);
	json_open(out, NULL, '[');
	cJSON_ArrayForEach(module, tree) if (!module_show(module, ++number, out, err)) return false;
	json_close(out, ']');
	return true;
}
