/* turn_rows: a row of the view turn_rows as the bus's turn_context and outcome, borrowed from the result. Pure. */
#ifndef ALP_TURN_ROWS_H
#define ALP_TURN_ROWS_H

#include "messages.h"
#include "rows.h"

/* All but history, history_left_out. */
void turn_context_read(const PGresult *r, int row, struct turn_context *out);

/* All but modules of a stored track; iso holds the timestamp and lives as long as out. */
void outcome_read(const PGresult *r, int row, struct outcome *out, char iso[ISO_SIZE]);

/*
 * The rows of QUERY_TURN_MODULES, from row on, for a finalization: the modules
 * of its track go into context while it runs, into outcome with what it
 * changed when it has completed. What belongs to no stored track is in outcome
 * already: all of it was added. at: the column of a module's id. Texts belong
 * to ctx or the result.
 */
void turn_modules_read(const void *ctx, const PGresult *r, int row, int at, struct turn_context *context,
		       struct outcome *outcome);

#endif
