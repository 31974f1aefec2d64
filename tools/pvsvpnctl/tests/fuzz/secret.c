// SPDX-License-Identifier: GPL-2.0
/* The file of a secret. */
#include <stdlib.h>

#include "connection/connection.h"
#include "error.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secret secret;

	ctl_error_mute(true);
	if (!secret_parse("fuzz", "secret", (const char *)data, size, &secret) &&
	    (secret.len < SECRET_MIN || secret.len > SECRET_MAX))
		abort();
	secret_wipe(&secret);
	return 0;
}
