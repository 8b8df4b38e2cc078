/* migrations: the list of schema changes that this program carries, and how it compares with a database. Pure. */
#ifndef ALP_MIGRATIONS_H
#define ALP_MIGRATIONS_H

#include <stdint.h>

#include "embedded.h"
#include "err.h"
#include "text.h"

#define MIGRATIONS_MAX 256
#define CHECKSUM_SIZE 65 /* hex and NUL */

extern const struct embedded_file alp_migrations[]; /* migrations/NNNN_name.sql, in order */
extern const struct embedded_file alp_surveys[]; /* survey/survey.sql: functions that a rehearsal asks */

struct migration {
	int64_t version;
	char name[64]; /* without number and ending */
	struct text sql;
	char checksum[CHECKSUM_SIZE];
	bool applied;
};

struct migrations {
	int n;
	struct migration list[MIGRATIONS_MAX];
};

/* From embedded files named "NNNN_name.sql" (folders before are ignored). False with err: a wrong name or order. */
bool migrations_read(const struct embedded_file *files, struct migrations *out, struct err *err);

/*
 * Marks one row of schema_migrations as applied. False with err when the
 * database is not one this program may work on: a version it does not know, or
 * one with another content.
 */
bool migrations_mark(struct migrations *m, int64_t version, const char *name, const char *checksum, struct err *err);

/* The first that is not applied; NULL when the schema is current. */
struct migration *migrations_next(struct migrations *m);

#endif
