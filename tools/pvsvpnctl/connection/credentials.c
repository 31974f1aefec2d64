// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "connection/credentials.h"

int credentials_load(const char *what, const struct connection *c, struct credentials *cred)
{
	memset(cred, 0, sizeof(*cred));
	return c->by_certificate ? certificates_load(what, c, &cred->certs) :
				   secret_load(what, c, &cred->secret);
}

void credentials_wipe(struct credentials *cred)
{
	secret_wipe(&cred->secret);
	certificates_wipe(&cred->certs);
}
