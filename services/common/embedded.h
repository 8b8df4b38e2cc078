/* embedded: files that are part of a program (prompts, SQL), made by alp_embed (deploy/cmake/AlpEmbed.cmake). */
#ifndef ALP_EMBEDDED_H
#define ALP_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
	const char *name; /* relative, with '/'; NULL in the last row */
	const char *bytes; /* NUL-terminated behind len */
	size_t len;
};

extern const struct embedded_file alp_prompts[]; /* services/chat/prompts */

#endif
