#include "bus_peer.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define CLOSE_LIMIT_S 2
#define SENDING_US 20000
#define RECEIVE_SLACK (128 << 10) /* over message_max: headers, and a batch that was filled up with one more frame */

static int64_t clock_read_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t bus_now_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

int64_t bus_raw_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC_RAW);
}

nng_msg *bus_message(const UT_string *bytes)
{
	nng_msg *msg = NULL;

	if (nng_msg_alloc(&msg, 0) != 0 || nng_msg_append(msg, bytes->d, bytes->i) != 0)
		abort();
	return msg;
}

/* ---- the mailbox ------------------------------------------------------------ */

void bus_mail(struct bus *bus, struct mail *mail)
{
	mail->next = NULL;
	pthread_mutex_lock(&bus->lock);
	*bus->mail_tail = mail;
	bus->mail_tail = &mail->next;
	pthread_mutex_unlock(&bus->lock);
	if (!atomic_exchange(&bus->pending, true))
		ev_async_send(bus->config.ev, &bus->wake);
}

static struct mail *mail_take_all(struct bus *bus)
{
	struct mail *all;

	pthread_mutex_lock(&bus->lock);
	all = bus->mail_head;
	bus->mail_head = NULL;
	bus->mail_tail = &bus->mail_head;
	pthread_mutex_unlock(&bus->lock);
	return all;
}

static void bus_on_wake(struct ev_loop *ev, ev_async *w, int events)
{
	struct bus *bus = w->data;
	struct mail *mail, *next;

	(void)ev, (void)events;
	atomic_store(&bus->pending, false); /* before taking: what comes now wakes us again */
	for (mail = mail_take_all(bus); mail != NULL; mail = next) {
		next = mail->next;
		mail->deliver(mail);
	}
}

/* ---- sockets ------------------------------------------------------------------ */

struct gone_mail {
	struct mail mail;
	struct sock *sock;
	uint32_t pipe;
};

static void gone_drop(struct mail *mail)
{
	free(BUS_OWNER(mail, struct gone_mail, mail));
}

static void gone_deliver(struct mail *mail)
{
	struct gone_mail *gone = BUS_OWNER(mail, struct gone_mail, mail);

	if (gone->sock->on_gone != NULL)
		gone->sock->on_gone(gone->sock, gone->pipe);
	free(gone);
}

static void link_deliver(struct mail *mail)
{
	struct sock *sock = BUS_OWNER(mail, struct sock, link_mail);
	struct bus_watch *watch = &sock->bus->config.watch;
	bool up;

	atomic_store(&sock->link_mailed, false);
	up = atomic_load(&sock->pipes) > 0;
	if (up != sock->was_up) {
		sock->was_up = up;
		if (up)
			sock->bus->stats.reconnects++;
		if (watch->link != NULL)
			watch->link(watch->arg, sock->name, up);
	}
	if (sock->on_link != NULL)
		sock->on_link(sock);
	canary_link(sock);
}

/* On an nng thread. */
static void sock_on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct sock *sock = arg;

	unsigned int id = (unsigned int)nng_pipe_id(pipe);

	if (event == NNG_PIPE_EV_ADD_POST)
		atomic_store(&sock->pipe, id);
	else
		atomic_compare_exchange_strong(&sock->pipe, &id, 0);
	atomic_fetch_add(&sock->pipes, event == NNG_PIPE_EV_ADD_POST ? 1 : -1);
	if (event == NNG_PIPE_EV_REM_POST && sock->on_gone != NULL) {
		struct gone_mail *gone = malloc(sizeof(*gone));

		if (gone == NULL)
			abort();
		*gone = (struct gone_mail){ { gone_deliver, NULL, gone_drop }, sock, (uint32_t)nng_pipe_id(pipe) };
		bus_mail(sock->bus, &gone->mail);
	}
	if (!atomic_exchange(&sock->link_mailed, true))
		bus_mail(sock->bus, &sock->link_mail);
}

struct sock *sock_add(struct bus *bus, const char *name, nng_socket nng, bool dials, void *owner)
{
	struct sock *sock = talloc_zero(bus, struct sock);

	sock->bus = bus;
	sock->name = talloc_strdup(sock, name);
	sock->nng = nng;
	sock->dials = dials;
	sock->owner = owner;
	sock->canary.fd = -1;
	sock->link_mail.deliver = link_deliver;
	nng_socket_set_size(nng, NNG_OPT_RECVMAXSZ, bus->config.message_max + RECEIVE_SLACK);
	nng_socket_set_ms(nng, NNG_OPT_RECONNMINT, 20);
	nng_socket_set_ms(nng, NNG_OPT_RECONNMAXT, 300);
	nng_pipe_notify(nng, NNG_PIPE_EV_ADD_POST, sock_on_pipe, sock);
	nng_pipe_notify(nng, NNG_PIPE_EV_REM_POST, sock_on_pipe, sock);
	LL_APPEND(bus->socks, sock);
	return sock;
}

char *bus_address_next(void *ctx, const char **addresses)
{
	const char *p = *addresses + strspn(*addresses, ", \t");
	size_t len = strcspn(p, ", \t");

	*addresses = p + len;
	return len > 0 ? talloc_strndup(ctx, p, len) : NULL;
}

int bus_addresses_count(const char *addresses)
{
	void *ctx = talloc_new(NULL);
	int n = 0;

	while (bus_address_next(ctx, &addresses) != NULL)
		n++;
	talloc_free(ctx);
	return n;
}

bool bus_addresses_check(const char *what, const char *addresses, bool dials, struct err *err)
{
	int n = bus_addresses_count(addresses);

	if (n < 1 || (!dials && n > 1))
		return err_field(err, RC_INVALID, what, "%s: one address%s was expected, not \"%s\"", what,
				 dials ? "" : " to listen at", addresses);
	return n <= LINKS_MAX ||
	       err_field(err, RC_INVALID, what, "%s: at most %d addresses were expected", what, LINKS_MAX);
}

char *bus_url(void *ctx, const char *address, bool reqrep)
{
	if (strstr(address, "://") != NULL)
		return talloc_strdup(ctx, address);
	if (reqrep && !NNG_RECONNECTS)
		return talloc_asprintf(ctx, "ws://%s/alp", address);
	return talloc_asprintf(ctx, "tcp://%s", address);
}

bool sock_start(struct sock *sock, const char *address, bool reqrep, struct err *err)
{
	int rv;

	if (!sock->dials && !bus_addresses_check(sock->name, address, false, err))
		return false;
	sock->url = bus_url(sock, address, reqrep);
	rv = sock->dials ? nng_dial(sock->nng, sock->url, NULL, NNG_FLAG_NONBLOCK)
			 : nng_listen(sock->nng, sock->url, NULL, 0);
	if (rv != 0)
		return err_field(err, RC_UNAVAILABLE, sock->name, "%s: cannot %s %s: %s", sock->name,
				 sock->dials ? "dial" : "listen at", sock->url, nng_strerror(rv));
	return true;
}

/* ---- life ------------------------------------------------------------------------ */

struct bus *bus_new(void *ctx, const struct bus_config *config)
{
	struct bus *bus = talloc_zero(ctx, struct bus);

	bus_threads_start();
	bus->config = *config;
	frame_key(config->key, bus->key);
	bus->mail_tail = &bus->mail_head;
	pthread_mutex_init(&bus->lock, NULL);
	ev_async_init(&bus->wake, bus_on_wake);
	bus->wake.data = bus;
	ev_async_start(config->ev, &bus->wake);
	ev_unref(config->ev);
	outboxes_init(bus);
	return bus;
}

void bus_drain(struct bus *bus)
{
	bus->draining = true;
}

bool bus_is_draining(const struct bus *bus)
{
	return bus->draining;
}

/* nng says nothing of what it has not sent yet, and a close would throw it away: it gets a moment. */
bool bus_has_answered(const struct bus *bus)
{
	return bus->stats.calls_open == 0 && bus->answers_waiting == 0 && bus_now_us() - bus->answered_us > SENDING_US;
}

bool bus_is_idle(const struct bus *bus)
{
	return bus_has_answered(bus) && bus->stats.requests_open == bus->background_n;
}

const struct bus_stats *bus_stats(const struct bus *bus)
{
	return &bus->stats;
}

/* All work is done by now; only the library does not let go. */
static void leave_hung_close(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

void bus_free(struct bus *bus)
{
	struct sock *sock;
	struct mail *mail, *next;

	if (bus == NULL)
		return;
	signal(SIGALRM, leave_hung_close);
	alarm(CLOSE_LIMIT_S);
	outboxes_stop(bus);
	LL_FOREACH (bus->socks, sock) {
		canary_stop(sock);
		if (sock->stop != NULL)
			sock->stop(sock);
		nng_close(sock->nng);
	}
	alarm(0);
	for (mail = mail_take_all(bus); mail != NULL; mail = next) {
		next = mail->next;
		if (mail->drop != NULL)
			mail->drop(mail);
	}
	ev_ref(bus->config.ev);
	ev_async_stop(bus->config.ev, &bus->wake);
	pthread_mutex_destroy(&bus->lock);
	talloc_free(bus);
}
