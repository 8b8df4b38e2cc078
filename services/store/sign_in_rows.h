/* sign_in_rows: a result of SIGN_IN and its kin as the catalogue's group. Any thread; pure. */
#ifndef ALP_SIGN_IN_ROWS_H
#define ALP_SIGN_IN_ROWS_H

#include "columns.h"
#include "messages.h"
#include "rows.h"

/* Of a verdict that is "ok". */
static inline struct signed_in signed_in_read(const PGresult *r)
{
	return (struct signed_in){ .sign_in_id = row_uuid(r, 0, SIGNED_IN_sign_in_id),
				   .token_version = row_i64(r, 0, SIGNED_IN_token_version),
				   .claimed_tracks = row_i64(r, 0, SIGNED_IN_claimed_tracks),
				   .claimed_chats = row_i64(r, 0, SIGNED_IN_claimed_chats),
				   .claimed_settings = row_text(r, 0, SIGNED_IN_claimed_settings) };
}

#endif
