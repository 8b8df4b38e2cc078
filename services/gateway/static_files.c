#include "static_files.h"

#include <dirent.h>

#include <sys/stat.h>
#include <uthash.h>

#include "accept.h"
#include "log.h"
#include "static_tag.h"

#define FILES_MAX 8192
#define DEPTH_MAX 16

struct entry {
	char *name; /* "/assets/app.js" */
	struct static_file file;
	UT_hash_handle hh;
};

struct static_files {
	struct entry *entries;
	const struct entry *index;
};

static const struct {
	const char *suffix, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".map", "application/json" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".yaml", "application/yaml" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".jpg", "image/jpeg" },
	{ ".webp", "image/webp" },
	{ ".ico", "image/x-icon" },
	{ ".woff", "font/woff" },
	{ ".woff2", "font/woff2" },
	{ ".ttf", "font/ttf" },
	{ ".wasm", "application/wasm" },
};

static bool ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return len > n && strcmp(s + len - n, suffix) == 0;
}

static const char *type_of(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (ends_with(name, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

static struct entry *entry_find(const struct static_files *files, const char *name, size_t len)
{
	struct entry *entry;

	HASH_FIND(hh, files->entries, name, len, entry);
	return entry;
}

static bool add_file(struct static_files *files, const char *disk, const char *name, struct err *err)
{
	struct entry *entry;

	if (HASH_COUNT(files->entries) >= FILES_MAX)
		return err_set(err, RC_INVALID, "STATIC_DIR: more than %d files", FILES_MAX);
	entry = talloc_zero(files, struct entry);
	entry->name = talloc_strdup(entry, name);
	entry->file.path = talloc_strdup(entry, disk);
	entry->file.type = type_of(name);
	entry->file.siblings[ENCODING_PLAIN] = true;
	entry->file.tags = talloc_zero_array(entry, struct static_tag, ENCODING_BROTLI + 1);
	entry->file.immutable = strncmp(name, "/assets/", 8) == 0;
	HASH_ADD_KEYPTR(hh, files->entries, entry->name, strlen(entry->name), entry);
	return true;
}

/* Regular files and folders; links and everything hidden are passed over. */
static bool walk(struct static_files *files, const char *disk, const char *name, int depth, struct err *err)
{
	DIR *dir = opendir(disk);
	const struct dirent *item;
	bool good = dir == NULL || depth < DEPTH_MAX || err_set(err, RC_INVALID, "STATIC_DIR: nested too deeply");

	while (good && dir != NULL && (item = readdir(dir)) != NULL) {
		char *item_disk, *item_name;
		struct stat st;

		if (item->d_name[0] == '.' || !text_is_utf8(text_from(item->d_name)))
			continue;
		item_disk = talloc_asprintf(NULL, "%s/%s", disk, item->d_name);
		item_name = talloc_asprintf(item_disk, "%s/%s", name, item->d_name);
		if (lstat(item_disk, &st) == 0 && S_ISREG(st.st_mode))
			good = add_file(files, item_disk, item_name, err);
		else if (S_ISDIR(st.st_mode))
			good = walk(files, item_disk, item_name, depth + 1, err);
		talloc_free(item_disk);
	}
	if (dir != NULL)
		closedir(dir);
	return good;
}

static const char *const suffixes[] = { [ENCODING_GZIP] = ".gz", [ENCODING_BROTLI] = ".br" };

/* "app.js.br" is no page of its own but another form of "app.js". */
static void join_siblings(struct static_files *files)
{
	struct entry *entry, *next, *plain;

	HASH_ITER (hh, files->entries, entry, next) {
		for (int e = ENCODING_GZIP; e <= ENCODING_BROTLI; e++) {
			if (!ends_with(entry->name, suffixes[e]))
				continue;
			plain = entry_find(files, entry->name, strlen(entry->name) - 3);
			if (plain == NULL)
				continue;
			plain->file.siblings[e] = true;
			HASH_DEL(files->entries, entry);
			talloc_free(entry);
			break;
		}
	}
}

/* The hash's own memory is no talloc memory. */
static int files_done(struct static_files *files)
{
	HASH_CLEAR(hh, files->entries);
	return 0;
}

struct static_files *static_files_new(void *ctx, const char *dir, struct err *err)
{
	struct static_files *files = talloc_zero(ctx, struct static_files);

	talloc_set_destructor(files, files_done);
	if (dir[0] == '\0')
		return files;
	if (!walk(files, dir, "", 0, err))
		return NULL;
	join_siblings(files);
	files->index = entry_find(files, "/index.html", 11);
	return files;
}

/* "/docs" is the page "/docs.html", when the build made one. */
static const struct entry *page_find(const struct static_files *files, struct text path)
{
	char name[64];

	if (path.len + sizeof(".html") > sizeof(name))
		return NULL;
	memcpy(name, path.p, path.len);
	memcpy(name + path.len, ".html", sizeof(".html"));
	return entry_find(files, name, path.len + sizeof(".html") - 1);
}

size_t static_files_count(const struct static_files *files)
{
	return HASH_COUNT(files->entries);
}

bool static_files_has(const struct static_files *files, struct text path)
{
	return entry_find(files, path.p, path.len) != NULL || page_find(files, path) != NULL;
}

const struct static_file *static_files_find(const struct static_files *files, struct text path)
{
	const struct entry *entry = path.len > 0 ? entry_find(files, path.p, path.len) : NULL;
	const char *last = path.len > 0 ? memrchr(path.p, '/', path.len) : NULL;

	if (entry != NULL)
		return &entry->file;
	if (last == NULL || memchr(last, '.', path.len - (size_t)(last - path.p)) != NULL)
		return NULL;
	entry = page_find(files, path);
	if (entry == NULL)
		entry = files->index;
	return entry != NULL ? &entry->file : NULL;
}

enum encoding static_file_encoding(const struct static_file *file, struct text accept_encoding)
{
	int br = file->siblings[ENCODING_BROTLI] ? accept_coding(accept_encoding, "br") : 0;
	int gzip = file->siblings[ENCODING_GZIP] ? accept_coding(accept_encoding, "gzip") : 0;

	if (br > 0 && br >= gzip)
		return ENCODING_BROTLI;
	return gzip > 0 ? ENCODING_GZIP : ENCODING_PLAIN;
}
