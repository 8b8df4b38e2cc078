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
#define EVENTS_MAX 64 /* whose repeats are limited; there are fewer warnings than that */

static struct {
	const char *name;
	enum log_level level;
	bool json;
	uint64_t dropped, suppressed, lines[LOG_ERROR + 1];
} setup = { .name = "alp", .level = LOG_INFO };

/* A warning or error that was logged; event is a literal. */
static struct repeat {
	const char *event;
	int64_t since_us;
	uint64_t written, suppressed; /* since then */
} repeats[EVENTS_MAX];

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

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

void log_set_level(enum log_level level)
{
	setup.level = level;
}

uint64_t log_dropped(void)
{
	return setup.dropped;
}

uint64_t log_suppressed(void)
{
	return setup.suppressed;
}

uint64_t log_lines(enum log_level level)
{
	return setup.lines[level];
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

/* The beginnings of ids are texts, also those that happen to have no letter in them. */
static bool is_id(const char *key)
{
	static const char *const keys[] = { "by", "from", "to", "turn", "user" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* not 0123: that would be no number in JSON */
static bool is_number(const char *value, size_t len)
{
	return len > 0 && len < 16 && strspn(value, "0123456789") == len && (len == 1 || *value != '0');
}

/* One `key=value` or `key="some words"`; returns what follows it. */
static const char *field_to_json(UT_string *out, const char *p)
{
	char key[48];
	size_t n = strcspn(p, "= "), key_len = n < sizeof(key) ? n : sizeof(key) - 1;
	const char *value = p + n + (p[n] == '=');
	size_t len;

	memcpy(key, p, key_len);
	key[key_len] = '\0';
	if (*value == '"') {
		len = strcspn(++value, "\"");
		json_text(out, key, text_of(value, len));
		value += value[len] == '"';
	} else {
		len = strcspn(value, " ");
		if (is_number(value, len) && !is_id(key))
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

/* NULL: there are more events than rows, this one is not limited. */
static struct repeat *repeat_of(const char *event)
{
	for (struct repeat *r = repeats; r < repeats + EVENTS_MAX; r++) {
		if (r->event == NULL)
			*r = (struct repeat){ .event = event, .since_us = clock_us() };
		if (strcmp(r->event, event) == 0)
			return r;
	}
	return NULL;
}

/* False: the line is only counted. *before_out: how many like it were, which is to be said now. */
static bool repeat_may_pass(const char *event, uint64_t *before_out)
{
	struct repeat *r = repeat_of(event);
	int64_t now = clock_us();

	*before_out = 0;
	if (r == NULL)
		return true;
	if (now - r->since_us >= LOG_REPEATS_US) {
		*before_out = r->suppressed;
		*r = (struct repeat){ .event = r->event, .since_us = now };
	}
	if (r->written < LOG_REPEATS_MAX) {
		r->written++;
		return true;
	}
	r->suppressed++;
	setup.suppressed++;
	return false;
}

void log_tick(void)
{
	for (struct repeat *r = repeats; r < repeats + EVENTS_MAX && r->event != NULL; r++) {
		uint64_t n = r->suppressed;

		if (n == 0 || clock_us() - r->since_us < LOG_REPEATS_US)
			continue;
		r->suppressed = 0;
		log_info(NULL, "log.repeats", "of=%s suppressed=%llu", r->event, (unsigned long long)n);
	}
}

void log_line(enum log_level level, const struct log *log, const char *event, const char *fmt, ...)
{
	char fields[LINE_MAX_BYTES];
	CLEANUP(string_done) UT_string out = { 0 };
	uint64_t before = 0;
	int n = 0;
	va_list args;

	if (level < setup.level)
		return;
	setup.lines[level]++;
	if (level >= LOG_WARNING && !repeat_may_pass(event, &before))
		return;
	fields[0] = '\0';
	if (before > 0)
		n = snprintf(fields, sizeof(fields), "suppressed=%llu ", (unsigned long long)before);
	if (log != NULL && log->fields[0] != '\0')
		n += snprintf(fields + n, sizeof(fields) - (size_t)n, "%s ", log->fields);
	va_start(args, fmt);
	vsnprintf(fields + n, sizeof(fields) - (size_t)n, fmt, args);
	va_end(args);
	flatten(fields);
	utstring_reserve(&out, LINE_MAX_BYTES);
	(setup.json ? line_as_json : line_as_text)(&out, level, event, fields);
	write_line(utstring_body(&out), utstring_len(&out));
}
