/*
 * static_files: the built page. What may be served is the set of files found
 * at start, by their canonical path: nothing a request says ever becomes a
 * path on disk. Smaller siblings made by the build (.br, .gz) are chosen by
 * Accept-Encoding. Loop thread only.
 */
#ifndef ALP_STATIC_FILES_H
#define ALP_STATIC_FILES_H

#include "err.h"
#include "text.h"

struct http_request;
struct static_files;

enum encoding { ENCODING_PLAIN, ENCODING_GZIP, ENCODING_BROTLI };

struct static_tag;

struct static_file {
	const char *path; /* on disk */
	const char *type; /* Content-Type */
	bool siblings[3]; /* by encoding; the plain one is always there */
	bool immutable; /* its name changes with its content */
	struct static_tag *tags; /* by encoding */
};

/* Walks dir once. "" serves no files. NULL with err when dir holds more than is sane. */
struct static_files *static_files_new(void *ctx, const char *dir, struct err *err);
size_t static_files_count(const struct static_files *files);

/*
 * A file; for a path without a suffix the page of that name ("/docs" is
 * docs.html), or index.html, whose own router knows it. NULL: none of them.
 */
const struct static_file *static_files_find(const struct static_files *files, struct text path);

/* True: it is a file or a page of its own, not one that the router of index.html knows. */
bool static_files_has(const struct static_files *files, struct text path);

/* The best encoding the file has and the client takes (RFC 9110, 12.5.3). */
enum encoding static_file_encoding(const struct static_file *file, struct text accept_encoding);

/* Answers a request that is no route: a file, the page, or 404. */
void static_files_serve(struct http_request *r);

#endif
