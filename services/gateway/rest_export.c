/*
 * Everything of the caller as one JSON document. Store answers it page by
 * page, so that no message of the bus grows with the account; the document
 * grows in a file in memory, and is sent from there.
 */
#include "rest_auth.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "problem.h"

#define EXPORT_MAX (256LL << 20) /* bytes of one document */
#define EXPORTS_MAX 4 /* at once */

struct export
{
	struct gateway *gw;
	int fd; /* -1: none */
	int64_t len;
	struct msg_user_export wish;
	bool first; /* no row of this part was written */
};

static void ask_page(struct http_request *r);

static int export_done(struct export *e)
{
	e->gw->exports_open--;
	if (e->fd >= 0)
		close(e->fd);
	return 0;
}

/* False: there is no room. */
static bool put(struct export *e, struct text text)
{
	while (text.len > 0) {
		ssize_t n = write(e->fd, text.p, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		e->len += n;
		text = text_of(text.p + n, text.len - (size_t)n);
	}
	return e->len <= EXPORT_MAX;
}

static bool put_page(struct http_request *r, struct export *e, const struct ans_user_export *ans)
{
	bool begins = e->wish.after.len == 0;
	char *head = talloc_asprintf(r, ",\"" TEXT_FMT "\":[", TEXT_ARG(ans->name));
	bool good = !begins || put(e, text_from(head));

	e->first = e->first || begins;
	if (good && ans->rows.len > 0) {
		good = (e->first || put(e, text_from(","))) && put(e, ans->rows);
		e->first = false;
	}
	talloc_free(head);
	return good && (ans->after.len > 0 || put(e, text_from("]")));
}

static void finish(struct http_request *r, struct export *e)
{
	int fd = e->fd;

	if (!put(e, text_from("}")) || lseek(fd, 0, SEEK_SET) != 0) {
		problem_word(r, 503, WORD_EXPORT_TOO_LARGE);
		return;
	}
	e->fd = -1;
	http_header(r, "content-disposition", "attachment; filename=\"ai-learning-platform.json\"");
	http_answer_file(r, "application/json", fd, (size_t)e->len);
}

static void on_page(struct http_request *r, const struct answer *answer)
{
	const struct ans_user_export *ans = answer->body;
	struct export *e = r->state;

	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else if (ans->name.len == 0) {
		finish(r, e);
	} else if (!put_page(r, e, ans)) {
		log_warning(&r->log, "account.export", "bytes=%lld reason=\"too large\"", (long long)e->len);
		problem_word(r, 503, WORD_EXPORT_TOO_LARGE);
	} else {
		e->wish.part += ans->after.len == 0;
		talloc_free((void *)e->wish.after.p);
		e->wish.after = ans->after.len > 0 ? text_copy(e, ans->after) : (struct text){ 0 };
		ask_page(r);
	}
}

static void ask_page(struct http_request *r)
{
	const struct export *e = r->state;

	http_ask(r, r->gw->store, MSG_USER_EXPORT, &e->wish, 0, on_page);
}

void account_export(struct http_request *r)
{
	struct export *e;
	char now[CLOCK_ISO_SIZE], *head;

	if (r->gw->exports_open >= EXPORTS_MAX) {
		problem_later(r, 503, WORD_BUSY, 5);
		return;
	}
	e = talloc_zero(r, struct export);
	r->gw->exports_open++;
	e->gw = r->gw;
	e->fd = memfd_create("export", MFD_CLOEXEC);
	talloc_set_destructor(e, export_done);
	r->state = e;
	clock_iso(clock_wall_us(), now);
	head = talloc_asprintf(e, "{\"format\":\"ai-learning-platform\",\"version\":1,\"exported_at\":\"%s\"", now);
	if (e->fd < 0 || !put(e, text_from(head))) {
		log_warning(&r->log, "account.export", "reason=\"no memory file: errno %d\"", errno);
		problem_later(r, 503, WORD_BUSY, 5);
		return;
	}
	ask_page(r);
}
