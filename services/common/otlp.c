#include "otlp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "clock.h"
#include "curl_loop.h"
#include "ids.h"
#include "json.h"
#include "log.h"

#define ANSWER_MAX 65536 /* bytes that are read of what a collector says */

struct waiting_span {
	struct span span;
	struct waiting_span *prev, *next;
};

struct otlp {
	struct otlp_config config;
	char *url;
	char *instance;
	struct curl_slist *headers;
	struct curl_loop *curl;
	struct waiting_span *waiting; /* oldest first */
	size_t waiting_n;
	ev_timer timer; /* a batch is due, or another try */
	ev_timer deadline;
	bool flushing;

	/* the batch on its way */
	UT_string body; /* empty: none */
	size_t batch_n;
	int tries;
	struct transfer *transfer;
	size_t answered; /* bytes */
};

/* ---- JSON: ids in hexadecimal, 64-bit numbers as strings, enumerations as numbers --------------- */

static void put_attr(UT_string *out, const char *key, const char *text, int64_t number)
{
	char digits[24];

	json_open(out, NULL, '{');
	json_str(out, "key", key);
	json_open(out, "value", '{');
	if (text != NULL) {
		json_str(out, "stringValue", text);
	} else {
		snprintf(digits, sizeof(digits), "%lld", (long long)number);
		json_str(out, "intValue", digits);
	}
	json_close(out, '}');
	json_close(out, '}');
}

static void put_time(UT_string *out, const char *key, int64_t wall_us)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld000", (long long)wall_us);
	json_str(out, key, digits);
}

static void put_span(UT_string *out, const struct span *s)
{
	json_open(out, NULL, '{');
	json_text(out, "traceId", text_of(s->context + 3, 32));
	json_text(out, "spanId", text_of(s->context + 36, 16));
	if (s->parent[0] != '\0')
		json_str(out, "parentSpanId", s->parent);
	json_str(out, "name", s->name);
	json_i64(out, "kind", s->kind);
	put_time(out, "startTimeUnixNano", s->start_us);
	put_time(out, "endTimeUnixNano", s->end_us);
	json_open(out, "attributes", '[');
	for (int i = 0; i < s->attrs_n; i++)
		put_attr(out, s->attrs[i].key, s->attrs[i].is_text ? s->attrs[i].text : NULL, s->attrs[i].number);
	json_close(out, ']');
	json_open(out, "status", '{');
	if (s->failed)
		json_i64(out, "code", 2);
	json_close(out, '}');
	json_close(out, '}');
}

void otlp_write(UT_string *out, const char *service, const char *version, const char *instance,
		const struct span *const spans[], size_t n)
{
	json_open(out, NULL, '{');
	json_open(out, "resourceSpans", '[');
	json_open(out, NULL, '{');
	json_open(out, "resource", '{');
	json_open(out, "attributes", '[');
	put_attr(out, "service.name", service, 0);
	put_attr(out, "service.version", version, 0);
	put_attr(out, "service.instance.id", instance, 0);
	json_close(out, ']');
	json_close(out, '}');
	json_open(out, "scopeSpans", '[');
	json_open(out, NULL, '{');
	json_open(out, "scope", '{');
	json_str(out, "name", "alp");
	json_close(out, '}');
	json_open(out, "spans", '[');
	for (size_t i = 0; i < n; i++)
		put_span(out, spans[i]);
	json_close(out, ']');
	json_close(out, '}');
	json_close(out, ']');
	json_close(out, '}');
	json_close(out, ']');
	json_close(out, '}');
}

/* ---- a batch on its way -------------------------------------------------------------------------- */

static void batch_begin(struct otlp *o)
{
	const struct span *spans[OTLP_BATCH_MAX] = { NULL };
	struct waiting_span *w, *tmp;
	size_t n = 0;

	DL_FOREACH (o->waiting, w) {
		if (n == OTLP_BATCH_MAX)
			break;
		spans[n++] = &w->span;
	}
	otlp_write(&o->body, o->config.service, o->config.version, o->instance, spans, n);
	o->batch_n = n;
	o->tries = 0;
	o->waiting_n -= n;
	DL_FOREACH_SAFE (o->waiting, w, tmp) {
		if (n-- == 0)
			break;
		DL_DELETE(o->waiting, w);
		talloc_free(w);
	}
}

static void arm_next(struct otlp *o)
{
	if (o->waiting != NULL)
		loop_arm(o->config.loop, &o->timer, o->flushing || o->waiting_n >= OTLP_BATCH_MAX ? 0 : OTLP_DELAY_MS);
}

static void batch_end(struct otlp *o)
{
	utstring_clear(&o->body);
	o->batch_n = 0;
	arm_next(o);
}

static void batch_drop(struct otlp *o, const char *reason, long status)
{
	char labels[48];

	snprintf(labels, sizeof(labels), "reason=\"%s\"", reason);
	*metrics_counter(o->config.metrics, METRIC_SPANS_DROPPED, labels) += o->batch_n;
	log_warning(NULL, "trace.dropped", "spans=%zu reason=%s status=%ld", o->batch_n, reason, status);
	batch_end(o);
}

/* 429, 502, 503, 504 and no answer at all are worth another try (OTLP/HTTP, "Failures"). */
static void batch_judge(struct otlp *o, long status)
{
	loop_disarm(o->config.loop, &o->deadline);
	if (status >= 200 && status < 300) {
		*metrics_counter(o->config.metrics, METRIC_SPANS_EXPORTED, "") += o->batch_n;
		batch_end(o);
	} else if (status != 0 && status != 429 && (status < 502 || status > 504)) {
		batch_drop(o, "refused", status);
	} else if (++o->tries >= OTLP_TRIES || o->flushing) {
		batch_drop(o, "unreachable", status);
	} else {
		loop_arm(o->config.loop, &o->timer, OTLP_PAUSE_MS << (o->tries - 1));
	}
}

static bool otlp_on_send(void *arg)
{
	(void)arg;
	return true;
}

static bool otlp_on_body(void *arg, struct text bytes)
{
	struct otlp *o = arg;

	o->answered += bytes.len;
	return o->answered <= ANSWER_MAX;
}

static void otlp_on_end(void *arg, CURLcode code)
{
	struct otlp *o = arg;
	long status = code == CURLE_OK ? transfer_status(o->transfer) : 0;

	o->transfer = NULL;
	batch_judge(o, status);
}

static void otlp_on_deadline(struct ev_loop *ev, ev_timer *w, int events)
{
	struct otlp *o = w->data;

	(void)ev, (void)events;
	transfer_abort(o->transfer);
	o->transfer = NULL;
	batch_judge(o, 0);
}

static void otlp_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	static const struct transfer_events told = { otlp_on_send, otlp_on_body, otlp_on_end };
	struct otlp *o = w->data;

	(void)ev, (void)events;
	if (o->transfer != NULL)
		return;
	if (o->batch_n == 0) {
		if (o->waiting == NULL)
			return;
		batch_begin(o);
	}
	o->answered = 0;
	loop_arm(o->config.loop, &o->deadline, OTLP_ANSWER_MS);
	o->transfer = transfer_post(
		o->curl,
		&(struct transfer_request){ .url = o->url, .headers = o->headers, .body = json_written(&o->body) },
		&told, o);
}

/* ---- in and out ------------------------------------------------------------------------------------ */

void otlp_add(struct otlp *o, const struct span *span)
{
	struct waiting_span *w;

	if (o->waiting_n >= OTLP_QUEUE_MAX) {
		++*metrics_counter(o->config.metrics, METRIC_SPANS_DROPPED, "reason=\"full\"");
		return;
	}
	w = talloc(o, struct waiting_span);
	w->span = *span;
	DL_APPEND(o->waiting, w);
	o->waiting_n++;
	if (o->batch_n == 0 && (!ev_is_active(&o->timer) || o->waiting_n == OTLP_BATCH_MAX))
		arm_next(o);
}

void otlp_flush(struct otlp *o)
{
	o->flushing = true;
	if (o->transfer == NULL)
		loop_arm(o->config.loop, &o->timer, 0);
}

bool otlp_is_idle(const struct otlp *o)
{
	return o == NULL || (o->waiting == NULL && o->batch_n == 0);
}

static void otlp_refresh(void *arg)
{
	struct otlp *o = arg;

	*metrics_gauge(o->config.metrics, METRIC_SPANS_WAITING, "") = (double)(o->waiting_n + o->batch_n);
}

/* ---- life -------------------------------------------------------------------------------------------- */

static bool read_endpoint(struct otlp *o, struct err *err)
{
	const char *p = o->config.endpoint;
	size_t len = strlen(p);

	if (strncmp(p, "http://", 7) != 0 && strncmp(p, "https://", 8) != 0)
		return err_field(err, RC_INVALID, "OTEL_EXPORTER_OTLP_ENDPOINT",
				 "OTEL_EXPORTER_OTLP_ENDPOINT: http://host:port or https:// was expected");
	while (len > 0 && p[len - 1] == '/')
		len--;
	o->url = talloc_asprintf(o, "%.*s/v1/traces", (int)len, p);
	return true;
}

static void header_add(struct otlp *o, const char *line)
{
	struct curl_slist *more = curl_slist_append(o->headers, line);

	if (more == NULL)
		abort();
	o->headers = more;
}

/* In place. False: a percent sign that codes nothing, or what could end a header. */
static bool percent_decode(char *text)
{
	char *to = text;

	for (const char *p = text; *p != '\0'; p++) {
		char pair[3] = { 0 };

		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]))
			return false;
		memcpy(pair, p + 1, 2);
		*to = (char)strtoul(pair, NULL, 16);
		if (*to++ == '\0')
			return false;
		p += 2;
	}
	*to = '\0';
	return text[strcspn(text, "\r\n")] == '\0';
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

/* As OpenTelemetry writes them: a list like W3C Baggage, values percent-encoded. */
static bool read_headers(struct otlp *o, struct err *err)
{
	char *rest = talloc_strdup(o, o->config.headers);

	header_add(o, "Content-Type: application/json");
	header_add(o, "Expect:");
	for (char *item; (item = strsep(&rest, ",")) != NULL;) {
		char *name = trim(item), *value = strchr(name, '=');

		if (*name == '\0')
			continue;
		if (value != NULL)
			*value++ = '\0';
		if (value == NULL || *(name = trim(name)) == '\0' || strpbrk(name, "\r\n: \t") != NULL ||
		    !percent_decode(value = trim(value)))
			return err_field(err, RC_INVALID, "OTEL_EXPORTER_OTLP_HEADERS",
					 "OTEL_EXPORTER_OTLP_HEADERS: name=value,name=value was expected, "
					 "values percent-encoded");
		header_add(o, talloc_asprintf(o, "%s: %s", name, value));
	}
	return true;
}

static bool read_settings(struct otlp *o, struct err *err)
{
	if (read_endpoint(o, err) && read_headers(o, err))
		return true;
	curl_slist_free_all(o->headers);
	return false;
}

bool otlp_check(const char *endpoint, const char *headers, struct err *err)
{
	struct otlp *o = talloc_zero(NULL, struct otlp);
	bool good;

	o->config = (struct otlp_config){ .endpoint = endpoint, .headers = headers };
	good = read_settings(o, err);
	if (good)
		curl_slist_free_all(o->headers);
	talloc_free(o);
	return good;
}

struct otlp *otlp_new(void *ctx, const struct otlp_config *config, struct err *err)
{
	struct otlp *o = talloc_zero(ctx, struct otlp);

	o->config = *config;
	o->instance = talloc_strdup(o, id_new().s);
	if (!read_settings(o, err)) {
		talloc_free(o);
		return NULL;
	}
	utstring_init(&o->body);
	o->curl = curl_loop_new(o, config->loop, 1);
	loop_timer(&o->timer, otlp_on_timer, o);
	loop_timer(&o->deadline, otlp_on_deadline, o);
	metrics_on_write(config->metrics, otlp_refresh, o);
	return o;
}

void otlp_free(struct otlp *o)
{
	if (o == NULL)
		return;
	if (o->transfer != NULL)
		transfer_abort(o->transfer);
	loop_disarm(o->config.loop, &o->timer);
	loop_disarm(o->config.loop, &o->deadline);
	curl_loop_free(o->curl);
	curl_slist_free_all(o->headers);
	utstring_done(&o->body);
	talloc_free(o);
}
