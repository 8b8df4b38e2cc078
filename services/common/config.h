/*
 * config: the suite's settings (settings.def) from defaults, a .env file and
 * the environment. Read once, before the loop runs.
 */
#ifndef ALP_CONFIG_H
#define ALP_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "messages.h"

struct config_list {
	size_t n;
	char **items;
};

#define CONFIG_CTYPE_TEXT char *
#define CONFIG_CTYPE_ADDR char *
#define CONFIG_CTYPE_INT int64_t
#define CONFIG_CTYPE_MSEC int64_t
#define CONFIG_CTYPE_BYTES int64_t
#define CONFIG_CTYPE_BOOL bool
#define CONFIG_CTYPE_LIST struct config_list

/* One field per setting. What this daemon does not use has its default. */
struct config {
#define SETTING(TYPE, field, NAME, DEFAULT, USED_BY, FLAGS, HELP) CONFIG_CTYPE_##TYPE field;
#include "settings.def"
#undef SETTING
};

/*
 * Reads file (NULL: ".env" when it exists; a named file must exist) and the
 * environment. An unknown or doubled name, a malformed value, or a missing
 * required one stops with err, which names the setting and never shows a
 * secret. Strings belong to ctx.
 */
bool config_load(void *ctx, struct config *config, enum service who, const char *file, struct err *err);

/* Every setting this daemon uses, as NAME=value; secrets masked. */
void config_print(const struct config *config, enum service who, FILE *out);

#endif
