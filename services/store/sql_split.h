/* sql_split: a script of migrations, one statement after the other. Pure. */
#ifndef ALP_SQL_SPLIT_H
#define ALP_SQL_SPLIT_H

#include "text.h"

/*
 * Takes the next statement off *script, without its semicolon and without what
 * only precedes it (blanks, comments); empty when none is left. It knows
 * '...', "...", $tag$...$tag$ and both kinds of comments, not E'\'' and not
 * bodies that begin with "atomic": our scripts have neither.
 */
struct text sql_next(struct text *script);

#endif
