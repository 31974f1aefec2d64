// SPDX-License-Identifier: GPL-2.0
/* Passes each file of the command line to a parser: a bug that was found must not return. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/tap.h"

#define INPUT_MAX (1 << 20)

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		uint8_t *buffer = malloc(INPUT_MAX), *data;
		FILE *in = fopen(argv[i], "re");
		size_t size = in ? fread(buffer, 1, INPUT_MAX, in) : 0;

		/* As large as the input, so that a sanitizer sees a read past its end */
		data = malloc(size ? size : 1);
		memcpy(data, buffer, size);
		ok(in && !LLVMFuzzerTestOneInput(data, size), argv[i]);
		if (in)
			fclose(in);
		free(data);
		free(buffer);
	}
	return tap_end();
}
