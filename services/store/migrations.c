#include "migrations.h"

#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

static void checksum_of(struct text sql, char out[CHECKSUM_SIZE])
{
	unsigned char hash[32];

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)sql.p, sql.len, NULL, 0);
	sodium_bin2hex(out, CHECKSUM_SIZE, hash, sizeof(hash));
}

static bool read_one(const struct embedded_file *file, struct migration *m, struct err *err)
{
	const char *slash = strrchr(file->name, '/'), *base = slash != NULL ? slash + 1 : file->name;
	char *end = NULL;
	size_t len;

	m->version = strtoll(base, &end, 10);
	len = strlen(end);
	if (end == base || *end != '_' || len < 6 || strcmp(end + len - 4, ".sql") != 0 || len - 5 >= sizeof(m->name))
		return err_set(err, RC_INTERNAL, "a migration is called %s", file->name);
	snprintf(m->name, sizeof(m->name), "%.*s", (int)(len - 5), end + 1);
	m->sql = text_of(file->bytes, file->len);
	checksum_of(m->sql, m->checksum);
	m->applied = false;
	return true;
}

bool migrations_read(const struct embedded_file *files, struct migrations *out, struct err *err)
{
	out->n = 0;
	for (; files->name != NULL; files++) {
		struct migration *m = &out->list[out->n];

		if (out->n == MIGRATIONS_MAX)
			return err_set(err, RC_INTERNAL, "too many migrations");
		if (!read_one(files, m, err))
			return false;
		if (m->version <= (out->n > 0 ? m[-1].version : -1))
			return err_set(err, RC_INTERNAL, "migration %s is out of order", files->name);
		out->n++;
	}
	return true;
}

bool migrations_mark(struct migrations *m, int64_t version, const char *name, const char *checksum, struct err *err)
{
	int64_t newest = m->n > 0 ? m->list[m->n - 1].version : 0;

	for (int i = 0; i < m->n; i++) {
		struct migration *own = &m->list[i];

		if (own->version != version)
			continue;
		if (strcmp(own->checksum, checksum) != 0)
			return err_set(err, RC_UNAVAILABLE,
				       "the database's schema version %lld (%s) was made by another build: its "
				       "checksum differs",
				       (long long)version, name);
		own->applied = true;
		return true;
	}
	if (version > newest)
		return err_set(err, RC_UNAVAILABLE,
			       "the database's schema is newer (version %lld, %s) than this program (version %lld)",
			       (long long)version, name, (long long)newest);
	return err_set(err, RC_UNAVAILABLE,
		       "the database has a schema version %lld (%s) that this program does not know",
		       (long long)version, name);
}

struct migration *migrations_next(struct migrations *m)
{
	for (int i = 0; i < m->n; i++)
		if (!m->list[i].applied)
			return &m->list[i];
	return NULL;
}
