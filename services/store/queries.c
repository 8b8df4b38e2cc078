#include "queries.h"

#include "columns.h"

const struct query_info query_infos[QUERY_COUNT] = {
#define QUERY(ID, name, params, ...) [QUERY_##ID] = { #name, __VA_ARGS__, params },
#include "queries.def"
};
