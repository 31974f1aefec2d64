// SPDX-License-Identifier: GPL-2.0
/* The file of a connection, and all checks of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/connection.h"
#include "connection/strongswan.h"
#include "error.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	char *text = ctl_alloc(NULL, size + 1);
	struct connection c;

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	memcpy(text, data, size);
	text[size] = '\0';
	setenv("PVSVPN_CONFIG_DIR", "/dev/null", 1);
	ctl_error_mute(true);
	/* A valid connection is printed as the daemon would get it. */
	if (!connection_parse("fuzz", "site-b", text, &c))
		strongswan_print(nowhere, &c);
	connection_free(&c);
	free(text);
	return 0;
}
