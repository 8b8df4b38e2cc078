/*
 * prices: what tokens cost, from MODEL_PRICES. Made at start. Any thread.
 *
 *   gpt-4o-mini=0.15/0.075/0.60,gpt-4o=2.50/1.25/10.00
 *
 * model=input/cached input/output, USD per million tokens.
 */
#ifndef ALP_PRICES_H
#define ALP_PRICES_H

#include <stdint.h>

#include "err.h"
#include "text.h"

struct prices;

/* NULL with err (field MODEL_PRICES) when the list is malformed or has a model twice. */
struct prices *prices_new(void *ctx, const char *list, struct err *err);

/* The name of the row that counts for a model (see below); empty: it has no price. */
struct text prices_known(const struct prices *prices, struct text model);

/*
 * Cost in 1e-9 USD; -1 when the model has no price. The row with the longest
 * name counts that is the model's name or its start up to a '-':
 * gpt-4o-mini-2024-07-18 costs what gpt-4o-mini costs. cached is part of prompt.
 */
int64_t prices_cost(const struct prices *prices, struct text model, int64_t prompt, int64_t cached, int64_t completion);

#endif
