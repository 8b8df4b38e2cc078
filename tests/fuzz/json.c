/* json_parse: what it accepts, the writer can write, and it accepts that again. */
#include "json.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	cJSON *tree = json_parse(text_of(data, size), &err);
	char *printed;

	if (tree == NULL) {
		HOLDS(err.rc == RC_INVALID && err.message[0] != '\0');
		return 0;
	}
	printed = cJSON_PrintUnformatted(tree);
	HOLDS(printed != NULL);
	cJSON_Delete(tree);
	tree = json_parse(text_from(printed), &err);
	HOLDS(tree != NULL);
	cJSON_Delete(tree);
	cJSON_free(printed);
	return 0;
}
