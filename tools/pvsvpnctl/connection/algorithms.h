/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The algorithms that IKE and IPsec policies may contain. "check", "policies", the daemon's
 * proposals and the test of all policies are derived from this table.
 */
#ifndef PVSVPNCTL_ALGORITHMS_H
#define PVSVPNCTL_ALGORITHMS_H

/* Kinds of policy that may contain a word; LEGACY: only with AllowLegacy */
#define IN_IKE		1
#define IN_IPSEC	2
#define LEGACY		4

/*
 * _(word, the VPN service's other names, where, combined mode, name in a proposal of strongSwan,
 * its pseudo-random functions in IKE if the mode has no hash, what "swanctl --list-algs" calls it)
 */
#define ENCRYPTION_LIST(_)						\
	_("aes128", "aes-128-cbc", "", IN_IKE | IN_IPSEC, false, "aes128", "", "AES_CBC") \
	_("aes192", "aes-192-cbc", "", IN_IKE | IN_IPSEC, false, "aes192", "", "AES_CBC") \
	_("aes256", "aes-256-cbc", "", IN_IKE | IN_IPSEC, false, "aes256", "", "AES_CBC") \
	_("aes128gcm16", "aes-128-gcm", "", IN_IKE | IN_IPSEC, true,	\
	  "aes128gcm16", "prfsha256", "AES_GCM_16")			\
	_("aes192gcm16", "aes-192-gcm", "", IN_IPSEC, true,		\
	  "aes192gcm16", "", "AES_GCM_16")				\
	_("aes256gcm16", "aes-256-gcm", "", IN_IKE | IN_IPSEC, true,	\
	  "aes256gcm16", "prfsha384-prfsha256", "AES_GCM_16")		\
	_("3des", "3des-cbc", "", IN_IKE | IN_IPSEC | LEGACY, false,	\
	  "3des", "", "3DES_CBC")

/* _(word, other names, where, false, name in a proposal, "", in --list-algs) */
#define AUTHENTICATION_LIST(_)						\
	_("sha256", "sha-256", "hmac-sha-256-128", IN_IKE | IN_IPSEC, false, \
	  "sha256", "", "HMAC_SHA2_256_128")				\
	_("sha384", "sha-384", "hmac-sha-384-192", IN_IKE | IN_IPSEC, false, \
	  "sha384", "", "HMAC_SHA2_384_192")				\
	_("sha512", "sha-512", "hmac-sha-512-256", IN_IKE | IN_IPSEC, false, \
	  "sha512", "", "HMAC_SHA2_512_256")				\
	_("sha1", "sha-1", "hmac-sha1-96", IN_IKE | IN_IPSEC | LEGACY, false, \
	  "sha1", "", "HMAC_SHA1_96")					\
	_("none", "disabled", "", IN_IKE | IN_IPSEC, true, "", "", "")

/* The same; the words are the numbers of IANA's registry. */
#define DH_GROUP_LIST(_)						\
	_("14", "", "", IN_IKE | IN_IPSEC, false, "modp2048", "", "MODP_2048") \
	_("15", "", "", IN_IKE | IN_IPSEC, false, "modp3072", "", "MODP_3072") \
	_("16", "", "", IN_IKE | IN_IPSEC, false, "modp4096", "", "MODP_4096") \
	_("17", "", "", IN_IKE | IN_IPSEC, false, "modp6144", "", "MODP_6144") \
	_("18", "", "", IN_IKE | IN_IPSEC, false, "modp8192", "", "MODP_8192") \
	_("19", "", "", IN_IKE | IN_IPSEC, false, "ecp256", "", "ECP_256") \
	_("20", "", "", IN_IKE | IN_IPSEC, false, "ecp384", "", "ECP_384") \
	_("21", "", "", IN_IKE | IN_IPSEC, false, "ecp521", "", "ECP_521") \
	_("22", "", "", IN_IKE | IN_IPSEC, false, "modp1024s160", "", "MODP_1024_160") \
	_("23", "", "", IN_IKE | IN_IPSEC, false, "modp2048s224", "", "MODP_2048_224") \
	_("24", "", "", IN_IKE | IN_IPSEC, false, "modp2048s256", "", "MODP_2048_256") \
	_("31", "", "", IN_IKE | IN_IPSEC, false, "curve25519", "", "CURVE_25519") \
	_("1", "", "", IN_IKE | IN_IPSEC | LEGACY, false, "modp768", "", "MODP_768") \
	_("2", "", "", IN_IKE | IN_IPSEC | LEGACY, false, "modp1024", "", "MODP_1024") \
	_("5", "", "", IN_IKE | IN_IPSEC | LEGACY, false, "modp1536", "", "MODP_1536")

#endif /* PVSVPNCTL_ALGORITHMS_H */
