/*
 * daemon: how each of the four processes starts, runs and ends. All mains look
 * alike; the order of things lives here, once. Loop thread only.
 */
#ifndef ALP_DAEMON_H
#define ALP_DAEMON_H

#include "bus.h"
#include "config.h"
#include "health.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "notify.h"
#include "trace.h"
#include "unready.h"
#include "vitals.h"

#define ALP_VERSION "0.1.0"

/* One dependency as /readyz shows it. */
struct dependency {
	const char *name;
	bool up;
	const char *why; /* when it is down: for operators, no secrets. NULL: "down" */
};

#define DEPENDENCIES_MAX 8
#define WARNINGS_MAX 4

/* What a service tells its daemon; set in x_init. All may be NULL. */
struct daemon_hooks {
	size_t (*dependencies)(void *arg, struct dependency out[DEPENDENCIES_MAX]);
	void (*numbers)(void *arg, UT_string *json); /* members for /healthz: queue depths and the like */
	void (*drain)(void *arg); /* SIGTERM came: take nothing new, finish what runs */
	bool (*idle)(void *arg); /* asked while draining: may we go? From then on calls are answered busy */
	void *arg;
};

/* What is counted for calls of one message. */
struct call_series {
	struct histogram *seconds;
	uint64_t *by_rc[RC_COUNT];
};

struct daemon;

/*
 * What a service takes from d->config before it opens anything: false with err
 * when it could not work with it. A start and --check-config run the same one;
 * what it makes belongs to d->ctx. Nothing is logged, nobody is asked.
 */
typedef bool settings_fn(void *service, struct daemon *d, struct err *err);

struct daemon {
	const char *name;
	enum service service;
	settings_fn *settings;
	void *settings_of;
	void *ctx; /* talloc context of the process */
	struct config config;
	struct loop loop;
	struct log log;
	struct bus *bus;
	struct metrics *metrics;
	struct vitals vitals;
	struct unready unready;
	struct otlp *otlp; /* NULL: traces are not recorded */
	struct call_series call_series[MSG_COUNT];
	struct health *health;
	struct daemon_hooks hooks;
	const char *env_file;
	const char *warnings[WARNINGS_MAX]; /* NULL behind the last */
	int status; /* exit status so far */
	bool draining;
	bool was_ready; /* /readyz has been 200 once: /startupz stays so */
	int64_t started_us;
	struct notify notify;
	enum log_level log_level; /* of LOG_LEVEL */
	ev_signal on_term, on_int, on_more, on_less;
	ev_timer drain_poll, log_timer;
	int64_t drain_until_us, idle_us, spans_us;
};

void daemon_init(struct daemon *d, const char *name, enum service service, settings_fn *settings, void *settings_of);

/*
 * --help, --version, --check-config, --print-config, --env-file F; --check-ready
 * asks the daemon that runs with these settings. False: all is said, leave with
 * daemon_status.
 */
bool daemon_options(struct daemon *d, int argc, char **argv);

/* What all daemons have in common, then the service's own part; daemon_start and --check-config run it. */
bool daemon_settings(struct daemon *d, struct err *err);
const char *daemon_health_address(const struct daemon *d, const char **setting_out);
int daemon_status(const struct daemon *d);

/* Settings, log, loop, signals, bus, health. Ends the process with a reason when one of them cannot be had. */
void daemon_start(struct daemon *d);

/* A start that cannot go on: logs why and ends the process with status 1. */
void daemon_fail(struct daemon *d, const struct err *why) __attribute__((noreturn));

/*
 * What an operator should change though the daemon serves (a weak secret in development, no model):
 * logged now, and shown by /readyz and /healthz. why names the setting, holds
 * no secret, and lives as long as the daemon. The first WARNINGS_MAX are kept.
 */
void daemon_warn(struct daemon *d, const char *event, const char *why);

void daemon_run(struct daemon *d); /* says "ready", loops until drained */
int daemon_stop(struct daemon *d); /* closes bus and loop, frees everything; the exit status */

/* A request on behalf of a call: its caller, its trace. */
struct ask daemon_ask(const struct call *call);

#endif
