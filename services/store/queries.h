/* queries: every statement of the store (queries.def), prepared on each connection. */
#ifndef ALP_QUERIES_H
#define ALP_QUERIES_H

enum query {
#define QUERY(ID, name, params, ...) QUERY_##ID,
#include "queries.def"
	QUERY_COUNT
};

struct query_info {
	const char *name; /* of the prepared statement, and in metrics */
	const char *sql;
	int params;
};

extern const struct query_info query_infos[QUERY_COUNT];

#endif
