#include "daemon.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "clock.h"
#include "fault.h"
#include "otlp.h"
#include "secret.h"

#define DRAIN_POLL_MS 10
#define REQUESTS_LEFT_US 300000
#define LOG_TICK_MS 5000
#define LAST_SPANS_US 1000000 /* longest wait for the collector at the end */

void daemon_init(struct daemon *d, const char *name, enum service service, settings_fn *settings, void *settings_of)
{
	*d = (struct daemon){ .name = name, .service = service, .settings = settings, .settings_of = settings_of };
	d->ctx = talloc_new(NULL);
}

int daemon_status(const struct daemon *d)
{
	talloc_free(d->ctx);
	return d->status;
}

void daemon_warn(struct daemon *d, const char *event, const char *why)
{
	int n = 0;

	log_warning(&d->log, event, "reason=\"%s\"", why);
	while (n < WARNINGS_MAX && d->warnings[n] != NULL)
		n++;
	if (n < WARNINGS_MAX)
		d->warnings[n] = why;
}

void daemon_fail(struct daemon *d, const struct err *why)
{
	log_error(&d->log, "daemon.fail", "reason=\"%s\"", why->message);
	exit(1);
}

/* ---- the bus tells, the daemon logs and counts ---------------------------------- */

/* The series of a message, looked up once: this runs for every call. */
static struct call_series *series_of(struct daemon *d, enum msg_id id, enum rc rc, const char *name)
{
	struct call_series *s = &d->call_series[id];
	char labels[96];

	if (s->seconds == NULL) {
		snprintf(labels, sizeof(labels), "message=\"%s\"", name);
		s->seconds = metrics_histogram(d->metrics, METRIC_CALL_SECONDS, labels);
	}
	if (s->by_rc[rc] == NULL) {
		snprintf(labels, sizeof(labels), "message=\"%s\",rc=\"%s\"", name, rc_name(rc));
		s->by_rc[rc] = metrics_counter(d->metrics, METRIC_CALLS, labels);
	}
	return s;
}

/* Only what belongs to a trace has a span: not the beats and pulls of idle daemons. */
static void on_begun(void *arg, struct call *call)
{
	struct daemon *d = arg;
	struct span *span;

	if (d->otlp == NULL || call_trace(call)[0] == '\0')
		return;
	span = talloc(call_ctx(call), struct span);
	span_begin(span, call_trace(call), SPAN_SERVER, msg_info(call_msg(call))->name);
	call_set_note(call, span);
	call_set_trace(call, span->context);
}

static void end_span(const struct call *call, enum rc rc)
{
	struct span *span = call_note(call);

	if (span == NULL)
		return;
	span_text(span, "alp.rc", rc_name(rc));
	if (rc == RC_INTERNAL || rc == RC_STORAGE || rc == RC_UNAVAILABLE || rc == RC_UNKNOWN)
		span_fail(span);
	span_end(span);
}

static void on_served(void *arg, const struct call *call, enum rc rc, int64_t us)
{
	struct daemon *d = arg;
	const char *name = msg_info(call_msg(call)) != NULL ? msg_info(call_msg(call))->name : "none";
	struct call_series *s = series_of(d, call_msg(call), rc, name);

	++*s->by_rc[rc];
	histogram_add(s->seconds, (double)us / 1e6);
	end_span(call, rc);
	log_debug(&d->log, "call.done", "message=%s rc=%s us=%lld trace=%.35s", name, rc_name(rc), (long long)us,
		  call_trace(call));
}

static void on_refused(void *arg, const char *socket, const struct err *why)
{
	struct daemon *d = arg;
	char labels[96];

	snprintf(labels, sizeof(labels), "socket=\"%s\",rc=\"%s\"", socket, rc_name(why->rc));
	++*metrics_counter(d->metrics, METRIC_BUS_REFUSED, labels);
	log_warning(&d->log, "bus.refused", "socket=%s rc=%s reason=\"%s\"", socket, rc_name(why->rc), why->message);
}

static void on_link(void *arg, const char *socket, bool up)
{
	struct daemon *d = arg;

	if (!d->draining)
		log_info(&d->log, "bus.link", "socket=%s state=%s", socket, up ? "up" : "down");
}

static void on_restart(void *arg, const char *socket)
{
	struct daemon *d = arg;

	log_warning(&d->log, "bus.restart", "socket=%s reason=\"the peer answers, the bus library does not reconnect\"",
		    socket);
}

/* ---- start, run, stop ---------------------------------------------------------------- */

/* Asked again and again once nothing else is left to do. */
static bool last_spans_are_told(struct daemon *d, int64_t now)
{
	if (otlp_is_idle(d->otlp))
		return true;
	if (d->spans_us == 0) {
		d->spans_us = now;
		otlp_flush(d->otlp);
	}
	return now - d->spans_us > LAST_SPANS_US;
}

static void drain_on_poll(struct ev_loop *ev, ev_timer *w, int events)
{
	struct daemon *d = w->data;
	int64_t now = clock_us();
	bool late = now > d->drain_until_us;

	(void)events;
	/*
	 * While the service still finishes its work, and while its last spans are on their way, it needs its calls
	 * answered: only then the bus is closed to them.
	 */
	if (!bus_is_draining(d->bus) &&
	    (late || ((d->hooks.idle == NULL || d->hooks.idle(d->hooks.arg)) && last_spans_are_told(d, now)))) {
		bus_drain(d->bus);
		d->idle_us = now;
	}
	/* Nobody waits for what an idle service still asks: it gets a moment, not its whole deadline. */
	if (late || (bus_is_draining(d->bus) && bus_has_answered(d->bus) &&
		     (bus_is_idle(d->bus) || now - d->idle_us > REQUESTS_LEFT_US)))
		ev_break(ev, EVBREAK_ALL);
	else
		loop_arm(&d->loop, w, DRAIN_POLL_MS);
}

static void daemon_on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
	struct daemon *d = w->data;

	(void)ev, (void)events;
	if (d->draining)
		_exit(1); /* asked twice: leave at once */
	d->draining = true;
	d->drain_until_us = clock_us() + d->config.drain_ms * 1000;
	log_info(&d->log, "daemon.drain", "calls=%lld requests=%lld", (long long)bus_stats(d->bus)->calls_open,
		 (long long)bus_stats(d->bus)->requests_open);
	notify_stopping(d->config.drain_ms);
	if (d->hooks.drain != NULL)
		d->hooks.drain(d->hooks.arg);
	loop_timer(&d->drain_poll, drain_on_poll, d);
	loop_arm(&d->loop, &d->drain_poll, 0);
}

/* SIGUSR1 says more, SIGUSR2 less; a restart goes back to LOG_LEVEL. */
static void log_on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
	struct daemon *d = w->data;
	enum log_level level = log_level();

	(void)ev, (void)events;
	if (w->signum == SIGUSR1 && level > LOG_DEBUG)
		level--;
	else if (w->signum == SIGUSR2 && level < LOG_ERROR)
		level++;
	log_set_level(LOG_INFO); /* whoever asked is to see that it worked */
	log_info(&d->log, "log.level", "now=%s setting=%s", log_level_name(level), log_level_name(d->log_level));
	log_set_level(level);
}

static void log_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct daemon *d = w->data;

	(void)ev, (void)events;
	log_tick();
	loop_arm(&d->loop, w, LOG_TICK_MS);
}

static void watch_signals(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	ev_signal_init(&d->on_more, log_on_signal, SIGUSR1);
	ev_signal_init(&d->on_less, log_on_signal, SIGUSR2);
	d->on_more.data = d->on_less.data = d;
	ev_signal_start(d->loop.ev, &d->on_more);
	ev_signal_start(d->loop.ev, &d->on_less);
	ev_signal_init(&d->on_term, daemon_on_signal, SIGTERM);
	ev_signal_init(&d->on_int, daemon_on_signal, SIGINT);
	d->on_term.data = d->on_int.data = d;
	ev_signal_start(d->loop.ev, &d->on_term);
	ev_signal_start(d->loop.ev, &d->on_int);
}

static void start_bus(struct daemon *d)
{
	if (secret_is_weak(text_from(d->config.bus_key)))
		daemon_warn(d, "daemon.bus_key", "BUS_KEY is a placeholder: anyone can speak on the bus");
	d->bus = bus_new(d->ctx, &(struct bus_config){
					 .ev = d->loop.ev,
					 .key = text_from(d->config.bus_key),
					 .message_max = (size_t)d->config.bus_message_max,
					 .inflight_max = (int)d->config.bus_inflight_max,
					 .event_queue = (int)d->config.bus_event_queue,
					 .timeout_ms = d->config.bus_timeout_ms,
					 .watch = { on_begun, on_served, on_refused, on_link, on_restart, d },
				 });
}

static void start_faults(struct daemon *d)
{
#ifdef ALP_FAULTS
	struct err err = { 0 };

	if (!fault_init(&d->loop, &d->log, &err))
		daemon_fail(d, &err);
#else
	(void)d;
#endif
}

static void stop_faults(struct daemon *d)
{
#ifdef ALP_FAULTS
	fault_done(&d->loop);
#else
	(void)d;
#endif
}

static void start_traces(struct daemon *d)
{
	const struct config *c = &d->config;
	struct err err = { 0 };

	if (c->otlp_endpoint[0] != '\0') {
		d->otlp = otlp_new(d->ctx,
				   &(struct otlp_config){ .loop = &d->loop,
							  .metrics = d->metrics,
							  .endpoint = c->otlp_endpoint,
							  .headers = c->otlp_headers,
							  .service = talloc_asprintf(d->ctx, "alp-%s", d->name),
							  .version = ALP_VERSION },
				   &err);
		if (d->otlp == NULL)
			daemon_fail(d, &err);
	}
	trace_setup(d->otlp, c->trace_percent);
}

/*
 * glibc keeps small freed pieces apart, and joins all of them whenever something large is freed: here that is each
 * message with a prompt in it, while nng's threads wait for the lock. So they are joined one by one.
 */
static void setup_malloc(void)
{
	mallopt(M_MXFAST, 0);
}

void daemon_start(struct daemon *d)
{
	bool json = strcmp(d->config.log_format, "json") == 0;
	const char *address, *setting;
	struct err err = { 0 };

	setup_malloc();
	d->started_us = clock_us();
	log_setup(d->name, LOG_INFO, json);
	if (!daemon_settings(d, &err))
		daemon_fail(d, &err);
	log_setup(d->name, d->log_level, json);
	loop_init(&d->loop);
	watch_signals(d);
	start_faults(d);
	loop_timer(&d->log_timer, log_on_timer, d);
	loop_arm(&d->loop, &d->log_timer, LOG_TICK_MS);
	d->metrics = metrics_new(d->ctx, d->service);
	start_traces(d);
	start_bus(d);
	vitals_init(&d->vitals, d->loop.ev, d->metrics, d->bus, d->name);
	address = daemon_health_address(d, &setting);
	d->health = health_new(d, setting, address, &err);
	if (d->health == NULL)
		daemon_fail(d, &err);
}

void daemon_run(struct daemon *d)
{
	log_info(&d->log, "daemon.ready", "version=%s proto=%d pid=%d start_ms=%lld", ALP_VERSION, PROTO_MAJOR,
		 getpid(), (long long)(clock_us() - d->started_us) / 1000);
	notify_ready(&d->notify, &d->loop);
	unready_init(&d->unready, d);
	ev_run(d->loop.ev, 0);
	notify_done(&d->notify);
	unready_done(&d->unready);
}

int daemon_stop(struct daemon *d)
{
	health_free(d->health);
	bus_free(d->bus);
	ev_signal_stop(d->loop.ev, &d->on_term);
	ev_signal_stop(d->loop.ev, &d->on_int);
	stop_faults(d);
	ev_signal_stop(d->loop.ev, &d->on_more);
	ev_signal_stop(d->loop.ev, &d->on_less);
	loop_disarm(&d->loop, &d->log_timer);
	trace_setup(NULL, 0);
	otlp_free(d->otlp);
	vitals_done(&d->vitals);
	loop_done(&d->loop);
	log_info(&d->log, "daemon.stop", "uptime_s=%lld", (long long)(clock_us() - d->started_us) / 1000000);
	talloc_free(d->ctx);
	return d->status;
}

struct ask daemon_ask(const struct call *call)
{
	return (struct ask){ .caller = *call_caller(call), .trace = call_trace(call) };
}
