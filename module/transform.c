// SPDX-License-Identifier: GPL-2.0
/* The table of ESP transforms, and AEADs with their keys. */
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <uapi/linux/pvsvpn.h>

#include "transform.h"
#include "transforms.h"

/* The trailer ends on a multiple of at least 4 bytes (RFC 4303 section 2.4). */
#define TRANSFORM(name_, encryption_, key_bits, attr_bits_, integrity_,	\
		  aead_, extra, iv, icv, block, legacy_)		\
	{ .name = name_, .encryption = encryption_,			\
	  .attr_bits = attr_bits_, .integrity = integrity_,		\
	  .aead = aead_, .key_len = (key_bits) / 8, .extra_len = extra,	\
	  .iv_len = iv, .icv_len = icv,					\
	  .align = (block) < 4 ? 4 : (block),				\
	  .random_iv = (block) > 1, .legacy = legacy_ },
const struct pvsvpn_transform pvsvpn_transforms[PVSVPN_TRANSFORMS] = {
	PVSVPN_TRANSFORM_LIST(TRANSFORM)
};
#undef TRANSFORM

/**
 * pvsvpn_transform_find() - find a transform by its IANA numbers
 * @encryption: IKEv2 Encryption Algorithm Transform ID
 * @attr_bits: IKEv2 key length attribute, 0 for none
 * @integrity: IKEv2 Integrity Algorithm Transform ID, 0 for an AEAD
 *
 * Context: any.
 * Return: the transform, or NULL if it is not supported.
 */
const struct pvsvpn_transform *
pvsvpn_transform_find(u16 encryption, u16 attr_bits, u16 integrity)
{
	const struct pvsvpn_transform *t;

	for (t = pvsvpn_transforms; t < pvsvpn_transforms + PVSVPN_TRANSFORMS; t++)
		if (t->encryption == encryption && t->attr_bits == attr_bits &&
		    t->integrity == integrity)
			return t;
	return NULL;
}

/**
 * pvsvpn_transform_find_aead() - find a transform by XFRM's description
 * @aead: algorithm name for crypto_alloc_aead()
 * @key_bits: length of the key in bits, with the salt of an AEAD, without an integrity key
 * @icv_bits: length of the ICV in bits
 *
 * Context: any.
 * Return: the transform, or NULL if it is not supported.
 */
const struct pvsvpn_transform *
pvsvpn_transform_find_aead(const char *aead, unsigned int key_bits, unsigned int icv_bits)
{
	const struct pvsvpn_transform *t;
	unsigned int key_len;

	for (t = pvsvpn_transforms; t < pvsvpn_transforms + PVSVPN_TRANSFORMS; t++) {
		key_len = t->key_len + (t->integrity ? 0 : t->extra_len);
		if (key_len * 8 == key_bits && t->icv_len * 8 == icv_bits && !strcmp(t->aead, aead))
			return t;
	}
	return NULL;
}

/**
 * pvsvpn_transform_index() - get the index of a transform in the table
 * @transform: the transform
 *
 * Context: any.
 * Return: the index, 0 to PVSVPN_TRANSFORMS - 1.
 */
unsigned int pvsvpn_transform_index(const struct pvsvpn_transform *transform)
{
	return transform - pvsvpn_transforms;
}

/**
 * pvsvpn_transform_key_len() - get the length of the key material
 * @transform: the transform
 *
 * Context: any.
 * Return: bytes of key and salt, or of both keys, together.
 */
unsigned int
pvsvpn_transform_key_len(const struct pvsvpn_transform *transform)
{
	return transform->key_len + transform->extra_len;
}

/* The key format of authenc(): a length, the integrity key, the encryption key. */
struct authenc_key {
	struct rtattr rta;
	struct crypto_authenc_key_param param;
	u8 keys[PVSVPN_KEY_MAX];
} __packed __aligned(4);

static int authenc_setkey(struct crypto_aead *aead,
			  const struct pvsvpn_transform *transform,
			  const u8 *key)
{
	struct authenc_key blob = {
		.rta.rta_type = CRYPTO_AUTHENC_KEYA_PARAM,
		.rta.rta_len = RTA_LENGTH(sizeof(blob.param)),
		.param.enckeylen = cpu_to_be32(transform->key_len),
	};
	unsigned int len = pvsvpn_transform_key_len(transform);
	int err;

	BUILD_BUG_ON(offsetof(struct authenc_key, keys) != RTA_SPACE(sizeof(blob.param)));
	memcpy(blob.keys, key + transform->key_len, transform->extra_len);
	memcpy(blob.keys + transform->extra_len, key, transform->key_len);
	err = crypto_aead_setkey(aead, (const u8 *)&blob, offsetof(struct authenc_key, keys) + len);
	memzero_explicit(&blob, sizeof(blob));
	return err;
}

static int transform_setkey(struct crypto_aead *aead,
			    const struct pvsvpn_transform *transform,
			    const u8 *key)
{
	if (transform->integrity)
		return authenc_setkey(aead, transform, key);
	return crypto_aead_setkey(aead, key, pvsvpn_transform_key_len(transform));
}

/* Only authenc() depends on the place of the high half of an ESN. */
static struct crypto_aead *
transform_find_driver(const struct pvsvpn_transform *transform, bool esn)
{
	static const char prefix[] = "authenc(";
	char name[CRYPTO_MAX_ALG_NAME];

	if (!esn || !transform->integrity)
		return crypto_alloc_aead(transform->aead, 0, 0);
	snprintf(name, sizeof(name), "authencesn(%s", transform->aead + sizeof(prefix) - 1);
	return crypto_alloc_aead(name, 0, 0);
}

/**
 * pvsvpn_transform_alloc() - allocate an AEAD and set its key
 * @transform: the transform
 * @esn: sequence numbers of 64 bits (RFC 4303 section 2.2.1)
 * @key: key material, pvsvpn_transform_key_len() bytes
 * @extack: receives the error message
 *
 * Context: process; may load the driver's module.
 * Return: the AEAD, for crypto_free_aead(); or an ERR_PTR.
 */
struct crypto_aead *
pvsvpn_transform_alloc(const struct pvsvpn_transform *transform, bool esn,
		       const u8 *key, struct netlink_ext_ack *extack)
{
	struct crypto_aead *aead;
	int err;

	aead = transform_find_driver(transform, esn);
	if (IS_ERR(aead)) {
		NL_SET_ERR_MSG_FMT(extack, "no crypto driver for %.36s (%.17s)",
				   transform->aead, transform->name);
		return aead;
	}
	err = transform_setkey(aead, transform, key);
	if (!err)
		err = crypto_aead_setauthsize(aead, transform->icv_len);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "crypto driver %.40s refused the key",
				   pvsvpn_transform_driver(aead));
		crypto_free_aead(aead);
		return ERR_PTR(err);
	}
	return aead;
}

/**
 * pvsvpn_transform_driver() - get the name of an AEAD's crypto driver
 * @aead: from pvsvpn_transform_alloc()
 *
 * Context: any.
 * Return: the name, as in /proc/crypto.
 */
const char *pvsvpn_transform_driver(struct crypto_aead *aead)
{
	return crypto_tfm_alg_driver_name(crypto_aead_tfm(aead));
}
