/* settings_rows: a row of ai_settings() as the bus's ai_settings, borrowed from the result. Pure. at: the column
 * of SETTINGS_user_id. */
#ifndef ALP_SETTINGS_ROWS_H
#define ALP_SETTINGS_ROWS_H

#include "messages.h"
#include "rows.h"

/* No row, and what is null, is the server's: empty. */
void settings_read(const PGresult *r, int at, struct ai_settings *out);

/* Of the user's own, as it is stored; empty: none. */
struct text settings_key(const PGresult *r, int at);

#endif
