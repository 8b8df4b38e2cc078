#include "retry_after.h"

#include <ctype.h>
#include <string.h>

#include <curl/curl.h>

static int64_t bounded(int64_t seconds)
{
	if (seconds <= 0)
		return 0;
	return seconds > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : seconds * 1000;
}

int64_t retry_after_ms(const char *value, int64_t now_s)
{
	int64_t seconds = 0;
	size_t digits;
	time_t date;

	if (value == NULL)
		return 0;
	value += strspn(value, " \t");
	digits = strspn(value, "0123456789");
	if (digits == 0) {
		date = isalpha((unsigned char)*value) ? curl_getdate(value, NULL) : -1;
		return date == -1 ? 0 : bounded((int64_t)date - now_s);
	}
	for (size_t i = 0; i < digits && seconds < RETRY_AFTER_MAX_MS; i++)
		seconds = seconds * 10 + (value[i] - '0');
	value += digits;
	if (*value == '.') /* not in the RFC, yet seen: a fraction of a second is not worth a mistake */
		value += 1 + strspn(value + 1, "0123456789");
	value += strspn(value, " \t");
	return *value == '\0' ? bounded(seconds) : 0;
}
