/* SPDX-License-Identifier: GPL-2.0 */
/* Key material: read from files, never from the command line; wiped after use. */
#ifndef PVSVPNCTL_KEY_H
#define PVSVPNCTL_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/pvsvpn.h>

#include "parse.h"

struct key {
	size_t len;
	uint8_t byte[PVSVPN_KEY_MAX];
};

/**
 * key_parse_hex() - convert hex digits to bytes
 * @text: hex digits with white space anywhere, perhaps 0x in front
 * @len: bytes of @text
 * @byte: the bytes, as far as @max allows
 * @max: room in @byte
 *
 * Return: number of digits in @text, or -1 if something else is in it.
 */
ssize_t key_parse_hex(const char *text, size_t len, uint8_t *byte, size_t max);

/**
 * key_read() - read a key file
 * @what: the command, for the error line
 * @file: path, or "-" for standard input
 * @t: transform the key is for
 * @key: to be wiped with key_wipe() by the caller
 *
 * Return: CTL_OK, or CTL_FAILED after saying why; then @key is wiped.
 */
int key_read(const char *what, const char *file, const struct transform *t, struct key *key);

void key_wipe(struct key *key);

#endif /* PVSVPNCTL_KEY_H */
