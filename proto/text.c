#include "text.h"

#include <stdint.h>

/* Not isxdigit(3): a call for each byte of each id of each message. */
static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool text_is_uuid(struct text t)
{
	if (t.len != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? t.p[i] != '-' : !is_hex(t.p[i]))
			return false;
	}
	return true;
}

bool uuid_from_text(struct text t, struct uuid_text *out)
{
	if (!text_is_uuid(t))
		return false;
	for (size_t i = 0; i < 36; i++)
		out->s[i] = (char)(t.p[i] | 0x20); /* digits and dashes have that bit, letters are lower case by it */
	out->s[36] = '\0';
	return true;
}

/* Length of the sequence a lead byte starts, and the range of its second byte (RFC 3629, section 4). */
static size_t utf8_lead(unsigned char c, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xBF;
	if (c >= 0xC2 && c <= 0xDF)
		return 2;
	if (c >= 0xE0 && c <= 0xEF) {
		if (c == 0xE0)
			*low = 0xA0;
		if (c == 0xED)
			*high = 0x9F;
		return 3;
	}
	if (c >= 0xF0 && c <= 0xF4) {
		if (c == 0xF0)
			*low = 0x90;
		if (c == 0xF4)
			*high = 0x8F;
		return 4;
	}
	return 0;
}

bool text_is_utf8(struct text t)
{
	const unsigned char *p = (const unsigned char *)t.p;

	for (size_t i = 0; i < t.len;) {
		unsigned char low, high;
		size_t n;

		if (p[i] < 0x80) {
			if (p[i] == 0)
				return false;
			i++;
			continue;
		}
		n = utf8_lead(p[i], &low, &high);
		if (n == 0 || n > t.len - i || p[i + 1] < low || p[i + 1] > high)
			return false;
		for (size_t k = 2; k < n; k++)
			if ((p[i + k] & 0xC0) != 0x80)
				return false;
		i += n;
	}
	return true;
}

size_t text_chars(struct text t)
{
	size_t n = 0;

	for (size_t i = 0; i < t.len; i++)
		n += ((unsigned char)t.p[i] & 0xC0) != 0x80;
	return n;
}

struct text text_strip(struct text t)
{
	while (t.len > 0 && (t.p[0] == ' ' || t.p[0] == '\t'))
		t = text_of(t.p + 1, t.len - 1);
	while (t.len > 0 && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t'))
		t.len--;
	return t;
}

size_t text_i64(char out[TEXT_I64_SIZE], int64_t value)
{
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char digits[TEXT_I64_SIZE], *p = digits + sizeof(digits);
	size_t len;

	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (value < 0)
		*--p = '-';
	len = (size_t)(digits + sizeof(digits) - p);
	memcpy(out, p, len);
	out[len] = '\0';
	return len;
}
