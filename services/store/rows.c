#include "rows.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define FRACTION_DIGITS 6

int64_t row_i64(const PGresult *r, int row, int col)
{
	return strtoll(PQgetvalue(r, row, col), NULL, 10);
}

struct uuid_text row_uuid(const PGresult *r, int row, int col)
{
	struct uuid_text id = { "" };

	uuid_from_text(row_text(r, row, col), &id);
	return id;
}

static bool fits(const char *p, const char *shape)
{
	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == '0' ? !isdigit((unsigned char)p[i]) : p[i] != shape[i])
			return false;
	return true;
}

bool iso_from_pg(struct text t, char out[ISO_SIZE])
{
	static const char shape[] = "0000-00-00 00:00:00";
	size_t base = sizeof(shape) - 1, digits = t.len > base + 1 ? t.len - base - 1 : 0;

	if (t.len < base || digits > FRACTION_DIGITS || !fits(t.p, shape) || (t.len > base && t.p[base] != '.'))
		return false;
	memcpy(out, t.p, base);
	out[10] = 'T';
	out[base] = '.';
	for (size_t i = 0; i < FRACTION_DIGITS; i++)
		out[base + 1 + i] = i < digits ? t.p[base + 1 + i] : '0';
	memcpy(out + base + 1 + FRACTION_DIGITS, "Z", 2);
	return true;
}

void put_row_text(UT_string *out, const char *key, const PGresult *r, int row, int col)
{
	if (row_has(r, row, col))
		json_text(out, key, row_text(r, row, col));
	else
		json_null(out, key);
}

void put_row_or(UT_string *out, const char *key, const PGresult *r, int row, int col, const char *fallback)
{
	if (row_has(r, row, col))
		json_text(out, key, row_text(r, row, col));
	else
		json_str(out, key, fallback);
}

/* The labels of the enum types are upper case, the API's are lower case. */
void put_row_lower(UT_string *out, const char *key, const PGresult *r, int row, int col, const char *fallback)
{
	struct text t = row_text(r, row, col);
	char lower[32];

	if (t.len == 0 || t.len >= sizeof(lower)) {
		json_str(out, key, fallback);
		return;
	}
	for (size_t i = 0; i < t.len; i++)
		lower[i] = (char)tolower((unsigned char)t.p[i]);
	json_text(out, key, text_of(lower, t.len));
}

void put_row_choice(UT_string *out, const char *key, const PGresult *r, int row, int col, const char *const *choices)
{
	const char *value = PQgetvalue(r, row, col), *found = choices[0];

	for (; *choices != NULL; choices++)
		if (strcasecmp(value, *choices) == 0)
			found = *choices;
	json_str(out, key, found);
}

void put_row_i64(UT_string *out, const char *key, const PGresult *r, int row, int col)
{
	if (row_has(r, row, col))
		json_i64(out, key, row_i64(r, row, col));
	else
		json_null(out, key);
}

void put_row_time(UT_string *out, const char *key, const PGresult *r, int row, int col)
{
	char iso[ISO_SIZE];

	if (iso_from_pg(row_text(r, row, col), iso))
		json_str(out, key, iso);
	else
		json_null(out, key);
}

void put_row_object(UT_string *out, const char *key, const PGresult *r, int row, int col)
{
	struct text t = row_text(r, row, col);

	while (t.len > 0 && isspace((unsigned char)*t.p)) {
		t.p++;
		t.len--;
	}
	if (t.len > 0 && *t.p == '{')
		json_raw(out, key, t);
	else
		json_null(out, key);
}

static void put_scalar(UT_string *out, const cJSON *item)
{
	char number[40];

	if (cJSON_IsString(item)) {
		json_str(out, NULL, item->valuestring);
	} else if (cJSON_IsNumber(item)) {
		snprintf(number, sizeof(number), "%.15g", item->valuedouble);
		json_str(out, NULL, number);
	}
}

void put_row_strings(UT_string *out, const char *key, const PGresult *r, int row, int col)
{
	CLEANUP(json_drop) cJSON *tree = json_parse_trusted(row_text(r, row, col));
	const cJSON *item;

	json_open(out, key, '[');
	if (cJSON_IsArray(tree)) {
		cJSON_ArrayForEach(item, tree) put_scalar(out, item);
	} else if (tree != NULL) {
		put_scalar(out, tree);
	}
	json_close(out, ']');
}
