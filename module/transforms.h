/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one list of ESP transforms, shared by the module and the tool; a new
 * transform is a new line here. This file includes nothing.
 *
 * PVSVPN_TRANSFORM(name, encryption, key_bits, attr_bits, integrity, aead, extra, iv, icv, block,
 *		    legacy)
 *   name        the name in IKE proposals (strongSwan's keywords)
 *   encryption  IKEv2 Encryption Algorithm Transform ID (IANA)
 *   key_bits    size of the encryption key without the salt, in bits
 *   attr_bits   IKEv2 key length attribute: key_bits, or 0 if the algorithm
 *               has only one key length
 *   integrity   IKEv2 Integrity Algorithm Transform ID, 0 for an AEAD
 *   aead        algorithm name for crypto_alloc_aead()
 *   extra       bytes of key material after the encryption key: the salt of an
 *               AEAD, or else the integrity key (RFC 7296 section 2.17)
 *   iv          bytes of explicit IV in each packet
 *   icv         bytes of integrity check value in each packet
 *   block       bytes of a cipher block, 1 for a stream cipher
 *   legacy      1 if the transform is used only on an operator's request: 3DES
 *               (RFC 8221 section 5), SHA-1 (RFC 8247 section 2.3)
 */
#ifndef _PVSVPN_TRANSFORMS_H
#define _PVSVPN_TRANSFORMS_H

#define PVSVPN_TRANSFORM_LIST(PVSVPN_TRANSFORM)				\
	PVSVPN_TRANSFORM("aes128gcm16", 20, 128, 128, 0, "rfc4106(gcm(aes))", 4, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes192gcm16", 20, 192, 192, 0, "rfc4106(gcm(aes))", 4, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes256gcm16", 20, 256, 256, 0, "rfc4106(gcm(aes))", 4, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes128gcm12", 19, 128, 128, 0, "rfc4106(gcm(aes))", 4, 8, 12, 1, 0) \
	PVSVPN_TRANSFORM("aes192gcm12", 19, 192, 192, 0, "rfc4106(gcm(aes))", 4, 8, 12, 1, 0) \
	PVSVPN_TRANSFORM("aes256gcm12", 19, 256, 256, 0, "rfc4106(gcm(aes))", 4, 8, 12, 1, 0) \
	PVSVPN_TRANSFORM("aes128gcm8", 18, 128, 128, 0, "rfc4106(gcm(aes))", 4, 8, 8, 1, 0) \
	PVSVPN_TRANSFORM("aes192gcm8", 18, 192, 192, 0, "rfc4106(gcm(aes))", 4, 8, 8, 1, 0) \
	PVSVPN_TRANSFORM("aes256gcm8", 18, 256, 256, 0, "rfc4106(gcm(aes))", 4, 8, 8, 1, 0) \
	PVSVPN_TRANSFORM("chacha20poly1305", 28, 256, 0, 0, "rfc7539esp(chacha20,poly1305)", 4, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes128ccm16", 16, 128, 128, 0, "rfc4309(ccm(aes))", 3, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes192ccm16", 16, 192, 192, 0, "rfc4309(ccm(aes))", 3, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes256ccm16", 16, 256, 256, 0, "rfc4309(ccm(aes))", 3, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes128ccm12", 15, 128, 128, 0, "rfc4309(ccm(aes))", 3, 8, 12, 1, 0) \
	PVSVPN_TRANSFORM("aes192ccm12", 15, 192, 192, 0, "rfc4309(ccm(aes))", 3, 8, 12, 1, 0) \
	PVSVPN_TRANSFORM("aes256ccm12", 15, 256, 256, 0, "rfc4309(ccm(aes))", 3, 8, 12, 1, 0) \
	PVSVPN_TRANSFORM("aes128ccm8", 14, 128, 128, 0, "rfc4309(ccm(aes))", 3, 8, 8, 1, 0) \
	PVSVPN_TRANSFORM("aes192ccm8", 14, 192, 192, 0, "rfc4309(ccm(aes))", 3, 8, 8, 1, 0) \
	PVSVPN_TRANSFORM("aes256ccm8", 14, 256, 256, 0, "rfc4309(ccm(aes))", 3, 8, 8, 1, 0) \
	PVSVPN_TRANSFORM("aes128gmac", 21, 128, 128, 0, "rfc4543(gcm(aes))", 4, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes192gmac", 21, 192, 192, 0, "rfc4543(gcm(aes))", 4, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes256gmac", 21, 256, 256, 0, "rfc4543(gcm(aes))", 4, 8, 16, 1, 0) \
	PVSVPN_TRANSFORM("aes128-sha256", 12, 128, 128, 12, "authenc(hmac(sha256),cbc(aes))", 32, 16, 16, 16, 0) \
	PVSVPN_TRANSFORM("aes128-sha384", 12, 128, 128, 13, "authenc(hmac(sha384),cbc(aes))", 48, 16, 24, 16, 0) \
	PVSVPN_TRANSFORM("aes128-sha512", 12, 128, 128, 14, "authenc(hmac(sha512),cbc(aes))", 64, 16, 32, 16, 0) \
	PVSVPN_TRANSFORM("aes128-sha1", 12, 128, 128, 2, "authenc(hmac(sha1),cbc(aes))", 20, 16, 12, 16, 1) \
	PVSVPN_TRANSFORM("aes192-sha256", 12, 192, 192, 12, "authenc(hmac(sha256),cbc(aes))", 32, 16, 16, 16, 0) \
	PVSVPN_TRANSFORM("aes192-sha384", 12, 192, 192, 13, "authenc(hmac(sha384),cbc(aes))", 48, 16, 24, 16, 0) \
	PVSVPN_TRANSFORM("aes192-sha512", 12, 192, 192, 14, "authenc(hmac(sha512),cbc(aes))", 64, 16, 32, 16, 0) \
	PVSVPN_TRANSFORM("aes192-sha1", 12, 192, 192, 2, "authenc(hmac(sha1),cbc(aes))", 20, 16, 12, 16, 1) \
	PVSVPN_TRANSFORM("aes256-sha256", 12, 256, 256, 12, "authenc(hmac(sha256),cbc(aes))", 32, 16, 16, 16, 0) \
	PVSVPN_TRANSFORM("aes256-sha384", 12, 256, 256, 13, "authenc(hmac(sha384),cbc(aes))", 48, 16, 24, 16, 0) \
	PVSVPN_TRANSFORM("aes256-sha512", 12, 256, 256, 14, "authenc(hmac(sha512),cbc(aes))", 64, 16, 32, 16, 0) \
	PVSVPN_TRANSFORM("aes256-sha1", 12, 256, 256, 2, "authenc(hmac(sha1),cbc(aes))", 20, 16, 12, 16, 1) \
	PVSVPN_TRANSFORM("null-sha256", 11, 0, 0, 12, "authenc(hmac(sha256),ecb(cipher_null))", 32, 0, 16, 1, 0) \
	PVSVPN_TRANSFORM("null-sha384", 11, 0, 0, 13, "authenc(hmac(sha384),ecb(cipher_null))", 48, 0, 24, 1, 0) \
	PVSVPN_TRANSFORM("null-sha512", 11, 0, 0, 14, "authenc(hmac(sha512),ecb(cipher_null))", 64, 0, 32, 1, 0) \
	PVSVPN_TRANSFORM("null-sha1", 11, 0, 0, 2, "authenc(hmac(sha1),ecb(cipher_null))", 20, 0, 12, 1, 1) \
	PVSVPN_TRANSFORM("3des-sha256", 3, 192, 0, 12, "authenc(hmac(sha256),cbc(des3_ede))", 32, 8, 16, 8, 1) \
	PVSVPN_TRANSFORM("3des-sha384", 3, 192, 0, 13, "authenc(hmac(sha384),cbc(des3_ede))", 48, 8, 24, 8, 1) \
	PVSVPN_TRANSFORM("3des-sha512", 3, 192, 0, 14, "authenc(hmac(sha512),cbc(des3_ede))", 64, 8, 32, 8, 1) \
	PVSVPN_TRANSFORM("3des-sha1", 3, 192, 0, 2, "authenc(hmac(sha1),cbc(des3_ede))", 20, 8, 12, 8, 1)

#endif /* _PVSVPN_TRANSFORMS_H */
