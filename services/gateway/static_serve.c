#include "static_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include "http.h"
#include "problem.h"
#include "static_tag.h"

static const char *const codings[] = { [ENCODING_GZIP] = "gzip", [ENCODING_BROTLI] = "br" };
static const char *const suffixes[] = { [ENCODING_PLAIN] = "", [ENCODING_GZIP] = ".gz", [ENCODING_BROTLI] = ".br" };

static bool has_siblings(const struct static_file *file)
{
	return file->siblings[ENCODING_GZIP] || file->siblings[ENCODING_BROTLI];
}

/* What goes with the file, and with the 304 that stands for it. */
static void file_headers(struct http_request *r, const struct static_file *file, enum encoding encoding,
			 const char *etag)
{
	http_header(r, "cache-control", "%s", file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
	http_header(r, "etag", "%s", etag);
	if (has_siblings(file))
		http_header(r, "vary", "Accept-Encoding");
	if (encoding != ENCODING_PLAIN)
		http_header(r, "content-encoding", "%s", codings[encoding]);
}

static bool is_known(struct http_request *r, const char *etag)
{
	struct text known = http_request_header(r, WSI_TOKEN_HTTP_IF_NONE_MATCH, 1024);

	return known.len > 0 && (text_is(known, "*") || strstr(known.p, etag) != NULL);
}

static void send_file(struct http_request *r, const struct static_file *file, enum encoding encoding)
{
	char *path = talloc_asprintf(r, "%s%s", file->path, suffixes[encoding]);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct static_tag *tag = &file->tags[encoding];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || !static_tag_read(tag, fd, &st)) { /* taken away since the start */
		if (fd >= 0)
			close(fd);
		problem_detail(r, 404, "Not Found");
		return;
	}
	file_headers(r, file, encoding, tag->etag);
	if (is_known(r, tag->etag)) {
		close(fd);
		http_answer(r, 304, file->type, (struct text){ 0 });
		return;
	}
	http_answer_file(r, file->type, fd, (size_t)st.st_size);
}

void static_files_serve(struct http_request *r)
{
	const struct static_file *file = static_files_find(r->gw->files, r->path);

	if (r->path.len > 1 && r->path.p[r->path.len - 1] == '/' &&
	    static_files_has(r->gw->files, text_of(r->path.p, r->path.len - 1))) {
		http_redirect_without_slash(r);
	} else if (r->method != HTTP_GET && r->method != HTTP_HEAD) {
		http_header(r, "allow", "GET, HEAD");
		problem_detail(r, 405, "Method Not Allowed");
	} else if (file == NULL) {
		problem_detail(r, 404, "Not Found");
	} else {
		send_file(r, file,
			  static_file_encoding(file, http_request_header(r, WSI_TOKEN_HTTP_ACCEPT_ENCODING, 512)));
	}
}
