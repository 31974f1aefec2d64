/* SPDX-License-Identifier: GPL-2.0 */
/* X.509 certificates of a connection, for authentication (RFC 7296 section 2.15). */
#ifndef PVSVPNCTL_CERTIFICATE_H
#define PVSVPNCTL_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#include "connection/connection.h"

/* SHA-1 of a public key in hexadecimal digits, as the daemon names a private key */
#define KEY_ID_LEN 40

/**
 * struct der - data in DER (ITU-T X.690)
 * @bytes: the data, from malloc()
 * @len: length in bytes
 */
struct der {
	uint8_t *bytes;
	size_t len;
};

/**
 * struct certificates - the three files of a connection, once checked
 * @own: certificate of this end
 * @key: its private key; to be wiped
 * @ca: certificate of the CA that issued the peer's
 * @key_id: name of @key
 */
struct certificates {
	struct der own;
	struct der key;
	struct der ca;
	char key_id[KEY_ID_LEN + 1];
};

/**
 * certificates_load() - read the files and check that the daemon can use them
 * @what: the command, for error lines
 * @c: the connection
 * @certs: filled in; to be wiped with certificates_wipe(), also after a failure
 *
 * Return: CTL_OK, or CTL_FAILED or CTL_DENIED after saying what is wrong in which file.
 */
int certificates_load(const char *what, const struct connection *c, struct certificates *certs);

/* Frees the certificates, and wipes the key. */
void certificates_wipe(struct certificates *certs);

#endif /* PVSVPNCTL_CERTIFICATE_H */
