/* SPDX-License-Identifier: GPL-2.0 */
/* Credentials by which this end authenticates itself and its peer */
#ifndef PVSVPNCTL_CREDENTIALS_H
#define PVSVPNCTL_CREDENTIALS_H

#include "connection/certificate.h"
#include "connection/connection.h"

/**
 * struct credentials - the credentials of a connection
 * @secret: the pre-shared secret; empty with certificates
 * @certs: the certificates; empty with a secret
 */
struct credentials {
	struct secret secret;
	struct certificates certs;
};

/**
 * credentials_load() - read the files that the connection names
 * @what: the command, for error lines
 * @c: the connection
 * @cred: filled in; to be wiped with credentials_wipe(), also after a failure
 *
 * Return: CTL_OK; CTL_DENIED or CTL_FAILED after saying why.
 */
int credentials_load(const char *what, const struct connection *c, struct credentials *cred);
void credentials_wipe(struct credentials *cred);

#endif /* PVSVPNCTL_CREDENTIALS_H */
