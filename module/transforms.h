/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one list of ESP transforms, shared by the module and the tool; a new
 * transform is a new line here. It includes nothing.
 *
 * PVSVPN_TRANSFORM(name, encryption, key_bits, attr_bits, integrity, aead, salt, iv, icv)
 *   name        as IKE proposals name it (strongSwan's keywords)
 *   encryption  IKEv2 Encryption Algorithm Transform ID (IANA)
 *   key_bits    size of the encryption key without the salt, in bits
 *   attr_bits   IKEv2 key length attribute: key_bits, or 0 where the
 *               algorithm has but one key length
 *   integrity   IKEv2 Integrity Algorithm Transform ID, 0 for an AEAD
 *   aead        algorithm name for crypto_alloc_aead()
 *   salt        bytes of salt behind the key (RFC 4106, RFC 7634)
 *   iv          bytes of explicit IV in each packet
 *   icv         bytes of integrity check value in each packet
 */
#ifndef _PVSVPN_TRANSFORMS_H
#define _PVSVPN_TRANSFORMS_H

#define PVSVPN_TRANSFORM_LIST(PVSVPN_TRANSFORM)				\
	PVSVPN_TRANSFORM("aes128gcm16", 20, 128, 128, 0, "rfc4106(gcm(aes))", 4, 8, 16) \
	PVSVPN_TRANSFORM("aes192gcm16", 20, 192, 192, 0, "rfc4106(gcm(aes))", 4, 8, 16) \
	PVSVPN_TRANSFORM("aes256gcm16", 20, 256, 256, 0, "rfc4106(gcm(aes))", 4, 8, 16) \
	PVSVPN_TRANSFORM("chacha20poly1305", 28, 256, 0, 0, "rfc7539esp(chacha20,poly1305)", 4, 8, 16)

#endif /* _PVSVPN_TRANSFORMS_H */
