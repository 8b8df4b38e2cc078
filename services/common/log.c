#include "log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"

#define LINE_MAX_BYTES 1024

static struct {
	const char *name;
	enum log_level level;
	bool json;
	uint64_t dropped;
} setup = { .name = "alp", .level = LOG_INFO };

static const char *const level_names[] = { "debug", "info", "warning", "error" };

void log_setup(const char *name, enum log_level level, bool json)
{
	setup.name = name;
	setup.level = level;
	setup.json = json;
}

bool log_level_from(const char *name, enum log_level *out)
{
	for (int i = 0; i <= LOG_ERROR; i++)
		if (strcasecmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

enum log_level log_level(void)
{
	return setup.level;
}

uint64_t log_dropped(void)
{
	return setup.dropped;
}

void log_child(struct log *child, const struct log *parent, const char *fmt, ...)
{
	int n = parent != NULL ? snprintf(child->fields, sizeof(child->fields), "%s ", parent->fields) : 0;
	va_list args;

	if (n == 1 || n >= (int)sizeof(child->fields))
		n = 0;
	va_start(args, fmt);
	vsnprintf(child->fields + n, sizeof(child->fields) - (size_t)n, fmt, args);
	va_end(args);
}

/* What a foreign byte could do to a line-based log is undone here (CWE-117). */
static void flatten(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7F)
			*s = '?';
}

static void write_line(const char *p, size_t len)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT) || write(STDOUT_FILENO, p, len) != (ssize_t)len)
		setup.dropped++;
}

/* One `key=value` or `key="some words"`; returns what follows it. */
static const char *field_to_json(UT_string *out, const char *p)
{
	char key[48];
	size_t n = strcspn(p, "= ");
	const char *value = p + n + (p[n] == '=');
	size_t len;

	snprintf(key, sizeof(key), "%.*s", (int)n, p);
	if (*value == '"') {
		len = strcspn(++value, "\"");
		json_text(out, key, text_of(value, len));
		value += value[len] == '"';
	} else {
		len = strcspn(value, " ");
		if (len > 0 && len < 16 && strspn(value, "0123456789") == len)
			json_raw(out, key, text_of(value, len));
		else
			json_text(out, key, text_of(value, len));
	}
	return value + len;
}

static void line_as_json(UT_string *out, enum log_level level, const char *event, const char *fields)
{
	char time[CLOCK_ISO_SIZE];

	clock_iso(clock_wall_us(), time);
	json_open(out, NULL, '{');
	json_str(out, "time", time);
	json_str(out, "service", setup.name);
	json_str(out, "level", level_names[level]);
	json_str(out, "event", event);
	for (const char *p = fields + strspn(fields, " "); *p != '\0'; p += strspn(p, " "))
		p = field_to_json(out, p);
	json_close(out, '}');
	utstring_bincpy(out, "\n", 1);
}

static void line_as_text(UT_string *out, enum log_level level, const char *event, const char *fields)
{
	int64_t now = clock_wall_us();
	time_t seconds = (time_t)(now / 1000000);
	struct tm tm;
	char time[16];

	gmtime_r(&seconds, &tm);
	strftime(time, sizeof(time), "%H:%M:%S", &tm);
	utstring_printf(out, "%s.%03d %s %s %s %s\n", time, (int)(now / 1000 % 1000), setup.name, level_names[level],
			event, fields);
}

void log_line(enum log_level level, const struct log *log, const char *event, const char *fmt, ...)
{
	char fields[LINE_MAX_BYTES];
	CLEANUP(string_done) UT_string out = { 0 };
	int n = 0;
	va_list args;

	if (level < setup.level)
		return;
	fields[0] = '\0';
	if (log != NULL && log->fields[0] != '\0')
		n = snprintf(fields, sizeof(fields), "%s ", log->fields);
	va_start(args, fmt);
	vsnprintf(fields + n, sizeof(fields) - (size_t)n, fmt, args);
	va_end(args);
	flatten(fields);
	utstring_init(&out);
	(setup.json ? line_as_json : line_as_text)(&out, level, event, fields);
	write_line(utstring_body(&out), utstring_len(&out));
}
