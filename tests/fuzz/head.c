/*
 * The filter of request heads: the same comes out however the bytes are cut, it is no longer than it may be, and every
 * line of a head has the form that lws reads rightly. The first byte of the input tells where it is cut.
 */
#include "head_filter.h"
#include "target.h"

#include <stdlib.h>

struct seen {
	char *out;
	size_t n;
	struct head_filter f;
};

static void run(struct seen *seen, const char *bytes, size_t n, size_t step)
{
	*seen = (struct seen){ .out = malloc(2 * n + HEAD_GROWTH) };
	for (size_t i = 0; i < n; i += step) {
		size_t piece = step < n - i ? step : n - i, before = seen->f.held_n + piece;
		size_t written = head_filter_run(&seen->f, bytes + i, piece, seen->out + seen->n);

		HOLDS(written <= before + HEAD_GROWTH);
		seen->n += written;
		HOLDS(seen->f.held_n <= HEAD_MAX);
	}
}

static void done(struct seen *seen)
{
	head_filter_done(&seen->f);
	free(seen->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, cut;

	if (size < 2)
		return 0;
	run(&whole, (const char *)data + 1, size - 1, size);
	run(&cut, (const char *)data + 1, size - 1, 1U + data[0] % 16);
	HOLDS(whole.f.heads == cut.f.heads && whole.f.fault.status == cut.f.fault.status);
	HOLDS(whole.n == cut.n && memcmp(whole.out, cut.out, whole.n) == 0);
	done(&whole);
	done(&cut);
	return 0;
}
