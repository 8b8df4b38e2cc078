/* rows: reading libpq's results (text format). What is null reads as empty, 0 or false. Any thread; pure. */
#ifndef ALP_ROWS_H
#define ALP_ROWS_H

#include <stdint.h>

#include <libpq-fe.h>

#include "json.h"

#define ISO_SIZE 32

static inline bool row_has(const PGresult *r, int row, int col)
{
	return PQgetisnull(r, row, col) == 0;
}

/* Borrowed from the result. */
static inline struct text row_text(const PGresult *r, int row, int col)
{
	return text_of(PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col));
}

static inline bool row_flag(const PGresult *r, int row, int col)
{
	return PQgetvalue(r, row, col)[0] == 't';
}

int64_t row_i64(const PGresult *r, int row, int col);
struct uuid_text row_uuid(const PGresult *r, int row, int col); /* "" when null */

/* PostgreSQL's "2026-11-22 19:35:15.2311" (UTC) as "2026-11-22T19:35:15.231100Z"; false when it is no such time. */
bool iso_from_pg(struct text t, char out[ISO_SIZE]);

/* ---- members of an open JSON object; a null writes null unless said otherwise ------ */

void put_row_text(UT_string *out, const char *key, const PGresult *r, int row, int col);
void put_row_or(UT_string *out, const char *key, const PGresult *r, int row, int col, const char *fallback);
/* One of a few words (NULL ends them), in any case of letters; anything else is the first of them. */
void put_row_choice(UT_string *out, const char *key, const PGresult *r, int row, int col, const char *const *choices);
void put_row_lower(UT_string *out, const char *key, const PGresult *r, int row, int col, const char *fallback);
void put_row_i64(UT_string *out, const char *key, const PGresult *r, int row, int col);
void put_row_time(UT_string *out, const char *key, const PGresult *r, int row, int col);

/* A JSON column that should hold an object: anything else in it writes null. */
void put_row_object(UT_string *out, const char *key, const PGresult *r, int row, int col);

/* A JSON column that should hold an array of strings: other scalars become text, the rest is left out. */
void put_row_strings(UT_string *out, const char *key, const PGresult *r, int row, int col);

#endif
