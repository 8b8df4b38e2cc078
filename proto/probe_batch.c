#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	struct ev_loop *ev;
	struct peer *peer;
	ev_io input;
	UT_string line;
	int open; /* questions not answered yet */
	bool ended;
} batch;

struct question {
	int64_t id;
	enum msg_id msg;
};

static void leave_if_done(void)
{
	if (batch.ended && batch.open == 0)
		ev_break(batch.ev, EVBREAK_ALL);
}

/* The members of an answer's line that tell what came back. */
static void put_body(UT_string *json, enum msg_id msg, const void *body)
{
	CLEANUP(string_done) UT_string blob = { 0 };
	struct enc e = { .json = json, .blob = &blob };

	utstring_init(&blob);
	json_open(json, "body", '{');
	msg_info(msg)->enc_ans(&e, body);
	json_close(json, '}');
	json_text(json, "blob", json_written(&blob));
}

static void print_answer(const struct question *q, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json = { 0 };

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_i64(&json, "id", q->id);
	json_str(&json, "rc", rc_name(answer->err.rc));
	if (answer->err.rc != RC_OK) {
		json_str(&json, "field", answer->err.field);
		json_str(&json, "message", answer->err.message);
	} else {
		put_body(&json, q->msg, answer->body);
	}
	json_close(&json, '}');
	puts(utstring_body(&json));
	fflush(stdout);
}

static void on_answer(void *arg, const struct answer *answer)
{
	struct question *q = arg;

	print_answer(q, answer);
	free(q);
	batch.open--;
	leave_if_done();
}

static void refuse_line(const char *why)
{
	fprintf(stderr, "alp-probe: %s in: %.200s\n", why, utstring_body(&batch.line));
	exit(2);
}

static struct caller read_caller(const cJSON *question)
{
	struct caller caller = caller_nobody;
	struct text kind = json_get_text(question, "kind");

	if (kind.len == 0)
		return caller;
	caller.kind = caller_kind_from(kind);
	if (!uuid_from_text(json_get_text(question, "caller"), &caller.user_id))
		refuse_line("caller is not a UUID");
	return caller;
}

static void ask(const struct question *q, const struct caller *caller, cJSON *body)
{
	CLEANUP(string_done) UT_string blob = { 0 };
	const struct msg_info *info = msg_info(q->msg);
	void *request = talloc_zero_size(NULL, info->req_size + 1);
	struct dec d = { .object = body };

	utstring_init(&blob);
	probe_blobs_behind(body, &blob);
	d.blob = json_written(&blob);
	info->dec_req(&d, request);
	if (d.bad != NULL)
		refuse_line(d.bad);
	batch.open++;
	bus_request(batch.peer, q->msg, request, &(struct ask){ .caller = *caller }, on_answer, (void *)q);
	talloc_free(request);
}

static void take_line(void)
{
	struct err err = { 0 };
	CLEANUP(json_drop) cJSON *tree = json_parse(json_written(&batch.line), &err);
	cJSON *body = cJSON_GetObjectItemCaseSensitive(tree, "body");
	struct question *q = calloc(1, sizeof(*q));
	struct caller caller;

	if (tree == NULL || !cJSON_IsObject(body))
		refuse_line(tree == NULL ? err.message : "there is no body");
	q->msg = msg_by_name(json_get_text(tree, "message").len > 0 ? json_get_text(tree, "message").p : "");
	if (q->msg == MSG_NONE || msg_info(q->msg)->is_event || !json_get_i64(tree, "id", &q->id))
		refuse_line("no such request, or no id");
	caller = read_caller(tree);
	ask(q, &caller, body);
}

static void on_input(struct ev_loop *ev, ev_io *w, int events)
{
	char buf[65536];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	for (ssize_t i = 0, from = 0; i < n; i++) {
		if (buf[i] != '\n' && i + 1 < n)
			continue;
		utstring_bincpy(&batch.line, buf + from, (size_t)(i - from + (buf[i] != '\n')));
		from = i + 1;
		if (buf[i] == '\n') {
			take_line();
			utstring_clear(&batch.line);
		}
	}
	if (n <= 0) {
		ev_io_stop(ev, w);
		batch.ended = true;
		leave_if_done();
	}
}

void probe_batch(struct ev_loop *ev, struct bus *bus, const char *address)
{
	struct err err = { 0 };

	batch.ev = ev;
	batch.peer = bus_dial(bus, "peer", address, &err);
	if (batch.peer == NULL) {
		fprintf(stderr, "alp-probe: %s\n", err.message);
		exit(1);
	}
	utstring_init(&batch.line);
	fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
	ev_io_init(&batch.input, on_input, STDIN_FILENO, EV_READ);
	ev_io_start(ev, &batch.input);
	ev_run(ev, 0);
	utstring_done(&batch.line);
}
