/* wording: what chat says to people, in Russian and English. */
#ifndef ALP_WORDING_H
#define ALP_WORDING_H

#include "text.h"

/* The sentence for an error code of streaming.md; language ru or en. Static. */
const char *wording_error(struct text code, const char *language);

#endif
