/* Runs a target once for every file of the folders given. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "target.h"

#define INPUT_MAX (1UL << 20)

static void run_file(const char *folder, const char *name)
{
	static uint8_t data[INPUT_MAX];
	char path[4096];
	FILE *in;
	uint8_t *exact;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	in = fopen(path, "rbe");
	if (in == NULL) {
		perror(path);
		exit(1);
	}
	n = fread(data, 1, sizeof(data), in);
	fclose(in);
	exact = malloc(n > 0 ? n : 1); /* of its own size, so that a read behind its end is seen */
	if (exact == NULL)
		abort();
	memcpy(exact, data, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);

		if (dir == NULL) {
			perror(argv[i]);
			return 1;
		}
		for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
			if (e->d_name[0] == '.')
				continue;
			run_file(argv[i], e->d_name);
			count++;
		}
		closedir(dir);
	}
	printf("%d inputs\n", count);
	return count > 0 ? 0 : 1;
}
