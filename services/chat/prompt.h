/*
 * prompt: what the model is asked, from the templates in services/chat/prompts
 * (one folder a language; `---` parts the system text from the user's). Texts
 * of users go in as data. Loop thread only.
 */
#ifndef ALP_PROMPT_H
#define ALP_PROMPT_H

#include "turn.h"

/* Fills turn->messages from its kind, context and history. */
void prompt_build(struct turn *turn);

/* Finalization: what the model sent and why it cannot be used, for the next attempt's prompt. Copied. */
void prompt_keep_complaint(struct turn *turn, struct text answer, const char *complaint);

/* Temperature, length, format and whether to stream. */
void prompt_parameters(const struct turn *turn, struct ans_work_pull *work);

/* A template with its {{names}} filled in; the text belongs to ctx. */
struct prompt_value {
	const char *name;
	struct text value;
};
struct text prompt_fill(const void *ctx, struct text template, const struct prompt_value *values, size_t n);

#endif
