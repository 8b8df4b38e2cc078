/* ids: random UUIDs (RFC 9562 version 4). Any thread; nothing blocks. */
#ifndef ALP_IDS_H
#define ALP_IDS_H

#include "text.h"

struct uuid_text id_new(void);

/* The same id for the same name within a namespace (RFC 9562 version 5): for things that are keyed by another id. */
struct uuid_text id_named(const struct uuid_text *space, struct text name);

#endif
