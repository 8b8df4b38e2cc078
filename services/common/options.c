/* The command line of a daemon, and what it takes from its settings before it opens anything. */
#include "daemon.h"

#include <sodium.h>

#include "otlp.h"
#include "ranges.h"
#include "ready.h"
#include "secret.h"

static void usage(const struct daemon *d)
{
	printf("usage: alp-%s [--env-file FILE] [--check-config | --print-config | --check-ready | --version | "
	       "--help]\n",
	       d->name);
	printf("Settings come from the environment and from .env; see docs/settings.md.\n");
}

static bool load(struct daemon *d)
{
	struct err err = { 0 };

	if (config_load(d->ctx, &d->config, d->service, d->env_file, &err))
		return true;
	fprintf(stderr, "alp-%s: %s\n", d->name, err.message);
	d->status = 1;
	return false;
}

bool daemon_settings(struct daemon *d, struct err *err)
{
	const struct config *c = &d->config;
	const struct range rows[] = {
		{ "TRACE_PERCENT", c->trace_percent, 0, 100 },
		{ "BUS_TIMEOUT_MS", c->bus_timeout_ms, 1, INT32_MAX },
		{ "BUS_MESSAGE_MAX", c->bus_message_max, 65536, 1 << 30 },
		{ "BUS_INFLIGHT_MAX", c->bus_inflight_max, 2, 65536 },
		{ "BUS_EVENT_QUEUE", c->bus_event_queue, 1, BUS_EVENT_QUEUE_MAX },
	};

	if (sodium_init() < 0)
		return err_set(err, RC_INTERNAL, "libsodium could not be started");
	if (!log_level_from(c->log_level, &d->log_level))
		return err_field(err, RC_INVALID, "LOG_LEVEL", "LOG_LEVEL: debug, info, warning or error was expected");
	if (strcmp(c->log_format, "json") != 0 && strcmp(c->log_format, "text") != 0)
		return err_field(err, RC_INVALID, "LOG_FORMAT", "LOG_FORMAT: text or json was expected");
	return ranges_check(rows, sizeof(rows) / sizeof(rows[0]), err) &&
	       (c->otlp_endpoint[0] == '\0' || otlp_check(c->otlp_endpoint, c->otlp_headers, err)) &&
	       secret_check("BUS_KEY", text_from(c->bus_key), c->debug, SECRET_MIN, err) &&
	       d->settings(d->settings_of, d, err);
}

/* --check-config: all that a start refuses before it opens anything. */
static void check_config(struct daemon *d)
{
	struct err err = { 0 };

	if (daemon_settings(d, &err))
		return;
	fprintf(stderr, "alp-%s: %s\n", d->name, err.message);
	d->status = 1;
}

const char *daemon_health_address(const struct daemon *d, const char **setting_out)
{
	switch (d->service) {
	case SERVICE_GATEWAY:
		*setting_out = "GATEWAY_HEALTH";
		return d->config.gateway_health;
	case SERVICE_CHAT:
		*setting_out = "CHAT_HEALTH";
		return d->config.chat_health;
	case SERVICE_AI:
		*setting_out = "AI_HEALTH";
		return d->config.ai_health;
	case SERVICE_STORE:
		*setting_out = "STORE_HEALTH";
		return d->config.store_health;
	}
	return NULL;
}

bool daemon_options(struct daemon *d, int argc, char **argv)
{
	const char *what = "", *setting;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--env-file") == 0 && i + 1 < argc) {
			d->env_file = argv[++i];
		} else if (strcmp(argv[i], "--check-config") == 0 || strcmp(argv[i], "--print-config") == 0 ||
			   strcmp(argv[i], "--check-ready") == 0) {
			what = argv[i];
		} else if (strcmp(argv[i], "--version") == 0) {
			printf("alp-%s %s\n", d->name, ALP_VERSION);
			return false;
		} else {
			usage(d);
			d->status = strcmp(argv[i], "--help") == 0 ? 0 : 2;
			return false;
		}
	}
	if (!load(d) || what[0] == '\0')
		return d->status == 0;
	if (strcmp(what, "--check-config") == 0)
		check_config(d);
	else if (strcmp(what, "--print-config") == 0)
		config_print(&d->config, d->service, stdout);
	else if (strcmp(what, "--check-ready") == 0)
		d->status = ready_ask(daemon_health_address(d, &setting), stdout) ? 0 : 1;
	return false;
}
