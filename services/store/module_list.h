/* module_list: the modules of a finalization as chat hands them over. Pure. */
#ifndef ALP_STORE_MODULES_H
#define ALP_STORE_MODULES_H

#include "json.h"

#define MODULES_MAX 100

/*
 * Checks [{"title", "description", "estimated_duration_hours", "learning_objectives", ...}]
 * and writes the array as clients see modules, each with a new id: for a course
 * that is stored nowhere else. False with err naming what does not fit.
 */
bool modules_show(struct text json, UT_string *out, struct err *err);

#endif
