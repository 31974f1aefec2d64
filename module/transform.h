/* SPDX-License-Identifier: GPL-2.0 */
/* ESP transforms: the table, and AEADs with their keys. */
#ifndef _PVSVPN_TRANSFORM_H
#define _PVSVPN_TRANSFORM_H

#include <linux/types.h>

#include "transforms.h"

struct crypto_aead;
struct netlink_ext_ack;

/**
 * struct pvsvpn_transform - an ESP cipher suite; columns of transforms.h
 * @name: the name in IKE proposals
 * @encryption: IKEv2 Encryption Algorithm Transform ID
 * @attr_bits: IKEv2 key length attribute, 0 if there is only one length
 * @integrity: IKEv2 Integrity Algorithm Transform ID, 0 for an AEAD
 * @aead: algorithm name for crypto_alloc_aead()
 * @key_len: bytes of the encryption key without salt
 * @extra_len: bytes of key material after it: salt, or integrity key
 * @iv_len: bytes of explicit IV in a packet
 * @icv_len: bytes of ICV in a packet
 * @align: the trailer of a packet ends on a multiple of this, in bytes
 * @random_iv: the IV must be unpredictable (CBC, RFC 3602 section 3); without this
 *	it only has to be unique
 * @legacy: only for peers that support nothing better
 */
struct pvsvpn_transform {
	const char *name;
	u16 encryption;
	u16 attr_bits;
	u16 integrity;
	const char *aead;
	u8 key_len;
	u8 extra_len;
	u8 iv_len;
	u8 icv_len;
	u8 align;
	bool random_iv;
	bool legacy;
};

#define PVSVPN_TRANSFORM_ONE(...)	+ 1
/* The number of transforms. */
#define PVSVPN_TRANSFORMS	(0 PVSVPN_TRANSFORM_LIST(PVSVPN_TRANSFORM_ONE))

/* The table. Sizes that are shown before there is an SA are those of the first one. */
extern const struct pvsvpn_transform pvsvpn_transforms[PVSVPN_TRANSFORMS];

/* The longest IV of the table. */
#define PVSVPN_IV_MAX	16

const struct pvsvpn_transform *
pvsvpn_transform_find(u16 encryption, u16 attr_bits, u16 integrity);
const struct pvsvpn_transform *
pvsvpn_transform_find_aead(const char *aead, unsigned int key_bits, unsigned int icv_bits);
unsigned int
pvsvpn_transform_index(const struct pvsvpn_transform *transform);
unsigned int
pvsvpn_transform_key_len(const struct pvsvpn_transform *transform);
struct crypto_aead *
pvsvpn_transform_alloc(const struct pvsvpn_transform *transform, bool esn,
		       const u8 *key, struct netlink_ext_ack *extack);
const char *pvsvpn_transform_driver(struct crypto_aead *aead);

#endif /* _PVSVPN_TRANSFORM_H */
