/*
 * log: one line per finished operation on standard output.
 *
 *   12:00:01.204 chat info turn.done trace=91bc turn=7f3a steps=4 ms=1840
 *
 * or the same as a JSON object. An event has a stable dotted name and fields
 * `key=value`; a value with blanks is written key="two words". Texts of users
 * and secrets are not fields. A log that cannot be written (reader stopped,
 * disk full) is dropped and counted: it never blocks the process.
 *
 * Of one event at warning or error, LOG_REPEATS_MAX lines are written in
 * LOG_REPEATS_US; the rest is counted, and the next line of that event says
 * how many: `suppressed=214`. Loop thread only.
 */
#ifndef ALP_LOG_H
#define ALP_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

#define LOG_REPEATS_MAX 20
#define LOG_REPEATS_US 10000000

/* Fields that go before those of each line. Embedded in what it speaks for. */
struct log {
	char fields[160];
};

/* Once, at start. name is kept, not copied. */
void log_setup(const char *name, enum log_level level, bool json);
bool log_level_from(const char *name, enum log_level *out);
enum log_level log_level(void);
const char *log_level_name(enum log_level level);
void log_set_level(enum log_level level);

/* Now and then: says how many lines of events that are quiet again were suppressed. */
void log_tick(void);

uint64_t log_dropped(void); /* lines that could not be written */
uint64_t log_suppressed(void); /* ... that were only counted */
uint64_t log_lines(enum log_level level); /* all that passed the level, whatever became of them */

/* child = the parent's fields and one more: log_child(&turn->log, &chat->log, "turn=%.8s", id). parent may be NULL. */
void log_child(struct log *child, const struct log *parent, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* log may be NULL. */
void log_line(enum log_level level, const struct log *log, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#define log_debug(log, ...) log_line(LOG_DEBUG, (log), __VA_ARGS__)
#define log_info(log, ...) log_line(LOG_INFO, (log), __VA_ARGS__)
#define log_warning(log, ...) log_line(LOG_WARNING, (log), __VA_ARGS__)
#define log_error(log, ...) log_line(LOG_ERROR, (log), __VA_ARGS__)

#endif
