#include "settings_rows.h"

#include "columns.h"

void settings_read(const PGresult *r, int at, struct ai_settings *out)
{
	*out = (struct ai_settings){ 0 };
	if (PQntuples(r) == 0)
		return;
	out->model = row_text(r, 0, at + SETTINGS_model);
	out->base_url = row_text(r, 0, at + SETTINGS_base_url);
	out->max_tokens = row_i64(r, 0, at + SETTINGS_max_tokens);
	out->temperature = row_text(r, 0, at + SETTINGS_temperature);
}

struct text settings_key(const PGresult *r, int at)
{
	return PQntuples(r) > 0 ? row_text(r, 0, at + SETTINGS_api_key) : (struct text){ 0 };
}
