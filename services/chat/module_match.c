#include "module_match.h"

#include <ctype.h>
#include <stdlib.h>

/* The next code point of well-formed UTF-8, in lower case as far as Latin and Cyrillic go. */
static unsigned next_letter(const char **p, const char *end)
{
	unsigned char first = (unsigned char)*(*p)++;
	unsigned c = first < 0x80 ? first : first < 0xE0 ? first & 0x1F : first < 0xF0 ? first & 0x0F : first & 0x07;

	while (*p < end && ((unsigned char)**p & 0xC0) == 0x80)
		c = c << 6 | ((unsigned char)*(*p)++ & 0x3F);
	if (c < 0x80)
		return (unsigned)tolower((int)c);
	if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x410 && c <= 0x42F))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40F)
		c += 0x50;
	return c == 0x451 ? 0x435 : c; /* ё is written as е by many */
}

static bool is_word(unsigned c)
{
	return c >= 0xC0 ? c < 0x2000 || c > 0x2BFF : isalnum((int)c) != 0; /* not dashes, quotes and signs */
}

/* "Module 3: X", "Модуль 3. X", "3) X": where X begins, when there is one. */
static struct text without_number(struct text title)
{
	static const char *const words[] = { "module", "модуль", "Module", "Модуль", "MODULE", "МОДУЛЬ" };
	const char *p = title.p, *end = title.p + title.len;
	const char *digits;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (title.len > strlen(words[i]) && memcmp(title.p, words[i], strlen(words[i])) == 0)
			p = title.p + strlen(words[i]);
	while (p < end && *p == ' ')
		p++;
	for (digits = p; p < end && isdigit((unsigned char)*p); p++)
		;
	if (p == digits || p == end || strchr(".:)", *p) == NULL)
		return title;
	return ++p < end ? text_of(p, (size_t)(end - p)) : title;
}

/* Words only, one separator between them: 0 for the end. */
static unsigned next_of_key(const char **p, const char *end, bool *begun)
{
	bool gap = false;

	while (*p < end) {
		const char *at = *p;
		unsigned c = next_letter(p, end);

		if (!is_word(c)) {
			gap = true;
			continue;
		}
		if (gap && *begun) {
			*p = at;
			*begun = false; /* the separator is told once */
			return ' ';
		}
		*begun = true;
		return c;
	}
	return 0;
}

static bool same_title(struct text a, struct text b)
{
	const char *p, *q;
	bool begun_p = false, begun_q = false, any = false;

	a = without_number(a);
	b = without_number(b);
	p = a.p;
	q = b.p;
	for (;;) {
		unsigned c = p != NULL ? next_of_key(&p, a.p + a.len, &begun_p) : 0;
		unsigned d = q != NULL ? next_of_key(&q, b.p + b.len, &begun_q) : 0;

		if (c != d)
			return false;
		if (c == 0)
			return any;
		any = true;
	}
}

static bool is_taken(const int *out, int n, int old)
{
	for (int i = 0; i < n; i++)
		if (out[i] == old)
			return true;
	return false;
}

static bool match_numbers(int olds_n, const struct new_module *news, int news_n, int *out)
{
	bool any = false;

	for (int i = 0; i < news_n; i++) {
		if (news[i].continues < 1 || news[i].continues > olds_n)
			continue;
		any = true;
		if (!is_taken(out, news_n, (int)news[i].continues - 1))
			out[i] = (int)news[i].continues - 1;
	}
	return any;
}

static void match_titles(const struct old_module *olds, int olds_n, const struct new_module *news, int news_n, int *out)
{
	for (int i = 0; i < news_n; i++)
		for (int k = 0; k < olds_n && out[i] < 0; k++)
			if (same_title(news[i].title, olds[k].title) && !is_taken(out, news_n, k))
				out[i] = k;
}

void modules_match(const struct old_module *olds, int olds_n, const struct new_module *news, int news_n, int *out)
{
	bool numbered;

	for (int i = 0; i < news_n; i++)
		out[i] = -1;
	numbered = match_numbers(olds_n, news, news_n, out);
	match_titles(olds, olds_n, news, news_n, out);
	for (int i = 0; !numbered && i < news_n && i < olds_n; i++)
		if (out[i] < 0 && !olds[i].begun && !is_taken(out, news_n, i))
			out[i] = i;
}

void modules_place(const int64_t *numbers, int n, int news_n, int *before)
{
	int64_t most = 0;

	for (int k = 0; k < n; k++) {
		if (numbers[k] - (k + 1) > most)
			most = numbers[k] - (k + 1);
		before[k] = most < news_n ? (int)most : news_n;
	}
}
