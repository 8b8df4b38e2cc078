#include "ws_conn.h"

#include <stdlib.h>

#include <utlist.h>

#include "clock.h"
#include "fault.h"
#include "revocations.h"
#include "ws_frames.h"

#define PING_US 19000000 /* a ping at every second tick of 10 s: at least every 25 s */
#define SILENCE_US 34000000 /* seen at a tick: gone after 45 s at the latest */
#define CLOSING_US 5000000 /* a peer that does not answer the close frame */
#define WRITES_AT_ONCE 8 /* then the others have their turn */
#define MESSAGES_BURST 200.0
#define MESSAGES_PER_S 50.0

struct ws_item {
	struct ws_frame *frame;
	struct ws_item *prev, *next;
};

/* ---- frames and queues ------------------------------------------------------------------ */

struct ws_frame *ws_frame_new(struct text json)
{
	struct ws_frame *frame = malloc(sizeof(*frame) + LWS_PRE + json.len);

	if (frame == NULL)
		abort();
	frame->refs = 1;
	frame->piece_of.s[0] = '\0';
	frame->end_of.s[0] = '\0';
	frame->len = json.len;
	memcpy(frame->bytes + LWS_PRE, json.p, json.len);
	return frame;
}

void ws_frame_unref(struct ws_frame *frame)
{
	if (--frame->refs == 0)
		free(frame);
}

static void queue_add(struct ws_queue *queue, struct ws_frame *frame)
{
	struct ws_item *item = malloc(sizeof(*item));

	if (item == NULL)
		abort();
	item->frame = frame;
	frame->refs++;
	queue->bytes += frame->len;
	DL_APPEND(queue->items, item);
}

/* Its frame's reference becomes the caller's. */
static struct ws_frame *queue_take_item(struct ws_queue *queue, struct ws_item *item)
{
	struct ws_frame *frame = item->frame;

	queue->bytes -= frame->len;
	DL_DELETE(queue->items, item);
	free(item);
	return frame;
}

/* The oldest. */
static struct ws_frame *queue_take(struct ws_queue *queue)
{
	return queue_take_item(queue, queue->items);
}

static void queue_clear(struct ws_queue *queue)
{
	while (queue->items != NULL)
		ws_frame_unref(queue_take(queue));
}

/* The oldest one does not count: a long history must pass through a short queue. */
static bool queue_is_full(const struct ws_conn *ws, const struct ws_queue *queue, const struct ws_frame *frame)
{
	size_t waiting = queue->items != NULL ? queue->bytes - queue->items->frame->len : 0;

	return queue->items != NULL && waiting + frame->len > (size_t)ws->gw->config->ws_queue_max;
}

static void push(struct ws_conn *ws, struct ws_queue *queue, struct ws_frame *frame)
{
	if (ws->close_code != 0)
		return;
	if (queue_is_full(ws, queue, frame)) {
		queue_clear(&ws->out);
		queue_clear(&ws->held);
		ws_close(ws, WS_CLOSE_OVERLOAD);
		return;
	}
	queue_add(queue, frame);
	if (queue != &ws->out)
		return;
	lws_callback_on_writable(ws->conn->wsi);
	sockets_write_soon(ws->gw->sockets, ws);
}

void ws_push(struct ws_conn *ws, struct ws_frame *frame)
{
	push(ws, &ws->out, frame);
}

void ws_push_event(struct ws_conn *ws, struct ws_frame *frame)
{
	push(ws, ws->holds > 0 ? &ws->held : &ws->out, frame);
}

void ws_push_json(struct ws_conn *ws, const UT_string *json)
{
	struct ws_frame *frame = ws_frame_new(json_written(json));

	ws_push(ws, frame);
	ws_frame_unref(frame);
}

void ws_drop_held(struct ws_conn *ws, turn_test *is_told, const void *arg)
{
	struct ws_item *item, *next;

	DL_FOREACH_SAFE (ws->held.items, item, next)
		if (item->frame->piece_of.s[0] != '\0' && is_told(arg, &item->frame->piece_of))
			ws_frame_unref(queue_take_item(&ws->held, item));
}

void ws_drop_pieces(struct ws_conn *ws, turn_test *is_told, const void *arg)
{
	ws_drop_held(ws, is_told, arg);
	for (int i = 0; i < ws->cursors.n; i++)
		if (is_told(arg, &ws->cursors.items[i].turn_id))
			cursor_close(&ws->cursors.items[i]);
}

void ws_hold(struct ws_conn *ws)
{
	ws->holds++;
}

bool ws_holds_end(const struct ws_conn *ws, const struct uuid_text *turn_id)
{
	const struct ws_item *item;

	DL_FOREACH (ws->held.items, item)
		if (strcmp(item->frame->end_of.s, turn_id->s) == 0)
			return true;
	return false;
}

void ws_release(struct ws_conn *ws)
{
	if (--ws->holds > 0)
		return;
	while (ws->held.items != NULL) {
		struct ws_frame *frame = queue_take(&ws->held);

		ws_push(ws, frame);
		ws_frame_unref(frame);
	}
}

bool ws_has_posted(const struct ws_conn *ws, const struct uuid_text *client_message_id)
{
	for (unsigned i = 0; i < POSTED_MAX; i++)
		if (ws->posted[i].s[0] != '\0' && strcmp(ws->posted[i].s, client_message_id->s) == 0)
			return true;
	return false;
}

void ws_close(struct ws_conn *ws, enum ws_close code)
{
	char name[8];

	if (ws->close_code != 0)
		return;
	ws->close_code = code;
	ws->closing_us = clock_us();
	snprintf(name, sizeof(name), "%d", code);
	metrics_count(ws->gw->daemon->metrics, METRIC_WS_CLOSES, name);
	lws_callback_on_writable(ws->conn->wsi);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct ws_conn *ws_new(struct conn *conn, const struct caller *caller, const struct token *token, struct text path_id,
		       bool is_switch)
{
	struct ws_conn *ws = talloc_zero(NULL, struct ws_conn);

	ws->conn = conn;
	ws->gw = conn->gw;
	ws->caller = *caller;
	ws->token = *token;
	ws->path_id = text_copy(ws, path_id);
	ws->is_switch = is_switch;
	utstring_init(&ws->in);
	conn->ws = ws;
	return ws;
}

int ws_on_open(struct conn *conn)
{
	struct ws_conn *ws = conn->ws;

	ws->opened_us = ws->heard_us = ws->pinged_us = ws->bucket.at_us = clock_us();
	ws->bucket.left = MESSAGES_BURST;
	sockets_add(ws->gw->sockets, ws);
	log_child(&ws->log, &ws->gw->log, "ws=%llu", (unsigned long long)ws->id);
	conn_enter(conn, CONN_SOCKET);
	log_debug(&ws->log, "ws.open", "caller=%s switch=%d alive=%zu", caller_kind_name(ws->caller.kind),
		  ws->is_switch, sockets_count(ws->gw->sockets));
	return 0;
}

void ws_on_closed(struct conn *conn)
{
	struct ws_conn *ws = conn->ws;

	if (ws == NULL)
		return;
	conn->ws = NULL;
	if (ws->id != 0) {
		sockets_remove(ws->gw->sockets, ws);
		log_debug(&ws->log, "ws.close", "code=%u age_s=%lld alive=%zu", ws->close_code,
			  (long long)(clock_us() - ws->opened_us) / 1000000, sockets_count(ws->gw->sockets));
	}
	queue_clear(&ws->out);
	queue_clear(&ws->held);
	utstring_done(&ws->in);
	talloc_free(ws);
}

/* ---- in ----------------------------------------------------------------------------------------- */

static bool may_send(struct ws_bucket *bucket)
{
	int64_t now = clock_us();

	bucket->left += (double)(now - bucket->at_us) * MESSAGES_PER_S / 1e6;
	if (bucket->left > MESSAGES_BURST)
		bucket->left = MESSAGES_BURST;
	bucket->at_us = now;
	if (bucket->left < 1)
		return false;
	bucket->left -= 1;
	return true;
}

static void take_whole(struct ws_conn *ws, struct text message)
{
	if (ws->in_binary) {
		ws_error(ws, "bad_frame", WORD_BINARY_FRAME, NULL);
		ws_close(ws, WS_CLOSE_BINARY);
	} else if (!may_send(&ws->bucket)) {
		ws_close(ws, WS_CLOSE_FLOOD);
	} else {
		ws_take(ws, message);
	}
}

int ws_on_receive(struct conn *conn, struct text piece)
{
	struct ws_conn *ws = conn->ws;
	size_t rest = lws_remaining_packet_payload(conn->wsi);

	ws->heard_us = clock_us();
	if (ws->close_code != 0)
		return 0;
	if (lws_is_first_fragment(conn->wsi)) {
		utstring_clear(&ws->in);
		ws->in_binary = lws_frame_is_binary(conn->wsi);
	}
	/* lws itself sets no bound to a message */
	if (utstring_len(&ws->in) + piece.len + rest > (size_t)ws->gw->config->ws_frame_max) {
		ws_close(ws, WS_CLOSE_TOO_BIG);
		return 0;
	}
	if (rest == 0 && lws_is_final_fragment(conn->wsi) && utstring_len(&ws->in) == 0) {
		take_whole(ws, piece); /* the usual case: nothing to assemble */
		return 0;
	}
	if (piece.len > 0)
		utstring_bincpy(&ws->in, piece.p, piece.len);
	if (rest > 0 || !lws_is_final_fragment(conn->wsi))
		return 0;
	take_whole(ws, json_written(&ws->in));
	utstring_done(&ws->in); /* an idle socket keeps no buffer */
	utstring_init(&ws->in);
	return 0;
}

void ws_on_pong(struct conn *conn)
{
	conn->ws->heard_us = clock_us();
}

/* ---- out ------------------------------------------------------------------------------------------ */

/* Not an empty one: lws does not tell of a pong without content. */
static int write_ping(struct ws_conn *ws)
{
	static const char content[] = "alp";
	unsigned char bytes[LWS_PRE + sizeof(content)];

	ws->ping_due = false;
	ws->pinged_us = clock_us();
	memcpy(bytes + LWS_PRE, content, sizeof(content) - 1);
	return lws_write(ws->conn->wsi, bytes + LWS_PRE, sizeof(content) - 1, LWS_WRITE_PING) < 0 ? -1 : 0;
}

static int write_next(struct ws_conn *ws)
{
	struct ws_frame *frame = queue_take(&ws->out);
	int written;

	FAULT_POINT(gateway_before_write);
	written = lws_write(ws->conn->wsi, frame->bytes + LWS_PRE, frame->len, LWS_WRITE_TEXT);
	FAULT_POINT(gateway_after_write);
	ws_frame_unref(frame); /* what the kernel did not take, lws has copied */
	return written < 0 ? -1 : 0;
}

/* One write per call; then we ask to be called again. */
int ws_on_writable(struct conn *conn)
{
	struct ws_conn *ws = conn->ws;
	int rv = 0;

	if (ws->close_said) /* to ask again would cut the closing handshake short */
		return 0;
	if (ws->ping_due)
		rv = write_ping(ws);
	else if (ws->out.items != NULL)
		rv = write_next(ws);
	if (rv == 0 && ws->close_code != 0 && ws->out.items == NULL) {
		ws->close_said = true;
		lws_close_reason(conn->wsi, (enum lws_close_status)ws->close_code, NULL, 0);
		return -1;
	}
	if (ws->out.items != NULL || ws->ping_due)
		lws_callback_on_writable(conn->wsi);
	return rv;
}

/* As if the kernel had said that the socket is writable. What it does not take waits in lws. */
void ws_write_now(struct ws_conn *ws)
{
	struct sockets *sockets = ws->gw->sockets;
	struct lws *wsi = ws->conn->wsi;
	struct lws_context *lws = lws_get_context(wsi);
	uint64_t id = ws->id;
	struct lws_pollfd fd;

	for (int i = 0; i < WRITES_AT_ONCE && ws != NULL && ws->out.items != NULL && !ws->close_said; i++) {
		fd = (struct lws_pollfd){ lws_get_socket_fd(wsi), LWS_POLLIN | LWS_POLLOUT, LWS_POLLOUT };
		if (lws_service_fd(lws, &fd) < 0)
			return; /* the context ends */
		ws = sockets_find(sockets, id);
	}
}

/* Every 10 s. Outside of lws: the connection may be ended here. */
void ws_on_tick(struct ws_conn *ws)
{
	int64_t now = clock_us();

	if (now - ws->heard_us > SILENCE_US || (ws->close_code != 0 && now - ws->closing_us > CLOSING_US)) {
		conn_kill(ws->conn);
		return;
	}
	if ((ws->token.expires_s > 0 && clock_wall_us() / 1000000 >= ws->token.expires_s) ||
	    !revocations_allow(ws->gw->revocations, &ws->token))
		ws_close(ws, WS_CLOSE_SIGNED_OUT);
	if (now - ws->pinged_us >= PING_US && ws->close_code == 0) {
		ws->ping_due = true;
		lws_callback_on_writable(ws->conn->wsi);
	}
}
