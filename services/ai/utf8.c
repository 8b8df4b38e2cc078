#include "utf8.h"

#include "grow.h"

#define REPLACEMENT 0xFFFDU
#define HIGH_FIRST 0xD800U
#define LOW_FIRST 0xDC00U
#define LOW_LAST 0xDFFFU

void utf8_init(struct utf8 *u)
{
	*u = (struct utf8){ 0 };
	utstring_init(&u->out);
}

void utf8_done(struct utf8 *u)
{
	utstring_done(&u->out);
}

static void put(UT_string *out, unsigned c)
{
	unsigned char b[4];
	size_t n = 0;

	if (c < 0x80) {
		b[n++] = (unsigned char)c;
	} else if (c < 0x800) {
		b[n++] = (unsigned char)(0xC0 | c >> 6);
		b[n++] = (unsigned char)(0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		b[n++] = (unsigned char)(0xE0 | c >> 12);
		b[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
		b[n++] = (unsigned char)(0x80 | (c & 0x3F));
	} else {
		b[n++] = (unsigned char)(0xF0 | c >> 18);
		b[n++] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
		b[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
		b[n++] = (unsigned char)(0x80 | (c & 0x3F));
	}
	string_add(out, text_of(b, n));
}

/* A whole code point has come, which may be half of a pair. */
static void take(struct utf8 *u, unsigned c)
{
	unsigned half = u->half;

	u->half = 0;
	if (half != 0 && c >= LOW_FIRST && c <= LOW_LAST) {
		put(&u->out, 0x10000 + ((half - HIGH_FIRST) << 10) + (c - LOW_FIRST));
		return;
	}
	if (half != 0)
		put(&u->out, REPLACEMENT);
	if (c >= HIGH_FIRST && c < LOW_FIRST)
		u->half = c;
	else
		put(&u->out, c == 0 || (c >= LOW_FIRST && c <= LOW_LAST) ? REPLACEMENT : c);
}

/* The first byte of a character. 0xED may begin a surrogate here. */
static void begin(struct utf8 *u, unsigned char b)
{
	u->low = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
	u->high = b == 0xF4 ? 0x8F : 0xBF;
	u->n = 0;
	if (b < 0x80)
		take(u, b);
	else if (b >= 0xC2 && b <= 0xDF)
		u->need = 2;
	else if (b >= 0xE0 && b <= 0xEF)
		u->need = 3;
	else if (b >= 0xF0 && b <= 0xF4)
		u->need = 4;
	else
		take(u, REPLACEMENT);
	if (u->need > 0)
		u->held[u->n++] = b;
}

static unsigned code_point(const struct utf8 *u)
{
	unsigned c = u->held[0] & (0x7FU >> u->need);

	for (unsigned i = 1; i < u->need; i++)
		c = c << 6 | (u->held[i] & 0x3F);
	return c;
}

static void feed(struct utf8 *u, unsigned char b)
{
	if (u->need > 0 && (b < u->low || b > u->high)) {
		u->need = 0; /* the part so far is no character; b may begin one */
		take(u, REPLACEMENT);
	}
	if (u->need == 0) {
		begin(u, b);
		return;
	}
	u->held[u->n++] = b;
	u->low = 0x80;
	u->high = 0xBF;
	if (u->n == u->need) {
		take(u, code_point(u));
		u->need = 0;
	}
}

struct text utf8_repair(struct utf8 *u, struct text in)
{
	if (u->need == 0 && u->half == 0 && text_is_utf8(in))
		return in;
	utstring_clear(&u->out);
	for (size_t i = 0; i < in.len; i++)
		feed(u, (unsigned char)in.p[i]);
	return text_of(utstring_body(&u->out), utstring_len(&u->out));
}

struct text utf8_end(struct utf8 *u)
{
	utstring_clear(&u->out);
	if (u->half != 0)
		put(&u->out, REPLACEMENT);
	if (u->need > 0)
		put(&u->out, REPLACEMENT);
	u->half = u->need = 0;
	return text_of(utstring_body(&u->out), utstring_len(&u->out));
}

struct text utf8_start(struct text t, size_t max)
{
	size_t n = max;

	if (t.len <= max)
		return t;
	while (n > 0 && ((unsigned char)t.p[n] & 0xC0) == 0x80)
		n--;
	return text_of(t.p, n);
}
