/* target: what a fuzz target is, for libFuzzer and for replay.c. */
#ifndef ALP_FUZZ_TARGET_H
#define ALP_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that holds for every input. */
#define HOLDS(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

#endif
