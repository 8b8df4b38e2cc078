/* words: texts for people in the caller's language (words.def). Any thread; nothing blocks. */
#ifndef ALP_WORDS_H
#define ALP_WORDS_H

#include "text.h"

#define LANGUAGE_DEFAULT "ru"

enum word {
#define WORD(id, ru, en) WORD_##id,
#include "words.def"
#undef WORD
};

/* A literal. language is ru or en. */
const char *word(const char *language, enum word id);

/* The better liked of ru and en in an Accept-Language header (RFC 9110, 12.5.4); ru when it names neither. */
void language_from_header(struct text header, char out[3]);

/* ru or en when value is exactly one of them; false leaves out alone. */
bool language_from_name(struct text value, char out[3]);

#endif
