/*
 * alp-fake-chat: stands in for chat towards its workers, led by a test.
 *
 * It listens on BUS_WORK, BUS_DELTA and BUS_CONTROL (with BUS_KEY, from the
 * environment) and prints whatever a worker says as a line of JSON:
 *
 *   {"event":"work_done","body":{...},"blob":"..."}
 *
 * body is the message as in messages.def; a blob field is [from, length] in
 * the bytes of blob. It takes one command a line from standard input and
 * leaves when that ends:
 *
 *   {"do":"work","body":{...},"blob":"..."}	hands out work: the next answer to a pull
 *   {"do":"control","body":{...}}		publishes an AI_CONTROL
 *   {"do":"confirm","rc":"ok"}		how ends are answered from now on; "silent": not at all
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>
#include <utlist.h>

#include "bus.h"

#define LINE_MAX_BYTES (32UL << 20)

/* A pull that waits for work. */
struct held {
	struct call *call;
	struct text worker;
	struct held *next;
};

struct work {
	struct ans_work_pull ans;
	cJSON *body; /* what ans borrows from */
	struct work *next;
};

static struct {
	struct ev_loop *ev;
	struct bus *bus;
	struct pub *control;
	struct held *held;
	struct work *work;
	char confirm[32];
	ev_io in;
	UT_string line;
} fake;

static void print_message(enum msg_id id, const void *m)
{
	CLEANUP(string_done) UT_string out;
	CLEANUP(string_done) UT_string blob;
	struct enc e = { .json = &out, .blob = &blob };

	utstring_init(&out);
	utstring_init(&blob);
	json_open(&out, NULL, '{');
	json_str(&out, "event", msg_info(id)->name);
	json_open(&out, "body", '{');
	msg_info(id)->enc_req(&e, m);
	json_close(&out, '}');
	json_text(&out, "blob", json_written(&blob));
	json_close(&out, '}');
	puts(utstring_body(&out));
	fflush(stdout);
}

/* ---- what workers ask ------------------------------------------------------------- */

static void match(void)
{
	while (fake.held != NULL && fake.work != NULL) {
		struct held *held = fake.held;
		struct work *work = fake.work;

		LL_DELETE(fake.held, held);
		LL_DELETE(fake.work, work);
		call_answer(held->call, &work->ans);
		cJSON_Delete(work->body);
		talloc_free(work);
	}
}

static enum rc on_work_pull(void *service, const void *m, struct call *call)
{
	struct held *held = talloc_zero(call_ctx(call), struct held);

	(void)service;
	held->call = call;
	held->worker = ((const struct msg_work_pull *)m)->worker;
	LL_APPEND(fake.held, held);
	print_message(MSG_WORK_PULL, m);
	match();
	return RC_PENDING;
}

static void release_worker(struct text worker)
{
	struct held *held, *tmp;

	LL_FOREACH_SAFE (fake.held, held, tmp)
		if (text_equal(held->worker, worker)) {
			LL_DELETE(fake.held, held);
			call_answer(held->call, &(struct ans_work_pull){ .found = false });
		}
}

static enum rc on_work_beat(void *service, const void *m, struct call *call)
{
	const struct msg_work_beat *beat = m;

	(void)service;
	print_message(MSG_WORK_BEAT, m);
	if (beat->leaving)
		release_worker(beat->worker);
	call_answer(call, &(struct ans_work_beat){});
	return RC_OK;
}

static enum rc on_work_text(void *service, const void *m, struct call *call)
{
	(void)service;
	print_message(MSG_WORK_TEXT, m);
	call_answer(call, &(struct ans_work_text){});
	return RC_OK;
}

static enum rc on_work_done(void *service, const void *m, struct call *call)
{
	(void)service;
	print_message(MSG_WORK_DONE, m);
	if (strcmp(fake.confirm, "silent") == 0)
		return RC_PENDING;
	if (strcmp(fake.confirm, "ok") != 0)
		return rc_from_name(fake.confirm);
	call_answer(call, &(struct ans_work_done){});
	return RC_OK;
}

static void on_ai_delta(void *service, const void *m, const struct envelope *env)
{
	(void)service, (void)env;
	print_message(MSG_AI_DELTA, m);
}

static void on_gone(void *service, struct call *call)
{
	struct held *held;

	(void)service;
	LL_FOREACH (fake.held, held)
		if (held->call == call)
			break;
	if (held == NULL)
		return;
	LL_DELETE(fake.held, held);
	call_fail(call, RC_UNAVAILABLE, NULL, "gone");
}

static const struct dispatch dispatch = {
	.call = { [MSG_WORK_PULL] = on_work_pull,
		  [MSG_WORK_BEAT] = on_work_beat,
		  [MSG_WORK_TEXT] = on_work_text,
		  [MSG_WORK_DONE] = on_work_done },
	.event = { [MSG_AI_DELTA] = on_ai_delta },
	.gone = on_gone,
};

/* ---- what the test wants -------------------------------------------------------------- */

static void give_up(const char *why)
{
	fprintf(stderr, "alp-fake-chat: %s\n", why);
	exit(1);
}

static void add_work(const cJSON *body, struct text blob)
{
	struct work *work = talloc_zero(NULL, struct work);
	struct dec d = { .blob = text_copy(work, blob) };

	d.object = work->body = cJSON_Duplicate(body, true); /* it may wait for a pull */
	msg_info(MSG_WORK_PULL)->dec_ans(&d, &work->ans);
	if (d.bad != NULL)
		give_up(d.bad);
	LL_APPEND(fake.work, work);
	match();
}

static void publish_control(const cJSON *body)
{
	struct msg_ai_control m = { 0 };
	struct dec d = { .object = body };

	msg_info(MSG_AI_CONTROL)->dec_req(&d, &m);
	if (d.bad != NULL)
		give_up(d.bad);
	bus_publish(fake.control, MSG_AI_CONTROL, &m, NULL);
}

static void obey(struct text line)
{
	struct err err = { 0 };
	CLEANUP(json_drop) cJSON *tree = json_parse(line, &err);
	struct text what = json_get_text(tree, "do"), rc = json_get_text(tree, "rc");

	if (text_is(what, "work"))
		add_work(json_get(tree, "body"), json_get_text(tree, "blob"));
	else if (text_is(what, "control"))
		publish_control(json_get(tree, "body"));
	else if (text_is(what, "confirm"))
		snprintf(fake.confirm, sizeof(fake.confirm), TEXT_FMT, TEXT_ARG(rc));
	else
		give_up(err.rc != RC_OK ? err.message : "unknown command");
}

static void on_input(struct ev_loop *ev, ev_io *w, int events)
{
	char buf[65536];
	ssize_t n = read(w->fd, buf, sizeof(buf));
	char *end;

	(void)ev, (void)events;
	if (n <= 0 || utstring_len(&fake.line) > LINE_MAX_BYTES)
		exit(n == 0 ? 0 : 1);
	utstring_bincpy(&fake.line, buf, (size_t)n);
	while ((end = memchr(utstring_body(&fake.line), '\n', utstring_len(&fake.line))) != NULL) {
		size_t len = (size_t)(end - utstring_body(&fake.line)) + 1;

		obey(text_of(utstring_body(&fake.line), len - 1));
		memmove(fake.line.d, fake.line.d + len, fake.line.i - len + 1);
		fake.line.i -= len;
	}
}

static void start(const char *key)
{
	struct err err = { 0 };

	fake.ev = ev_default_loop(EVFLAG_AUTO);
	fake.bus = bus_new(NULL, &(struct bus_config){ .ev = fake.ev,
						       .key = text_from(key),
						       .message_max = 8UL << 20,
						       .inflight_max = 512,
						       .event_queue = 4096,
						       .timeout_ms = 8000 });
	fake.control = bus_publish_listen(fake.bus, "control", getenv("BUS_CONTROL"), &err);
	if (fake.control == NULL || !bus_serve(fake.bus, "work", getenv("BUS_WORK"), &dispatch, NULL, &err) ||
	    !bus_subscribe_listen(fake.bus, "delta", getenv("BUS_DELTA"), &dispatch, NULL, &err))
		give_up(err.message);
	utstring_init(&fake.line);
	snprintf(fake.confirm, sizeof(fake.confirm), "ok");
	ev_io_init(&fake.in, on_input, STDIN_FILENO, EV_READ);
	ev_io_start(fake.ev, &fake.in);
}

int main(void)
{
	const char *key = getenv("BUS_KEY");

	if (sodium_init() < 0 || key == NULL || getenv("BUS_WORK") == NULL || getenv("BUS_DELTA") == NULL ||
	    getenv("BUS_CONTROL") == NULL)
		give_up("BUS_KEY, BUS_WORK, BUS_DELTA and BUS_CONTROL are needed");
	start(key);
	puts("{\"event\":\"ready\"}");
	fflush(stdout);
	ev_run(fake.ev, 0);
	return 0;
}
