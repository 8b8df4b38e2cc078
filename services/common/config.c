#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "json.h"

enum { GATEWAY = SERVICE_GATEWAY, CHAT = SERVICE_CHAT, AI = SERVICE_AI, STORE = SERVICE_STORE, NONE = 0, ALL = 15 };
enum { SECRET = 1, REQUIRED = 2, BUS = 4 };
enum type { TEXT, ADDR, INT, MSEC, BYTES, BOOL, LIST };

struct row {
	enum type type;
	const char *name, *fallback;
	int used_by, flags;
	size_t offset;
};

static const struct row rows[] = {
#define SETTING(TYPE, field, NAME, DEFAULT, USED_BY, FLAGS, HELP) \
	{ TYPE, NAME, DEFAULT, USED_BY, FLAGS, offsetof(struct config, field) },
#include "settings.def"
#undef SETTING
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define FILE_MAX_BYTES 65536

static void *row_field(struct config *config, const struct row *row)
{
	return (char *)config + row->offset;
}

/* ---- values -------------------------------------------------------------------- */

static bool parse_int(const struct row *row, const char *value, int64_t *out, struct err *err)
{
	char *end = NULL;
	long long n;

	errno = 0;
	n = strtoll(value, &end, 10);
	if (end == value || *end != '\0' || errno != 0 || n < 0 || n > INT32_MAX)
		return err_field(err, RC_INVALID, row->name, "%s: a whole number from 0 to %d was expected", row->name,
				 INT32_MAX);
	*out = n;
	return true;
}

static bool parse_bool(const struct row *row, const char *value, bool *out, struct err *err)
{
	static const char *const yes[] = { "true", "1", "yes", "on" }, *const no[] = { "false", "0", "no", "off" };

	for (size_t i = 0; i < 4; i++) {
		if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
			*out = strcasecmp(value, yes[i]) == 0;
			return true;
		}
	}
	return err_field(err, RC_INVALID, row->name, "%s: true or false was expected", row->name);
}

/* Behind the scheme of a bus address, with which a path may follow the port; NULL: it has none. */
static char *behind_scheme(char *address)
{
	static const char *const schemes[] = { "tcp://", "ws://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(address, schemes[i], strlen(schemes[i])) == 0)
			return address + strlen(schemes[i]);
	return NULL;
}

static bool is_address(const char *value, size_t len, bool bus)
{
	char copy[256], *host = copy, *path = NULL, *colon, *end = NULL;
	long port;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, value, len);
	copy[len] = '\0';
	if (bus && behind_scheme(copy) != NULL) {
		host = behind_scheme(copy);
		path = strchr(host, '/');
	}
	if (path != NULL)
		*path = '\0';
	colon = strrchr(host, ':');
	port = colon != NULL ? strtol(colon + 1, &end, 10) : -1;
	return colon != NULL && colon != host && end != colon + 1 && *end == '\0' && port >= 0 && port <= 65535 &&
	       strcspn(host, "/ \t") == strlen(host);
}

static bool parse_addr(void *ctx, const struct row *row, const char *value, char **out, struct err *err)
{
	const char *p = value;

	do {
		bool bus = (row->flags & BUS) != 0;
		size_t len;

		p += bus ? strspn(p, " \t") : 0;
		len = bus ? strcspn(p, ",") : strlen(p);

		if (!is_address(p, len, bus))
			return err_field(err, RC_INVALID, row->name, "%s: host:port was expected%s", row->name,
					 bus ? ", or several, comma-separated" : "");
		p += len;
	} while (*p++ == ',');
	*out = talloc_strdup(ctx, value);
	return true;
}

static void list_add(void *ctx, struct config_list *list, const char *from, size_t len)
{
	while (len > 0 && isspace((unsigned char)*from))
		from++, len--;
	while (len > 0 && isspace((unsigned char)from[len - 1]))
		len--;
	if (len == 0)
		return;
	list->items = talloc_realloc(ctx, list->items, char *, (unsigned)(list->n + 1));
	list->items[list->n++] = talloc_strndup(ctx, from, len);
}

static bool parse_list(void *ctx, const struct row *row, const char *value, struct config_list *out, struct err *err)
{
	CLEANUP(json_drop) cJSON *tree = NULL;

	if (value[strspn(value, " \t")] != '[') {
		for (const char *p = value; *p != '\0'; p += strspn(p, ",")) {
			size_t len = strcspn(p, ",");

			list_add(ctx, out, p, len);
			p += len;
		}
		return true;
	}
	tree = json_parse(text_from(value), NULL);
	if (!cJSON_IsArray(tree))
		return err_field(err, RC_INVALID, row->name, "%s: a JSON array of strings was expected", row->name);
	for (const cJSON *item = tree->child; item != NULL; item = item->next) {
		if (!cJSON_IsString(item))
			return err_field(err, RC_INVALID, row->name, "%s: a JSON array of strings was expected",
					 row->name);
		list_add(ctx, out, item->valuestring, strlen(item->valuestring));
	}
	return true;
}

static bool row_set(void *ctx, struct config *config, const struct row *row, const char *value, struct err *err)
{
	void *field = row_field(config, row);

	switch (row->type) {
	case TEXT:
		*(char **)field = talloc_strdup(ctx, value);
		return true;
	case ADDR:
		return parse_addr(ctx, row, value, field, err);
	case INT:
	case MSEC:
	case BYTES:
		return parse_int(row, value, field, err);
	case BOOL:
		return parse_bool(row, value, field, err);
	case LIST:
		*(struct config_list *)field = (struct config_list){ 0 };
		return parse_list(ctx, row, value, field, err);
	}
	return false;
}

/* ---- the file --------------------------------------------------------------------- */

static const struct row *row_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strlen(rows[i].name) == len && strncasecmp(rows[i].name, name, len) == 0)
			return &rows[i];
	return NULL;
}

/* The value behind '=': quotes taken off, or blanks and a trailing comment. */
static char *line_value(void *ctx, const char *p)
{
	size_t len;

	p += strspn(p, " \t");
	if ((*p == '"' || *p == '\'') && strchr(p + 1, *p) != NULL)
		return talloc_strndup(ctx, p + 1, (size_t)(strchr(p + 1, *p) - p - 1));
	len = strlen(p);
	for (size_t i = 1; i < len; i++)
		if (p[i] == '#' && isspace((unsigned char)p[i - 1]))
			len = i;
	while (len > 0 && isspace((unsigned char)p[len - 1]))
		len--;
	return talloc_strndup(ctx, p, len);
}

static bool read_line(void *ctx, char *values[ROWS], const char *file, int number, const char *line, struct err *err)
{
	const struct row *row;
	size_t len;

	line += strspn(line, " \t\r");
	if (strncmp(line, "export ", 7) == 0)
		line += 7;
	if (*line == '\0' || *line == '#')
		return true;
	len = strcspn(line, "= \t");
	if (strchr(line, '=') == NULL)
		return err_set(err, RC_INVALID, "%s:%d: NAME=value was expected", file, number);
	row = row_find(line, len);
	if (row == NULL)
		return err_set(err, RC_INVALID, "%s:%d: unknown setting %.*s", file, number, (int)(len < 64 ? len : 64),
			       line);
	if (values[row - rows] != NULL)
		return err_field(err, RC_INVALID, row->name, "%s:%d: %s is set twice", file, number, row->name);
	values[row - rows] = line_value(ctx, strchr(line, '=') + 1);
	return true;
}

static bool read_file(void *ctx, char *values[ROWS], const char *file, struct err *err)
{
	FILE *in = fopen(file != NULL ? file : ".env", "re");
	char *line = NULL;
	size_t size = 0;
	int number = 0;
	bool good = true;

	if (in == NULL && file == NULL && errno == ENOENT)
		return true;
	if (in == NULL)
		return err_set(err, RC_INVALID, "%s: %s", file != NULL ? file : ".env", strerror(errno));
	while (good && getline(&line, &size, in) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		good = size <= FILE_MAX_BYTES
			       ? read_line(ctx, values, file != NULL ? file : ".env", ++number, line, err)
			       : err_set(err, RC_INVALID, "%s: line %d is too long", file, number + 1);
	}
	free(line);
	fclose(in);
	return good;
}

/* ---- the whole ---------------------------------------------------------------------- */

static bool row_load(void *ctx, struct config *config, const struct row *row, enum service who, const char *value,
		     struct err *err)
{
	const char *env = getenv(row->name);
	bool used = (row->used_by & (int)who) != 0;

	if (env != NULL)
		value = env;
	/* An empty line in a copied example means: not set. */
	if (value == NULL || (value[0] == '\0' && row->type != TEXT))
		value = row->fallback;
	if (!row_set(ctx, config, row, value, err))
		return false;
	if (!used)
		return row_set(ctx, config, row, row->fallback, err);
	if ((row->flags & REQUIRED) && value[0] == '\0')
		return err_field(err, RC_INVALID, row->name, "%s is required and not set", row->name);
	return true;
}

bool config_load(void *ctx, struct config *config, enum service who, const char *file, struct err *err)
{
	char *values[ROWS] = { 0 };

	*config = (struct config){ 0 };
	if (!read_file(ctx, values, file, err))
		return false;
	for (size_t i = 0; i < ROWS; i++)
		if (!row_load(ctx, config, &rows[i], who, values[i], err))
			return false;
	return true;
}

static void row_print(const struct config *config, const struct row *row, FILE *out)
{
	const void *field = (const char *)config + row->offset;
	const struct config_list *list = field;

	fprintf(out, "%s=", row->name);
	switch (row->type) {
	case TEXT:
	case ADDR:
		fprintf(out, "%s\n",
			(row->flags & SECRET) && **(char *const *)field != '\0' ? "***" : *(char *const *)field);
		return;
	case INT:
	case MSEC:
	case BYTES:
		fprintf(out, "%lld\n", (long long)*(const int64_t *)field);
		return;
	case BOOL:
		fprintf(out, "%s\n", *(const bool *)field ? "true" : "false");
		return;
	case LIST:
		for (size_t i = 0; i < list->n; i++)
			fprintf(out, "%s%s", i > 0 ? "," : "", list->items[i]);
		fputc('\n', out);
		return;
	}
}

void config_print(const struct config *config, enum service who, FILE *out)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].used_by & (int)who)
			row_print(config, &rows[i], out);
}
