/* unit: cmocka with the headers it wants before it. For *_test.c only. */
#ifndef ALP_UNIT_H
#define ALP_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
