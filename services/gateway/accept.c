#include "accept.h"

#include <stdlib.h>
#include <strings.h>

#define WHOLE 1000

/* How closely a range names a type. */
enum fit { FIT_NONE, FIT_ANY, FIT_KIND, FIT_NAMED };

/* Takes the piece before the next separator away from rest; one inside of quotation marks is none. */
static struct text next_piece(struct text *rest, char separator)
{
	const char *p = rest->p;
	bool quoted = false;
	size_t len = 0, step;

	for (; len < rest->len && (quoted || p[len] != separator); len++) {
		if (p[len] == '"')
			quoted = !quoted;
		else if (quoted && p[len] == '\\' && len + 1 < rest->len)
			len++;
	}
	step = len + (len < rest->len);
	*rest = text_of(p + step, rest->len - step);
	return text_strip(text_of(p, len));
}

/* Of the parameters behind a name; what is no number weighs nothing. */
static int weight_of(struct text parameters)
{
	while (parameters.len > 0) {
		struct text one = next_piece(&parameters, ';');
		char number[8] = "", *end;
		double weight;

		if (one.len < 2 || (one.p[0] | 0x20) != 'q' || one.p[1] != '=')
			continue;
		if (one.len == 2 || one.len - 2 >= sizeof(number))
			return 0;
		memcpy(number, one.p + 2, one.len - 2);
		weight = strtod(number, &end);
		return number[strspn(number, "0123456789.")] == '\0' && *end == '\0' && weight <= 1
			       ? (int)(weight * WHOLE + 0.5)
			       : 0;
	}
	return WHOLE;
}

static enum fit coding_fit(struct text range, const char *coding)
{
	if (text_is_nocase(range, coding))
		return FIT_NAMED;
	return text_is_nocase(range, "*") ? FIT_ANY : FIT_NONE;
}

static enum fit type_fit(struct text range, const char *type)
{
	size_t kind = strcspn(type, "/") + 1; /* with the slash */

	if (text_is_nocase(range, type))
		return FIT_NAMED;
	if (range.len == kind + 1 && range.p[kind] == '*' && strncasecmp(range.p, type, kind) == 0)
		return FIT_KIND;
	return text_is_nocase(range, "*/*") ? FIT_ANY : FIT_NONE;
}

static int weigh(struct text header, const char *name, enum fit (*fit_of)(struct text, const char *), enum fit *best)
{
	int weight = 0;

	*best = FIT_NONE;
	while (header.len > 0) {
		struct text parameters = next_piece(&header, ',');
		enum fit fit = fit_of(next_piece(&parameters, ';'), name);

		if (fit > *best) {
			*best = fit;
			weight = weight_of(parameters);
		}
	}
	return weight;
}

int accept_coding(struct text header, const char *coding)
{
	enum fit fit;

	return weigh(header, coding, coding_fit, &fit);
}

int accept_type(struct text header, const char *type)
{
	enum fit fit;

	return weigh(header, type, type_fit, &fit);
}

bool accept_prefers(struct text header, const char *type, const char *usual)
{
	enum fit fit, usual_fit;
	int weight = weigh(header, type, type_fit, &fit), usual_weight = weigh(header, usual, type_fit, &usual_fit);

	return weight > usual_weight || (weight > 0 && weight == usual_weight && fit == FIT_NAMED);
}

bool content_is_json(struct text header)
{
	static const char kind[] = "application/", suffix[] = "+json";
	struct text type = next_piece(&header, ';');
	size_t suffix_len = sizeof(suffix) - 1;

	if (text_is_nocase(type, "application/json"))
		return true;
	return type.len > sizeof(kind) - 1 + suffix_len && strncasecmp(type.p, kind, sizeof(kind) - 1) == 0 &&
	       text_is_nocase(text_of(type.p + type.len - suffix_len, suffix_len), suffix);
}
