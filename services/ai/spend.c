#include "spend.h"

#include <math.h>

#define ASCII_PER_TOKEN 4.0
#define OTHERS_PER_TOKEN 2.2

int64_t spend_estimate(struct text t)
{
	size_t ascii = 0, others = 0;

	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.p[i];

		ascii += c < 0x80;
		others += c >= 0xC0;
	}
	return (int64_t)ceil((double)ascii / ASCII_PER_TOKEN + (double)others / OTHERS_PER_TOKEN);
}

void spend_count(struct usage *out, const struct llm_usage *told, bool answered, struct text prompt, struct text said,
		 const struct prices *prices, struct text model)
{
	*out = (struct usage){ .currency = text_from("USD") };
	out->estimated = answered && (told->prompt < 0 || told->completion < 0);
	out->prompt_tokens = told->prompt >= 0 ? told->prompt : answered ? spend_estimate(prompt) : 0;
	out->completion_tokens = told->completion >= 0 ? told->completion : answered ? spend_estimate(said) : 0;
	out->cached_tokens = told->cached > 0 ? told->cached : 0;
	if (out->cached_tokens > out->prompt_tokens)
		out->cached_tokens = out->prompt_tokens;
	out->cost_nano = prices_cost(prices, model, out->prompt_tokens, out->cached_tokens, out->completion_tokens);
}
