/* The body of a chat completion request. Written by hand: the messages are many and are not parsed on the way. */
#include "attempt.h"

void request_write(struct attempt *a, const struct ans_work_pull *work)
{
	UT_string *out = &a->body;

	json_open(out, NULL, '{');
	json_str(out, "model", a->model);
	json_open(out, "messages", '[');
	a->prompt_from = utstring_len(out);
	a->prompt_len = work->messages.len;
	if (work->messages.len > 0)
		utstring_bincpy(out, work->messages.p, work->messages.len);
	json_close(out, ']');
	json_bool(out, "stream", work->stream);
	if (work->stream) {
		json_open(out, "stream_options", '{');
		json_bool(out, "include_usage", true);
		json_close(out, '}');
	}
	if (work->temperature > 0 || work->temperature_zero)
		json_real(out, "temperature", work->temperature);
	if (work->max_tokens > 0)
		json_i64(out, "max_tokens", work->max_tokens);
	if (work->response_format.len > 0)
		json_raw(out, "response_format", work->response_format);
	json_close(out, '}');
}
