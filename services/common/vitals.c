#include "vitals.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include "clock.h"
#include "daemon.h"
#include "log.h"

/* ---- the process --------------------------------------------------------------------- */

/* Value of a VmXXX line of /proc/self/status, in bytes. */
static double own_memory(const char *key)
{
	FILE *in = fopen("/proc/self/status", "re");
	char line[128];
	long kb = 0;

	while (in != NULL && fgets(line, sizeof(line), in) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			kb = strtol(line + strlen(key), NULL, 10);
	if (in != NULL)
		fclose(in);
	return (double)kb * 1024;
}

/* Linux 6.2 tells the number as the folder's size; before it has to be counted. */
static double open_descriptors(void)
{
	struct stat st;
	DIR *dir;
	double n = -3; /* ., .. and the folder itself */

	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return (double)st.st_size;
	dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void refresh_process(struct metrics *m)
{
	struct rusage use;
	struct rlimit files = { 0 };

	getrusage(RUSAGE_SELF, &use);
	getrlimit(RLIMIT_NOFILE, &files);
	*metrics_gauge(m, METRIC_MEMORY, "") = own_memory("VmRSS:");
	*metrics_sum(m, METRIC_CPU, "") = (double)use.ru_utime.tv_sec + (double)use.ru_stime.tv_sec +
					  (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
	*metrics_gauge(m, METRIC_OPEN_FDS, "") = open_descriptors();
	*metrics_gauge(m, METRIC_MAX_FDS, "") = (double)files.rlim_cur;
}

static void refresh_log(struct metrics *m)
{
	char labels[32];

	for (enum log_level level = LOG_DEBUG; level <= LOG_ERROR; level++) {
		snprintf(labels, sizeof(labels), "level=\"%s\"", log_level_name(level));
		*metrics_counter(m, METRIC_LOG_LINES, labels) = log_lines(level);
	}
	*metrics_counter(m, METRIC_LOG_DROPPED, "") = log_dropped();
	*metrics_counter(m, METRIC_LOG_SUPPRESSED, "") = log_suppressed();
}

static void refresh_bus(struct metrics *m, const struct bus_stats *s)
{
	*metrics_gauge(m, METRIC_BUS_CALLS_OPEN, "") = (double)s->calls_open;
	*metrics_gauge(m, METRIC_BUS_REQUESTS_OPEN, "") = (double)s->requests_open;
	*metrics_counter(m, METRIC_BUS_REQUESTS, "") = s->requests_sent;
	*metrics_counter(m, METRIC_BUS_RETRIED, "") = s->requests_retried;
	*metrics_counter(m, METRIC_BUS_TIMED_OUT, "") = s->requests_timed_out;
	*metrics_counter(m, METRIC_BUS_BUSY, "") = s->requests_busy;
	*metrics_counter(m, METRIC_BUS_EVENTS_SENT, "") = s->events_sent;
	*metrics_counter(m, METRIC_BUS_EVENTS_RECEIVED, "") = s->events_received;
	*metrics_counter(m, METRIC_BUS_EVENTS_DROPPED, "") = s->events_dropped;
}

static void vitals_refresh(void *arg)
{
	struct vitals *v = arg;

	refresh_process(v->metrics);
	refresh_log(v->metrics);
	refresh_bus(v->metrics, bus_stats(v->bus));
}

/* ---- the loop -------------------------------------------------------------------------- */

static void vitals_on_woken(struct ev_loop *ev, ev_check *w, int events)
{
	struct vitals *v = w->data;

	(void)ev, (void)events;
	v->woken_us = clock_us();
}

static void vitals_on_sleeping(struct ev_loop *ev, ev_prepare *w, int events)
{
	struct vitals *v = w->data;

	(void)ev, (void)events;
	if (v->woken_us != 0)
		histogram_add(v->lag, (double)(clock_us() - v->woken_us) / 1e6);
}

void vitals_init(struct vitals *v, struct ev_loop *ev, struct metrics *metrics, const struct bus *bus, const char *name)
{
	char labels[96];

	*v = (struct vitals){ .ev = ev, .metrics = metrics, .bus = bus };
	snprintf(labels, sizeof(labels), "service=\"%s\",version=\"%s\",proto=\"%d\"", name, ALP_VERSION, PROTO_MAJOR);
	*metrics_gauge(metrics, METRIC_BUILD_INFO, labels) = 1;
	*metrics_gauge(metrics, METRIC_START_TIME, "") = (double)clock_wall_us() / 1e6;
	v->lag = metrics_histogram(metrics, METRIC_LOOP_LAG, "");
	metrics_on_write(metrics, vitals_refresh, v);
	/* First after the sleep, last before the next one: everything else lies between. */
	ev_check_init(&v->woken, vitals_on_woken);
	ev_set_priority(&v->woken, EV_MAXPRI);
	ev_prepare_init(&v->sleeping, vitals_on_sleeping);
	ev_set_priority(&v->sleeping, EV_MINPRI);
	v->woken.data = v->sleeping.data = v;
	ev_check_start(ev, &v->woken);
	ev_prepare_start(ev, &v->sleeping);
}

void vitals_done(struct vitals *v)
{
	ev_check_stop(v->ev, &v->woken);
	ev_prepare_stop(v->ev, &v->sleeping);
}
