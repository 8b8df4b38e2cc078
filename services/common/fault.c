#include "fault.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPEC_MAX 4096
#define DELAY_MAX_MS 600000

enum fault_action { FAULT_NONE, FAULT_KILL, FAULT_STOP, FAULT_DELAY };

struct armed {
	enum fault_action action;
	unsigned long hits; /* since it was armed */
	unsigned long from, times; /* hits from .. from + times - 1 are met */
	unsigned long delay_ms;
};

static const char *const point_names[FAULT_COUNT] = {
#define FAULT(name, service, what) [FAULT_##name] = #name,
#include "fault_points.def"
#undef FAULT
};

static struct armed table[FAULT_COUNT];
static const struct log *fault_log;
static ev_signal on_urg;

static void fault_act(const struct armed *a)
{
	struct timespec left = { .tv_sec = (time_t)(a->delay_ms / 1000),
				 .tv_nsec = (long)(a->delay_ms % 1000) * 1000000 };

	switch (a->action) {
	case FAULT_KILL:
		raise(SIGKILL);
		break;
	case FAULT_STOP:
		raise(SIGSTOP);
		break;
	case FAULT_DELAY:
		while (nanosleep(&left, &left) != 0 && errno == EINTR)
			;
		break;
	case FAULT_NONE:
		break;
	}
}

void fault_hit(enum fault_point point)
{
	struct armed *a = &table[point];

	if (a->action == FAULT_NONE || ++a->hits < a->from || a->hits - a->from >= a->times)
		return;
	log_info(fault_log, "fault.hit", "point=%s hit=%lu", point_names[point], a->hits);
	fault_act(a);
}

/* ---- what is told --------------------------------------------------------------- */

static bool take_number(const char **p, unsigned long *out, unsigned long max)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	*out = strtoul(*p, &end, 10);
	*p = end;
	return *out <= max;
}

static bool take_action(const char **p, struct armed *a)
{
	static const struct {
		const char *name;
		enum fault_action action;
	} actions[] = { { "kill", FAULT_KILL }, { "stop", FAULT_STOP }, { "delay:", FAULT_DELAY } };

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		size_t n = strlen(actions[i].name);

		if (strncmp(*p, actions[i].name, n) != 0)
			continue;
		*p += n;
		a->action = actions[i].action;
		return a->action != FAULT_DELAY || take_number(p, &a->delay_ms, DELAY_MAX_MS);
	}
	return false;
}

static struct armed *point_of(const char *name, size_t len)
{
	for (size_t i = 0; i < FAULT_COUNT; i++)
		if (strlen(point_names[i]) == len && strncmp(point_names[i], name, len) == 0)
			return &table[i];
	return NULL;
}

/* One "name=action" with its counts; p is left at the comma or the end. */
static bool take_entry(const char **p)
{
	size_t len = strcspn(*p, "=,");
	struct armed *point = point_of(*p, len), a = { .from = 1, .times = 1 };

	if (point == NULL || (*p)[len] != '=')
		return false;
	*p += len + 1;
	if (!take_action(p, &a))
		return false;
	if (**p == '@' && (++*p, !take_number(p, &a.from, ULONG_MAX) || a.from == 0))
		return false;
	if (**p == 'x' && (++*p, !take_number(p, &a.times, ULONG_MAX) || a.times == 0))
		return false;
	*point = a;
	return **p == ',' || **p == '\0';
}

bool fault_arm(const char *spec, struct err *err)
{
	const char *p = spec;

	memset(table, 0, sizeof(table));
	while (*p != '\0') {
		const char *entry = p;

		if (!take_entry(&p)) {
			memset(table, 0, sizeof(table));
			return err_set(err, RC_INVALID, "FAULTS: \"%.60s\" is not name=kill|stop|delay:MS[@N][xM]",
				       entry);
		}
		p += *p == ',';
	}
	log_info(fault_log, "fault.armed", "faults=\"%.400s\"", spec);
	return true;
}

/* ---- where it is told ------------------------------------------------------------- */

/* The file's content without its last newline, and the file is gone. False: there is none. */
static bool take_file(char spec[SPEC_MAX])
{
	const char *path = getenv("FAULTS_FILE");
	FILE *in = path != NULL ? fopen(path, "re") : NULL;
	size_t n;

	if (in == NULL)
		return false;
	n = fread(spec, 1, SPEC_MAX - 1, in);
	fclose(in);
	spec[n] = '\0';
	spec[strcspn(spec, "\n")] = '\0';
	return unlink(path) == 0;
}

static void fault_on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
	char spec[SPEC_MAX];
	struct err err = { 0 };

	(void)ev, (void)w, (void)events;
	if (take_file(spec) && !fault_arm(spec, &err))
		log_error(fault_log, "fault.refused", "reason=\"%s\"", err.message);
}

bool fault_init(struct loop *loop, const struct log *log, struct err *err)
{
	const char *spec = getenv("FAULTS");
	char from_file[SPEC_MAX];

	fault_log = log;
	ev_signal_init(&on_urg, fault_on_signal, SIGURG);
	ev_signal_start(loop->ev, &on_urg);
	ev_unref(loop->ev);
	if (take_file(from_file))
		spec = from_file;
	return spec == NULL || fault_arm(spec, err);
}

void fault_done(struct loop *loop)
{
	ev_ref(loop->ev);
	ev_signal_stop(loop->ev, &on_urg);
}
