/*
 * schema: the fields of a request body as a table. Strings are strings, whole
 * numbers may come as digits in a string, null means "not given", what is not
 * in the table is ignored (contract/rest.md 1.1). Pure but for schema_body.
 */
#ifndef ALP_SCHEMA_H
#define ALP_SCHEMA_H

#include <stddef.h>

#include "json.h"
#include "words.h"

struct http_request;

enum field_type {
	FIELD_TEXT, /* struct text; min and max count characters */
	FIELD_LINE, /* the same, without the blanks around it */
	FIELD_INT, /* int64_t; min and max are its bounds */
	FIELD_REAL, /* double; the same */
	FIELD_EMAIL, /* struct text, without blanks, domain in lower case */
	FIELD_UUID, /* struct uuid_text */
	FIELD_FLAG, /* bool: true or false, nothing else */
};

struct field {
	const char *name;
	enum field_type type;
	bool required;
	int64_t min, max;
	size_t offset;
};

#define FIELD_OF(body, member, type, required, min, max) \
	{ \
#member, type, required, min, max, offsetof(body, member) \
	}
#define FIELDS_N(fields) (sizeof(fields) / sizeof((fields)[0]))

/* What was wrong: the inside of a 422's detail array, and a sentence in one language. */
struct faults {
	const char *language;
	UT_string entries, message;
};

void faults_init(struct faults *faults, const char *language);
void faults_done(struct faults *faults);
void faults_add(struct faults *faults, const char *field, const char *type, const char *msg, enum word id);
bool faults_any(const struct faults *faults);

/*
 * Fills out (zeroed before) from a JSON object; texts borrow from it, or
 * belong to ctx when they had to be changed. False when faults has some.
 */
bool schema_read(void *ctx, const cJSON *object, const struct field *fields, size_t n, void *out,
		 struct faults *faults);

/* The body of a request; false when it was answered with 422. */
bool schema_body(struct http_request *r, const struct field *fields, size_t n, void *out);

/* An address as contract/rest.md 2.1 has it, domain in lower case; belongs to ctx. NULL when it is none. */
char *email_normal(void *ctx, struct text value);

/* Without the blanks around it: all that Unicode calls White_Space. */
struct text text_trim(struct text t);

#endif
