/* Messages as clients see them, and the dialogue as the model sees it. Built row by row: half the cost of json_agg. */
#include "columns.h"
#include "rows_json.h"

static void put_usage(UT_string *out, const PGresult *r, int row)
{
	if (!row_has(r, row, MESSAGE_prompt_tokens))
		return;
	json_open(out, "usage", '{');
	json_i64(out, "prompt_tokens", row_i64(r, row, MESSAGE_prompt_tokens));
	json_i64(out, "cached_tokens", row_i64(r, row, MESSAGE_cached_tokens));
	json_i64(out, "completion_tokens", row_i64(r, row, MESSAGE_completion_tokens));
	json_bool(out, "estimated", row_flag(r, row, MESSAGE_usage_estimated));
	json_close(out, '}');
}

/* A price that is not known is not shown, rather than as free. */
static void put_cost(UT_string *out, const PGresult *r, int row)
{
	int64_t nano = row_i64(r, row, MESSAGE_cost_nano);

	if (!row_has(r, row, MESSAGE_cost_nano) || nano < 0)
		return;
	json_open(out, "cost", '{');
	json_real(out, "amount", (double)nano / 1e9);
	put_row_or(out, "currency", r, row, MESSAGE_currency, "USD");
	json_close(out, '}');
}

static void put_timing(UT_string *out, const PGresult *r, int row)
{
	static const struct {
		const char *key;
		enum message_column col;
	} parts[] = {
		{ "gateway_in", MESSAGE_gateway_in_us },
		{ "chat", MESSAGE_chat_us },
		{ "store", MESSAGE_store_us },
		{ "ai_queue", MESSAGE_ai_queue_us },
		{ "provider_first_token", MESSAGE_provider_first_token_us },
		{ "provider_total", MESSAGE_provider_total_us },
		{ "total", MESSAGE_total_us },
	};

	if (!row_has(r, row, MESSAGE_total_us))
		return;
	json_open(out, "timing", '{');
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		json_i64(out, parts[i].key, row_i64(r, row, (int)parts[i].col));
	json_close(out, '}');
}

static void put_if(UT_string *out, const char *key, const PGresult *r, int row, int col)
{
	if (row_has(r, row, col))
		json_text(out, key, row_text(r, row, col));
}

/* The members that the two forms share; their names for author and text differ. */
static void put_message(UT_string *out, const PGresult *r, int row, const char *sender_key, const char *content_key)
{
	bool user = text_is(row_text(r, row, MESSAGE_sender_type), "user");

	put_row_text(out, "id", r, row, MESSAGE_id);
	put_row_text(out, "chat_id", r, row, MESSAGE_chat_id);
	json_str(out, sender_key, user ? "user" : "ai");
	put_row_text(out, content_key, r, row, MESSAGE_message_content);
	put_row_or(out, "message_type", r, row, MESSAGE_message_type, "text");
	put_row_time(out, "timestamp", r, row, MESSAGE_timestamp);
	put_row_text(out, "ai_model_used", r, row, MESSAGE_ai_model_used);
	put_row_i64(out, "tokens_used", r, row, MESSAGE_tokens_used);
	put_row_i64(out, "seq", r, row, MESSAGE_seq);
	put_if(out, "turn_id", r, row, MESSAGE_turn_id);
	put_if(out, "client_message_id", r, row, MESSAGE_client_message_id);
	put_if(out, "finish_reason", r, row, MESSAGE_finish_reason);
	if (!user)
		json_i64(out, "generation", row_i64(r, row, MESSAGE_generation));
	put_if(out, "parent_id", r, row, MESSAGE_parent_id);
	put_usage(out, r, row);
	put_cost(out, r, row);
	put_timing(out, r, row);
}

/* Entries stand outside of any brackets: what is between them is written here. */
static void open_entry(UT_string *out, int n)
{
	if (n > 0)
		utstring_bincpy(out, ",", 1);
	utstring_bincpy(out, "{", 1);
}

static int put_messages(UT_string *out, const PGresult *r, const char *sender_key, const char *content_key)
{
	int n = 0;

	for (int row = PQntuples(r) - 1; row >= 0; row--) {
		if (!row_has(r, row, MESSAGE_id))
			continue;
		open_entry(out, n++);
		put_message(out, r, row, sender_key, content_key);
		json_close(out, '}');
	}
	return n;
}

int json_history(UT_string *out, const PGresult *messages)
{
	return put_messages(out, messages, "sender", "content");
}

int json_message_rows(UT_string *out, const PGresult *messages)
{
	return put_messages(out, messages, "sender_type", "message_content");
}

int64_t json_dialogue(UT_string *out, const PGresult *r)
{
	enum { ROLE, CONTENT, LEFT_OUT };
	int64_t left_out = 0;
	int n = 0;

	for (int row = PQntuples(r) - 1; row >= 0; row--) {
		if (!row_has(r, row, ROLE)) {
			left_out = row_i64(r, row, LEFT_OUT);
			continue;
		}
		open_entry(out, n++);
		json_text(out, "role", row_text(r, row, ROLE));
		json_text(out, "content", row_text(r, row, CONTENT));
		json_close(out, '}');
	}
	return left_out;
}
