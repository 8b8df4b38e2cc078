#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const struct {
	const char *ru, *en;
} words[] = {
#define WORD(id, ru, en) [WORD_##id] = { ru, en },
#include "words.def"
#undef WORD
};

const char *word(const char *language, enum word id)
{
	return strcmp(language, "en") == 0 ? words[id].en : words[id].ru;
}

bool language_from_name(struct text value, char out[3])
{
	if (!text_is(value, "ru") && !text_is(value, "en"))
		return false;
	memcpy(out, value.p, 2);
	out[2] = '\0';
	return true;
}

/* "en-US;q=0.8": the language when it is one of ours, and how much it is liked, in thousandths. */
static int range_weight(struct text range, char out[3])
{
	char copy[64];
	const char *q;

	if (range.len < 2 || range.len >= sizeof(copy))
		return 0;
	snprintf(copy, sizeof(copy), TEXT_FMT, TEXT_ARG(range));
	if (strncasecmp(copy, "ru", 2) != 0 && strncasecmp(copy, "en", 2) != 0)
		return 0;
	if (strchr("-; \t", copy[2]) == NULL)
		return 0;
	snprintf(out, 3, "%s", copy[0] == 'r' || copy[0] == 'R' ? "ru" : "en");
	q = strstr(copy, "q=");
	return q != NULL ? (int)(strtod(q + 2, NULL) * 1000) : 1000;
}

void language_from_header(struct text header, char out[3])
{
	int best = 0;

	memcpy(out, LANGUAGE_DEFAULT, 3);
	while (header.len > 0) {
		const char *comma = memchr(header.p, ',', header.len);
		size_t len = comma != NULL ? (size_t)(comma - header.p) : header.len;
		size_t step = len + (comma != NULL);
		struct text range = text_of(header.p, len);
		char found[3];
		int weight;

		while (range.len > 0 && (*range.p == ' ' || *range.p == '\t'))
			range = text_of(range.p + 1, range.len - 1);
		weight = range_weight(range, found);
		if (weight > best) {
			best = weight;
			memcpy(out, found, 3);
		}
		header = text_of(header.p + step, header.len - step);
	}
}
