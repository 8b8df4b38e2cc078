/* spend: what an attempt used and cost. Any thread; nothing blocks. */
#ifndef ALP_SPEND_H
#define ALP_SPEND_H

#include "llm_json.h"
#include "messages.h"
#include "prices.h"

/* Tokens of a text, without its model's tokenizer: 4 ASCII characters or 2.2 others make one. */
int64_t spend_estimate(struct text t);

/*
 * Fills out from what the server told; what it did not tell is estimated from
 * prompt and said, and flagged. answered: it began to answer, so that there is
 * something to pay for. Texts of out are literals.
 */
void spend_count(struct usage *out, const struct llm_usage *told, bool answered, struct text prompt, struct text said,
		 const struct prices *prices, struct text model);

#endif
