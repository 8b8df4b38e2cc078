/*
 * alp-probe: talks to the bus from a shell.
 *
 *   alp-probe messages                                    every message and its receiver
 *   alp-probe call HOST:PORT NAME '{"field": ...}'        sends a request, prints the answer
 *   alp-probe publish HOST:PORT NAME '{...}'              dials a SUB and publishes one event
 *   alp-probe listen HOST:PORT [COUNT]                    dials a PUB and prints what comes
 *   alp-probe batch HOST:PORT                             many requests over one link, see probe.h
 *
 * BUS_KEY comes from the environment; --user UUID and --guest UUID say who asks.
 * A blob field is written as its text: {"history": "..."}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "probe.h"

static struct {
	struct ev_loop *ev;
	struct bus *bus;
	void *ctx;
	cJSON *typed; /* the body as it was given; messages borrow from it */
	UT_string *blob;
	struct caller caller;
	int left; /* events still to print; negative: no end */
	int status;
} probe;

/*
 * The body is taken through the catalogue's own codecs: JSON as typed becomes
 * a struct, so that a wrong field is named here and not by the peer.
 */
void probe_blobs_behind(cJSON *node, UT_string *blob)
{
	for (cJSON *child = node->child; child != NULL; child = child->next) {
		if (cJSON_IsObject(child)) {
			probe_blobs_behind(child, blob);
			continue;
		}
		if (!cJSON_IsObject(node) || strncmp(child->string, "blob:", 5) != 0 || !cJSON_IsString(child))
			continue;
		cJSON *range = cJSON_CreateArray();
		char *name = strdup(child->string + 5);

		cJSON_AddItemToArray(range, cJSON_CreateNumber((double)utstring_len(blob)));
		cJSON_AddItemToArray(range, cJSON_CreateNumber((double)strlen(child->valuestring)));
		utstring_bincpy(blob, child->valuestring, strlen(child->valuestring));
		cJSON_ReplaceItemViaPointer(node, child, range);
		range->string = name;
		child = range;
	}
}

static const void *read_body(const char *name, const char *json, enum msg_id *id_out)
{
	static UT_string blob;
	struct err err = { 0 };
	cJSON *tree = json_parse(text_from(json), &err);
	const struct msg_info *info;
	struct dec d;
	void *body;

	*id_out = msg_by_name(name);
	if (*id_out == MSG_NONE) {
		fprintf(stderr, "alp-probe: no message is called %s\n", name);
		exit(2);
	}
	if (!cJSON_IsObject(tree)) {
		fprintf(stderr, "alp-probe: %s\n", err.message[0] != '\0' ? err.message : "a JSON object was expected");
		exit(2);
	}
	utstring_init(&blob);
	probe_blobs_behind(tree, &blob);
	info = msg_info(*id_out);
	d = (struct dec){ .object = tree, .blob = json_written(&blob) };
	body = talloc_zero_size(probe.ctx, info->req_size + 1);
	probe.typed = tree;
	probe.blob = &blob;
	info->dec_req(&d, body);
	if (d.bad != NULL) {
		fprintf(stderr, "alp-probe: %s: missing or malformed\n", d.bad);
		exit(2);
	}
	return body;
}

/* Prints a body the way it would be typed, its blobs as text behind it. */
static void print_body(enum msg_id id, bool is_answer, const void *body)
{
	const struct msg_info *info = msg_info(id);
	CLEANUP(string_done) UT_string json = { 0 };
	CLEANUP(string_done) UT_string blob = { 0 };
	struct enc e = { .json = &json, .blob = &blob };

	utstring_init(&json);
	utstring_init(&blob);
	json_open(&json, NULL, '{');
	(is_answer ? info->enc_ans : info->enc_req)(&e, body);
	json_close(&json, '}');
	printf("%s %s\n", info->name, utstring_body(&json));
	if (utstring_len(&blob) > 0)
		printf("%s\n", utstring_body(&blob));
	fflush(stdout);
}

static void on_answer(void *arg, const struct answer *answer)
{
	enum msg_id id = *(enum msg_id *)arg;

	if (answer->err.rc == RC_OK) {
		print_body(id, true, answer->body);
	} else {
		fprintf(stderr, "%s %s%s%s: %s\n", msg_info(id)->name, rc_name(answer->err.rc),
			answer->err.field[0] != '\0' ? " " : "", answer->err.field, answer->err.message);
		probe.status = 1;
	}
	ev_break(probe.ev, EVBREAK_ALL);
}

#define EVENT(ID, name, receiver, ...) \
	static void print_##name(void *service, const void *m, const struct envelope *env) \
	{ \
		(void)service, (void)env; \
		print_body(MSG_##ID, false, m); \
		if (probe.left > 0 && --probe.left == 0) \
			ev_break(probe.ev, EVBREAK_ALL); \
	}
#include "messages.def"

static const struct dispatch printers = {
#define EVENT(ID, name, receiver, ...) .event[MSG_##ID] = print_##name,
#include "messages.def"
};

static void give_up(const struct err *err)
{
	fprintf(stderr, "alp-probe: %s\n", err->message);
	exit(1);
}

static void leave_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)w, (void)events;
	ev_break(ev, EVBREAK_ALL);
}

static void run_call(const char *address, const char *name, const char *json)
{
	static enum msg_id id;
	struct err err = { 0 };
	const void *body = read_body(name, json, &id);
	struct peer *peer = bus_dial(probe.bus, "peer", address, &err);

	if (peer == NULL)
		give_up(&err);
	bus_request(peer, id, body, &(struct ask){ .caller = probe.caller }, on_answer, &id);
	ev_run(probe.ev, 0);
}

static void run_publish(const char *address, const char *name, const char *json)
{
	enum msg_id id;
	struct err err = { 0 };
	const void *body = read_body(name, json, &id);
	struct pub *pub = bus_publish_dial(probe.bus, "peer", address, &err);
	ev_timer timer;

	if (pub == NULL)
		give_up(&err);
	ev_timer_init(&timer, leave_on_timer, 0.3, 0.); /* publications sent before the link is up are lost */
	ev_timer_start(probe.ev, &timer);
	ev_run(probe.ev, 0);
	bus_publish(pub, id, body, NULL);
	ev_timer_init(&timer, leave_on_timer, 0.2, 0.);
	ev_timer_start(probe.ev, &timer);
	ev_run(probe.ev, 0);
}

static void run_listen(const char *address, const char *count)
{
	struct err err = { 0 };

	probe.left = count != NULL ? (int)strtol(count, NULL, 10) : -1;
	if (!bus_subscribe_dial(probe.bus, "peer", address, &printers, NULL, &err))
		give_up(&err);
	ev_run(probe.ev, 0);
}

static void list_messages(void)
{
	for (int i = MSG_NONE + 1; i < MSG_COUNT; i++) {
		const struct msg_info *info = msg_info((enum msg_id)i);

		printf("%-18s %-7s %s\n", info->name, info->is_event ? "event" : "call",
		       info->to == SERVICE_CHAT    ? "chat"
		       : info->to == SERVICE_STORE ? "store"
		       : info->to == SERVICE_AI    ? "ai"
						   : "gateway");
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: alp-probe [--user UUID | --guest UUID] messages\n"
			"       alp-probe ... call HOST:PORT NAME JSON\n"
			"       alp-probe ... publish HOST:PORT NAME JSON\n"
			"       alp-probe ... listen HOST:PORT [COUNT]\n"
			"       alp-probe batch HOST:PORT\n"
			"A blob field is given as \"blob:name\": \"text\". BUS_KEY is read from the environment.\n");
	return 2;
}

static void start(void)
{
	const char *key = getenv("BUS_KEY");

	if (sodium_init() < 0 || key == NULL) {
		fprintf(stderr, "alp-probe: BUS_KEY is not set\n");
		exit(2);
	}
	probe.ctx = talloc_new(NULL);
	probe.ev = ev_default_loop(EVFLAG_AUTO);
	probe.bus = bus_new(NULL, &(struct bus_config){ .ev = probe.ev,
							.key = text_from(key),
							.message_max = 8U << 20,
							.inflight_max = 64,
							.event_queue = 4096,
							.timeout_ms = 10000 });
	ev_ref(probe.ev); /* the bus does not keep the loop alive: we do */
}

static void stop(void)
{
	bus_free(probe.bus);
	ev_loop_destroy(probe.ev);
	json_drop(&probe.typed);
	if (probe.blob != NULL)
		utstring_done(probe.blob);
	talloc_free(probe.ctx);
}

int main(int argc, char **argv)
{
	int i = 1;

	probe.caller = caller_nobody;
	if (argc > 3 && (strcmp(argv[1], "--user") == 0 || strcmp(argv[1], "--guest") == 0)) {
		probe.caller.kind = argv[1][2] == 'u' ? CALLER_USER : CALLER_GUEST;
		if (!uuid_from_text(text_from(argv[2]), &probe.caller.user_id))
			return usage();
		i = 3;
	}
	if (argc == i + 1 && strcmp(argv[i], "messages") == 0) {
		list_messages();
		return 0;
	}
	if (argc < i + 2)
		return usage();
	start();
	if (argc == i + 4 && strcmp(argv[i], "call") == 0)
		run_call(argv[i + 1], argv[i + 2], argv[i + 3]);
	else if (argc == i + 4 && strcmp(argv[i], "publish") == 0)
		run_publish(argv[i + 1], argv[i + 2], argv[i + 3]);
	else if (argc == i + 2 && strcmp(argv[i], "batch") == 0)
		probe_batch(probe.ev, probe.bus, argv[i + 1]);
	else if (argc <= i + 3 && strcmp(argv[i], "listen") == 0)
		run_listen(argv[i + 1], argv[i + 2]);
	else
		return usage();
	stop();
	return probe.status;
}
