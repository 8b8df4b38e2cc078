#include "prices.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#define USD_PER_MILLION_MAX 1e6
#define NANO_PER_TOKEN 1000 /* of one USD per million tokens */

struct price {
	struct text model;
	double input, cached, output; /* USD per million tokens */
	struct price *next;
};

struct prices {
	struct price *rows;
};

/* A decimal of plain digits, up to a '/' (taken) or the end. */
static bool read_price(const char **p, bool last, double *out)
{
	char *end = NULL;

	if (!isdigit((unsigned char)**p))
		return false;
	*out = strtod(*p, &end);
	if (*out > USD_PER_MILLION_MAX || *end != (last ? '\0' : '/'))
		return false;
	*p = end + !last;
	return true;
}

static const struct price *price_named(const struct prices *prices, struct text model)
{
	for (const struct price *row = prices->rows; row != NULL; row = row->next)
		if (text_equal(row->model, model))
			return row;
	return NULL;
}

static bool read_row(struct prices *prices, const char *item, struct err *err)
{
	struct price *row = talloc_zero(prices, struct price);
	const char *p = strchr(item, '=');

	if (p == NULL || p == item)
		return err_field(err, RC_INVALID, "MODEL_PRICES",
				 "MODEL_PRICES: model=input/cached/output was expected");
	row->model = text_of(item, (size_t)(p++ - item));
	if (!read_price(&p, false, &row->input) || !read_price(&p, false, &row->cached) ||
	    !read_price(&p, true, &row->output))
		return err_field(err, RC_INVALID, "MODEL_PRICES",
				 "MODEL_PRICES: three prices in USD per million tokens were expected behind " TEXT_FMT
				 "=",
				 TEXT_ARG(row->model));
	if (price_named(prices, row->model) != NULL)
		return err_field(err, RC_INVALID, "MODEL_PRICES", "MODEL_PRICES: " TEXT_FMT " has two prices",
				 TEXT_ARG(row->model));
	row->next = prices->rows;
	prices->rows = row;
	return true;
}

struct prices *prices_new(void *ctx, const char *list, struct err *err)
{
	struct prices *prices = talloc_zero(ctx, struct prices);
	char *rest = talloc_strdup(prices, list);

	for (char *item; (item = strsep(&rest, ",")) != NULL;) {
		item += strspn(item, " \t");
		for (size_t n = strlen(item); n > 0 && isspace((unsigned char)item[n - 1]); n--)
			item[n - 1] = '\0';
		if (*item != '\0' && !read_row(prices, item, err)) {
			talloc_free(prices);
			return NULL;
		}
	}
	return prices;
}

static bool is_start(struct text start, struct text model)
{
	return start.len <= model.len && memcmp(start.p, model.p, start.len) == 0 &&
	       (start.len == model.len || model.p[start.len] == '-');
}

static const struct price *price_of(const struct prices *prices, struct text model)
{
	const struct price *best = NULL;

	for (const struct price *row = prices->rows; row != NULL; row = row->next)
		if (is_start(row->model, model) && (best == NULL || row->model.len > best->model.len))
			best = row;
	return best;
}

struct text prices_known(const struct prices *prices, struct text model)
{
	const struct price *row = price_of(prices, model);

	return row != NULL ? row->model : (struct text){ 0 };
}

int64_t prices_cost(const struct prices *prices, struct text model, int64_t prompt, int64_t cached, int64_t completion)
{
	const struct price *row = price_of(prices, model);
	double usd;

	if (row == NULL)
		return -1;
	usd = (double)(prompt - cached) * row->input + (double)cached * row->cached + (double)completion * row->output;
	return (int64_t)llround(usd * NANO_PER_TOKEN);
}
