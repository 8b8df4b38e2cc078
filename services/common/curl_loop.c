#include "curl_loop.h"

#include <sys/socket.h>

#include <utlist.h>

#include "address.h"
#include "kept.h"

#define HEADERS_MAX 65536 /* bytes of headers and trailers of one answer */
#define SPARE_MAX 64 /* idle transfers kept for reuse */

struct curl_loop {
	struct loop *loop;
	CURLM *multi;
	ev_timer timer;
	struct transfer *spare;
	int spare_n;
	struct kept kept;
};

struct transfer {
	struct curl_loop *owner;
	CURL *easy;
	const struct transfer_events *events;
	void *arg;
	size_t headers;
	bool guarded, refused;
	bool stale; /* the kept connection it got cannot be used */
	struct transfer *next;
};

/* One socket of libcurl's. */
struct watch {
	ev_io io;
	struct curl_loop *owner;
};

/* ---- sockets and the timer ------------------------------------------------------------ */

static void recycle(struct transfer *t);
static bool begin_again(struct transfer *t);

static void collect(struct curl_loop *c)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(c->multi, &left)) != NULL) {
		CURLcode code = msg->data.result;
		struct transfer *t = NULL;

		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		kept_remember(&c->kept, t->easy);
		curl_multi_remove_handle(c->multi, t->easy); /* msg is dead from here on */
		if (t->stale && begin_again(t))
			continue;
		t->events->end(t->arg, code);
		recycle(t);
	}
}

static void act(struct curl_loop *c, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(c->multi, fd, what, &running);
	collect(c);
}

static void watch_on_io(struct ev_loop *ev, ev_io *w, int events)
{
	struct watch *watch = w->data;

	(void)ev;
	act(watch->owner, w->fd, (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void curl_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)ev, (void)events;
	act(w->data, CURL_SOCKET_TIMEOUT, 0);
}

static int timer_wish(CURLM *multi, long ms, void *arg)
{
	struct curl_loop *c = arg;

	(void)multi;
	if (ms < 0)
		loop_disarm(c->loop, &c->timer);
	else
		loop_arm(c->loop, &c->timer, ms);
	return 0;
}

static int socket_wish(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct curl_loop *c = arg;
	struct watch *watch = known;

	(void)easy;
	if (watch == NULL) {
		watch = talloc_zero(c, struct watch);
		watch->owner = c;
		ev_init(&watch->io, watch_on_io);
		watch->io.data = watch;
		curl_multi_assign(c->multi, fd, watch);
	}
	ev_io_stop(c->loop->ev, &watch->io);
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(c->multi, fd, NULL);
		talloc_free(watch);
		return 0;
	}
	ev_io_set(&watch->io, fd, (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	ev_io_start(c->loop->ev, &watch->io);
	return 0;
}

struct curl_loop *curl_loop_new(void *ctx, struct loop *loop, long max)
{
	struct curl_loop *c = talloc_zero(ctx, struct curl_loop);

	c->loop = loop;
	loop_timer(&c->timer, curl_on_timer, c);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (c->multi = curl_multi_init()) == NULL)
		abort();
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, socket_wish);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, timer_wish);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, max);
	return c;
}

void curl_loop_free(struct curl_loop *c)
{
	struct transfer *t, *tmp;

	LL_FOREACH_SAFE (c->spare, t, tmp)
		curl_easy_cleanup(t->easy);
	curl_multi_cleanup(c->multi);
	loop_disarm(c->loop, &c->timer);
	talloc_free(c);
	curl_global_cleanup();
}

/* ---- transfers ---------------------------------------------------------------------------- */

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	return t->events->body(t->arg, text_of(p, size * n)) ? size * n : CURL_WRITEFUNC_ERROR;
}

/* libcurl keeps headers for us; here they are only bounded. */
static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)p;
	t->headers += size * n;
	return t->headers <= HEADERS_MAX ? size * n : 0;
}

/* Each address that a name turned out to be comes by here before anything is sent to it. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = arg;

	(void)purpose;
	if (t->guarded && !address_is_public(&a->addr)) {
		t->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int on_request(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
	struct transfer *t = arg;

	(void)own_ip, (void)peer_port;
	/* A kept connection was opened by somebody else, perhaps the operator: its address counts again. */
	if (t->guarded && !address_text_is_public(peer_ip, NULL)) {
		t->refused = true;
		return CURL_PREREQFUNC_ABORT;
	}
	t->stale = kept_is_stale(&t->owner->kept, t->easy, own_port);
	if (t->stale)
		return CURL_PREREQFUNC_ABORT;
	return t->events->send(t->arg) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* What is the same for every request. Redirects, proxies of the environment and other protocols are never used. */
static void transfer_setup(struct transfer *t)
{
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* else its end waits for a silent name server */
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, 0L + INT32_MAX); /* the owner's timers decide */
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
}

static struct transfer *transfer_take(struct curl_loop *c)
{
	struct transfer *t = c->spare;

	if (t != NULL) {
		LL_DELETE(c->spare, t);
		c->spare_n--;
		return t;
	}
	t = talloc_zero(c, struct transfer);
	t->owner = c;
	t->easy = curl_easy_init();
	if (t->easy == NULL)
		abort();
	transfer_setup(t);
	return t;
}

/* An easy handle keeps its options, so that only what differs is set again. */
static void recycle(struct transfer *t)
{
	struct curl_loop *c = t->owner;

	t->arg = NULL;
	if (c->spare_n < SPARE_MAX) {
		LL_PREPEND(c->spare, t);
		c->spare_n++;
		return;
	}
	curl_easy_cleanup(t->easy);
	talloc_free(t);
}

/* Nothing was sent yet: once more, on a new connection. */
static bool begin_again(struct transfer *t)
{
	t->stale = false;
	curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
	return curl_multi_add_handle(t->owner->multi, t->easy) == CURLM_OK;
}

struct transfer *transfer_post(struct curl_loop *c, const struct transfer_request *request,
			       const struct transfer_events *events, void *arg)
{
	struct transfer *t = transfer_take(c);

	t->events = events;
	t->arg = arg;
	t->headers = 0;
	t->stale = false;
	t->guarded = request->guarded;
	t->refused = false;
	curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 0L);
	curl_easy_setopt(t->easy, CURLOPT_URL, request->url);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, request->headers);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, request->body.p);
	if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK)
		abort();
	return t;
}

void transfer_abort(struct transfer *t)
{
	curl_multi_remove_handle(t->owner->multi, t->easy);
	recycle(t);
}

bool transfer_was_refused(const struct transfer *t)
{
	return t->refused;
}

long transfer_status(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

const char *transfer_type(const struct transfer *t)
{
	char *type = NULL;

	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	return type;
}

const char *transfer_header(const struct transfer *t, const char *name)
{
	struct curl_header *header = NULL;

	return curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}
