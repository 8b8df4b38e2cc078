#include "ranges.h"

bool ranges_check(const struct range *rows, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].value < rows[i].min || rows[i].value > rows[i].max)
			return err_field(err, RC_INVALID, rows[i].name, "%s: %lld to %lld was expected", rows[i].name,
					 (long long)rows[i].min, (long long)rows[i].max);
	return true;
}
