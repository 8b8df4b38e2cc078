/*
 * secret: what is too easily guessed to be one: short, a word that stands in
 * documents and examples, one character again and again. Any thread; nothing blocks.
 */
#ifndef ALP_SECRET_H
#define ALP_SECRET_H

#include "err.h"
#include "text.h"

#define SECRET_MIN 32 /* bytes */

bool secret_is_placeholder(struct text value); /* has a word of documents and examples in it */
bool secret_is_weak(struct text value);

/*
 * False with err, which names the setting and never its value, when the secret is
 * weak. With DEBUG a weak one passes when it is at least min bytes long.
 */
bool secret_check(const char *name, struct text value, bool debug, size_t min, struct err *err);

#endif
