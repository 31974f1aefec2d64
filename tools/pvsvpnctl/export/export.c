// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <string.h>

#include "connection/identity.h"
#include "connection/subnet.h"
#include "error.h"
#include "export/export.h"
#include "export/make.h"
#include "print.h"

/* Bytes. With every transform and UDP, the packets fit into 1500, over IPv4 and over IPv6. */
#define USUAL_MTU 1400
#define USUAL_MTU_OVER_IPV6 1380
/* Bytes that all vendors take */
#define MTU_MIN 576
#define MTU_MAX 9000
/* IPv4 and TCP without options */
#define TCP_HEADERS 40

#define ALNUM_ONLY " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

const struct vendor vendors[VENDORS] = {
	[STRONGSWAN] = {
		.name = "strongswan", .title = "strongSwan 5.8 and later (swanctl.conf)", .comment = "#",
		.can = CAN_IKEV1 | CAN_EMAIL | CAN_KEY_ID | CAN_SUBNETS | CAN_IPV6 |
		       CAN_PRF | CAN_BOTH | NO_INTERFACE | NO_ADDRESS | NO_MSS,
		.name_max = CONNECTION_NAME_MAX,
		.secret_max = SECRET_MAX, .secret_bad = "\"\\",
		.name_bad = "include", .print = strongswan_export,
	},
	[LIBRESWAN] = {
		.name = "libreswan", .title = "Libreswan 4.9 and later (ipsec.conf)", .comment = "#",
		.can = CAN_IKEV1 | CAN_EMAIL | CAN_KEY_ID | CAN_SUBNETS | CAN_IPV6 |
		       CAN_BOTH | NO_INTERFACE | NO_ADDRESS | NO_BYPASS | NO_MSS,
		.name_max = CONNECTION_NAME_MAX, .lifetime_min = 600,
		.secret_max = SECRET_MAX, .secret_bad = "\"", .print = libreswan_export,
	},
	[IOS_XE] = {
		.name = "ios-xe", .title = "Cisco IOS-XE 17", .comment = "!",
		.can = CAN_EMAIL | CAN_KEY_ID | CAN_PRF | CAN_BOTH | ONE_PFS,
		.name_max = 23,
		.secret_max = 127, .secret_bad = ALNUM_ONLY,
		.outside = "GigabitEthernet1", .inside = "GigabitEthernet2", .print = ios_xe_export,
	},
	[ASA] = {
		.name = "asa", .title = "Cisco ASA 9.16 and later", .comment = "!",
		.can = CAN_ANY | NEEDS_TUNNEL | CAN_PRF | CAN_BOTH | ONE_PFS,
		.name_max = 27,
		.secret_max = 127, .secret_bad = ALNUM_ONLY,
		.outside = "outside", .print = asa_export,
	},
	[SRX] = {
		.name = "srx", .title = "Juniper SRX, Junos 23.4 and later", .comment = "#",
		.can = CAN_IKEV1 | CAN_EMAIL | CAN_KEY_ID | CAN_BOTH | ONE_PFS | FIXED_PRF,
		.name_max = 28,
		.secret_max = SECRET_MAX, .secret_bad = "\"\\$",
		.outside = "ge-0/0/0.0", .print = srx_export,
	},
	[FORTIGATE] = {
		.name = "fortigate", .title = "Fortinet FortiGate, FortiOS 7", .comment = "#",
		.can = CAN_IKEV1 | CAN_EMAIL | CAN_KEY_ID | CAN_BOTH,
		.name_max = 15,
		.secret_max = SECRET_MAX, .secret_bad = "\"\\?",
		.outside = "wan1", .inside = "internal", .print = fortigate_export,
	},
	[MIKROTIK] = {
		.name = "mikrotik", .title = "MikroTik RouterOS 7", .comment = "#",
		.can = CAN_IKEV1 | CAN_EMAIL | CAN_KEY_ID | CAN_PRF | CAN_BOTH | ONE_PFS |
		       ONE_HASH | ONE_PRF | NO_INTERFACE | NO_ADDRESS,
		.name_max = CONNECTION_NAME_MAX,
		.secret_max = SECRET_MAX, .secret_bad = "\"\\$?", .print = mikrotik_export,
	},
	[VYOS] = {
		.name = "vyos", .title = "VyOS 1.4 and later", .comment = "#",
		.can = CAN_IKEV1 | CAN_EMAIL | CAN_KEY_ID | CAN_SUBNETS | CAN_IPV6 |
		       CAN_PRF | CAN_BOTH | ONE_PFS | ONE_PRF,
		.name_max = CONNECTION_NAME_MAX,
		.secret_max = SECRET_MAX, .secret_bad = "\"'\\",
		.outside = "eth0", .print = vyos_export,
	},
	[OPENWRT] = {
		.name = "openwrt", .title = "OpenWrt 25.12, strongSwan with swanctl", .comment = "#",
		.can = CAN_IKEV1 | CAN_EMAIL | CAN_KEY_ID | CAN_SUBNETS | CAN_IPV6 |
		       CAN_PRF | CAN_BOTH | ONE_PRF | NO_INTERFACE | NO_ADDRESS |
		       NO_BYPASS | NO_MSS,
		.name_max = CONNECTION_NAME_MAX,
		.secret_max = SECRET_MAX, .secret_bad = "\"'\\#{} ",
		.outside = "wan", .inside = "lan", .print = openwrt_export,
	},
	[IBM_VPC] = {
		.name = "ibm-vpc", .title = "IBM Cloud VPN for VPC (Terraform)", .comment = "#",
		.can = CAN_ANY | NEEDS_UDP | NO_ADDRESS | NO_MSS,
		.name_max = CONNECTION_NAME_MAX, .lifetime_min = 1800,
		.secret_max = SECRET_MAX, .secret_bad = " \"'/;<=>?[\\]_`{|}~",
		.print = ibm_vpc_export,
	},
};

/* ---- the far end ---- */

/* The other host of a link of two: of a /30, a /31, a /126 or a /127 */
static bool other_of_two(const struct subnet *own, struct addr *other)
{
	uint8_t bits = own->addr.len * 8 - own->prefix, last = own->addr.len - 1;
	uint8_t host = own->addr.byte[last] & 3;

	*other = own->addr;
	other->byte[last] ^= bits == 1 ? 1 : 3;
	/* In a /30, 0 is the network, and 3 is for broadcast. */
	return bits == 1 || (bits == 2 && (host == 1 || host == 2));
}

/*
 * The first address of the tunnel whose other end is known: that of IPv4, or of IPv6 if the vendor
 * has it
 */
static const struct subnet *pick_address(const struct exporting *e, const struct subnet_list *list)
{
	uint8_t max = vendors[e->vendor].can & CAN_IPV6 ? 16 : 4;
	struct addr other;

	if (vendors[e->vendor].can & NO_ADDRESS)
		return NULL;
	for (uint8_t len = 4; len <= max; len += 12)
		for (size_t i = 0; i < list->count; i++)
			if (list->subnet[i].addr.len == len && other_of_two(&list->subnet[i], &other))
				return &list->subnet[i];
	return NULL;
}

static void mirror_tunnel(const struct exporting *e, const struct connection *c, struct export *x)
{
	const struct subnet *own = pick_address(e, &c->tunnel_addresses);
	char text[FORMAT_MAX];

	if (own) {
		other_of_two(own, &x->own.addr);
		x->own.prefix = own->prefix;
		x->peer = own->addr;
	}
	for (size_t i = 0; i < c->tunnel_addresses.count; i++) {
		const struct subnet *one = &c->tunnel_addresses.subnet[i];

		if (one != own)
			fprintf(e->left_out, "TunnelAddress %s: %s\n", format_subnet(text, one),
				vendors[e->vendor].can & NO_ADDRESS ?
				"the tunnel there has no address" :
				own ? "one is exported, of IPv4 if there is one" :
				"only a /30 or a /31 tells the far end's address");
	}
}

static void mirror_sizes(const struct exporting *e, const struct connection *c, struct export *x)
{
	bool has_mss = c->mss >= PVSVPN_MSS_CLAMP_MIN;

	x->mtu = c->mtu ?: c->peer_gateway.addr.len == 16 ? USUAL_MTU_OVER_IPV6 : USUAL_MTU;
	x->mss = has_mss ? c->mss : x->mtu - TCP_HEADERS;
	if (c->mtu && (vendors[e->vendor].can & NO_ADDRESS))
		fprintf(e->left_out, "MTU %u: the tunnel there has no setting for it\n", c->mtu);
	if (has_mss && (vendors[e->vendor].can & NO_MSS))
		fprintf(e->left_out, "MSS %u: the tunnel there has no setting for it\n", c->mss);
}

/* The lists stay @c's. */
static void mirror(const struct exporting *e, const struct connection *c, struct export *x)
{
	struct connection *far = &x->far;

	*far = *c;
	far->local_gateway = c->peer_gateway.addr;
	memset(&far->peer_gateway, 0, sizeof(far->peer_gateway));
	far->peer_gateway.addr = e->address.len ? e->address : c->local_gateway;
	far->local_identity = c->peer_identity;
	far->peer_identity = c->local_identity;
	far->local_subnets = c->peer_subnets;
	far->peer_subnets = c->local_subnets;
	x->other_waits = !c->initiate;
	mirror_sizes(e, c, x);
	mirror_tunnel(e, c, x);
}

/* ---- what the vendor has ---- */

static bool has_word(enum vendor_index vendor, enum algorithm_kind kind,
		     const struct algorithm *one, bool ike)
{
	/* A word for doing without has no proposal. */
	return !*one->proposal || vendor_word(vendor, kind, one->word, ike);
}

static bool has_algorithm(const struct algorithm_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->one[i]->word, word))
			return true;
	return false;
}

/* The PRF of a combined mode whose key length decides on it */
static const char *fixed_prf(const struct algorithm *combined)
{
	return strcmp(combined->word, "aes256gcm16") ? "sha256" : "sha384";
}

__attribute__((format(printf, 3, 4)))
static int cannot(const struct exporting *e, const char *todo, const char *fmt, ...)
{
	char why[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return ctl_error(CTL_FAILED, e->what, e->name, todo, "%s: %s", vendors[e->vendor].title, why);
}

/* Every vendor can write such an identity, with and without quotes. */
#define IDENTITY_CHARACTERS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@:/+"

static int check_identity(const struct exporting *e, const char *key,
			  const struct identity *identity)
{
	unsigned int can = vendors[e->vendor].can;
	enum identity_kind kind;

	identity_name(identity, &kind);
	if (kind == KIND_IPV6 && !(can & CAN_IPV6))
		return cannot(e, "take a name", "%s is an IPv6 address", key);
	if (kind == KIND_EMAIL && !strchr(identity->text, '@'))
		return cannot(e, "take NAME@DOMAIN", "%s is an e-mail address without a domain", key);
	if (identity->text[strspn(identity->text, IDENTITY_CHARACTERS)] && kind != KIND_SUBJECT)
		return cannot(e, "take one of letters, digits, and - _ . @ : / +",
			      "%s has other characters", key);
	if (kind == KIND_EMAIL && !(can & CAN_EMAIL))
		return cannot(e, "take an address or a name", "%s is an e-mail address", key);
	if (kind == KIND_KEY_ID && !(can & CAN_KEY_ID))
		return cannot(e, "take an address or a name", "%s is a key ID", key);
	if (kind == KIND_SUBJECT)
		return cannot(e, "take an address or a name", "%s is the subject of a certificate",
			      key);
	return CTL_OK;
}

/* Whether all packets of a family would be in the tunnel */
static bool takes_all(const struct connection *far)
{
	for (size_t i = 0; i < far->local_subnets.count; i++)
		for (size_t j = 0; j < far->peer_subnets.count; j++)
			if (!far->local_subnets.subnet[i].prefix &&
			    !far->peer_subnets.subnet[j].prefix &&
			    subnets_equal(&far->local_subnets.subnet[i],
					  &far->peer_subnets.subnet[j]))
				return true;
	return false;
}

static int check_subnets(const struct exporting *e, const struct connection *far)
{
	unsigned int can = vendors[e->vendor].can;
	bool several = far->local_subnets.count > 1 || far->peer_subnets.count > 1;

	if (!(can & CAN_IPV6) && (subnet_list_has_family(&far->local_subnets, 16) ||
				  subnet_list_has_family(&far->peer_subnets, 16) ||
				  far->local_gateway.len == 16 || far->peer_gateway.addr.len == 16))
		return cannot(e, "make a connection for IPv4 alone",
			      "IPv6 is exported only for strongswan, libreswan, vyos and openwrt");
	if ((can & NO_BYPASS) && sites_overlap(far))
		return cannot(e, "name smaller prefixes in LocalSubnets",
			      "without an interface, packets inside its own site would go into the tunnel");
	if ((can & NO_INTERFACE) && takes_all(far))
		return cannot(e, "name the prefixes of one site",
			      "without an interface, all of its own packets would go into the tunnel");
	if (several && (far->ike.version == 1 || !(can & (CAN_SUBNETS | CAN_ANY))))
		return cannot(e, "take one wider prefix",
			      "a child SA has one prefix of each end");
	return CTL_OK;
}

static void leave_out(const struct exporting *e, const char *key, const struct algorithm *one,
		      bool ike, const char *why)
{
	fprintf(e->left_out, "%s %s of the %s policy: %s\n", key, one->word, ike ? "IKE" : "IPsec",
		why);
}

static int none_left(const struct exporting *e, const char *key, const struct algorithm *one)
{
	return ctl_error(CTL_FAILED, e->what, e->name, "take another policy", "%s has no %s %s",
			 vendors[e->vendor].title, key, one->word);
}

/* Takes words out of @list that the vendor does not have. Return: CTL_OK, or CTL_FAILED. */
static int filter(const struct exporting *e, const char *key, enum algorithm_kind kind, bool ike,
		  struct algorithm_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (has_word(e->vendor, kind, list->one[i], ike))
			list->one[kept++] = list->one[i];
		else
			leave_out(e, key, list->one[i], ike, "the vendor does not have it");
	}
	if (list->count && !kept)
		return none_left(e, key, list->one[0]);
	list->count = kept;
	return CTL_OK;
}

/* Keeps the first word that is real, if the vendor takes one. */
static void keep_one(const struct exporting *e, const char *key, bool ike,
		     struct algorithm_list *list)
{
	const struct algorithm *first = NULL;

	for (size_t i = 0; i < list->count; i++) {
		if (!*list->one[i]->proposal)
			continue;
		if (first)
			leave_out(e, key, list->one[i], ike, "the vendor takes one");
		else
			first = list->one[i];
	}
	if (first) {
		list->one[0] = first;
		list->count = 1;
	}
}

/* CBC needs a hash, and GCM none. After one kind is left out, the other's words make no sense. */
static void fit_authentication(struct policy *policy)
{
	struct algorithm_list *list = &policy->authentication;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (has_combined(policy, list->one[i]->combined))
			list->one[kept++] = list->one[i];
	list->count = kept;
}

typedef bool fits_fn(const struct policy *policy, const struct algorithm *encryption);

/* Leaves out encryption that does not fit the policy. Return: how many are left. */
static size_t keep_encryption(const struct exporting *e, struct policy *policy, bool ike,
			      fits_fn *fits, const char *why)
{
	struct algorithm_list *list = &policy->encryption;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (fits(policy, list->one[i]))
			list->one[kept++] = list->one[i];
		else
			leave_out(e, "Encryption", list->one[i], ike, why);
	}
	list->count = kept;
	return kept;
}

static bool is_first_kind(const struct policy *policy, const struct algorithm *encryption)
{
	return encryption->combined == policy->encryption.one[0]->combined;
}

static void keep_one_kind(const struct exporting *e, struct policy *policy)
{
	keep_encryption(e, policy, false, is_first_kind,
			policy->encryption.one[0]->combined ?
			"the vendor cannot have it beside GCM" :
			"the vendor cannot have GCM beside CBC");
}

static bool has_fixed_prf(const struct policy *policy, const struct algorithm *encryption)
{
	return !encryption->combined || has_algorithm(&policy->prf, fixed_prf(encryption));
}

/* Leaves out combined modes whose PRF is not in the policy, where the key decides on the PRF. */
static int fit_fixed_prf(const struct exporting *e, struct policy *policy)
{
	if (!policy->prf.count || !(vendors[e->vendor].can & FIXED_PRF) ||
	    keep_encryption(e, policy, true, has_fixed_prf,
			    "the vendor's PRF for it is not in the policy"))
		return CTL_OK;
	return cannot(e, "name more PRFs, or leave PRF out",
		      "the key length decides on the PRF of GCM, and PRF does not have that one");
}

static bool needs_no_hash(const struct policy *policy, const struct algorithm *encryption)
{
	(void)policy;
	return encryption->combined;
}

/* Leaves out encryption that needs a hash, as none is left. */
static int without_hash(const struct exporting *e, struct policy *policy)
{
	if (keep_encryption(e, policy, true, needs_no_hash,
			    "the hash is the PRF there, and Authentication has no PRF of the policy"))
		return CTL_OK;
	return cannot(e, "name it in Authentication, too",
		      "the hash is the PRF, and Authentication has no PRF of the policy");
}

/* Leaves out hashes that are not among the PRFs, if the vendor takes the hash as the PRF, too. */
static int fit_prf(const struct exporting *e, struct policy *policy)
{
	struct algorithm_list *list = &policy->authentication;
	size_t kept = 0, hashes = 0;

	if (!policy->prf.count || !has_combined(policy, false) || (vendors[e->vendor].can & CAN_PRF))
		return CTL_OK;
	for (size_t i = 0; i < list->count; i++) {
		if (list->one[i]->combined || has_algorithm(&policy->prf, list->one[i]->word)) {
			hashes += !list->one[i]->combined;
			list->one[kept++] = list->one[i];
		} else {
			leave_out(e, "Authentication", list->one[i], true,
				  "the vendor would take it as the PRF, too");
		}
	}
	list->count = kept;
	return hashes ? CTL_OK : without_hash(e, policy);
}

/* Encryption that is not combined needs a hash: "none" is not enough. */
static int filter_authentication(const struct exporting *e, struct policy *policy, bool ike)
{
	struct algorithm_list *list = &policy->authentication;
	struct algorithm_list before = *list;
	int ret = filter(e, "Authentication", ALGORITHM_AUTHENTICATION, ike, list);

	if (ret || !has_combined(policy, false))
		return ret;
	for (size_t i = 0; i < list->count; i++)
		if (!list->one[i]->combined)
			return CTL_OK;
	for (size_t i = 0; i < before.count; i++)
		if (!before.one[i]->combined)
			ret = ret ?: none_left(e, "Authentication", before.one[i]);
	return ret;
}

static int filter_hashes(const struct exporting *e, struct policy *policy, bool ike)
{
	int ret;

	fit_authentication(policy);
	ret = filter_authentication(e, policy, ike) ?:
	      filter(e, "PRF", ALGORITHM_AUTHENTICATION, true, &policy->prf) ?:
	      fit_prf(e, policy);
	if (ret)
		return ret;
	if (ike && (vendors[e->vendor].can & ONE_HASH))
		keep_one(e, "Authentication", ike, &policy->authentication);
	if (vendors[e->vendor].can & ONE_PRF)
		keep_one(e, "PRF", ike, &policy->prf);
	return CTL_OK;
}

static int filter_policy(const struct exporting *e, struct policy *policy, bool ike)
{
	const char *group = ike ? "DHGroup" : "PFS";
	int ret = filter(e, "Encryption", ALGORITHM_ENCRYPTION, ike, &policy->encryption) ?:
		  fit_fixed_prf(e, policy);

	if (ret)
		return ret;
	if (!ike && !(vendors[e->vendor].can & CAN_BOTH))
		keep_one_kind(e, policy);
	ret = filter_hashes(e, policy, ike) ?:
	      filter(e, group, ALGORITHM_DH_GROUP, ike, &policy->dh) ?:
	      filter(e, "AdditionalKeyExchange", ALGORITHM_ADDITIONAL, ike, &policy->additional);
	if (!ret && !ike && (vendors[e->vendor].can & ONE_PFS))
		keep_one(e, group, ike, &policy->dh);
	return ret;
}

static int check_lifetime(const struct exporting *e, const char *kind, uint32_t seconds)
{
	uint32_t min = vendors[e->vendor].lifetime_min;

	if (seconds >= min)
		return CTL_OK;
	return cannot(e, "take another policy", "Lifetime = %u of the %s policy is less than %u",
		      seconds, kind, min);
}

static int check_mtu(const struct exporting *e, uint32_t mtu)
{
	if (!mtu || (mtu >= MTU_MIN && mtu <= MTU_MAX))
		return CTL_OK;
	return cannot(e, "take another value", "MTU = %u is not from %u to %u", mtu, MTU_MIN, MTU_MAX);
}

static int check(const struct exporting *e, const struct connection *c, const struct export *x)
{
	const struct vendor *vendor = &vendors[e->vendor];

	if (c->by_certificate)
		return cannot(e, "configure it by hand", "the export has no certificates");
	if (e->address.len && (!addr_is_of_gateway(&e->address) ||
			       !memcmp(&e->address, &c->peer_gateway.addr, sizeof(e->address))))
		return cannot(e, "give the address at which the far end reaches this gateway",
			      "\"address\" is not one of this gateway");
	if (!x->far.peer_gateway.addr.len)
		return cannot(e, "say it with \"address ADDRESS\"",
			      "the far end needs the address of this one, and there is no LocalGateway");
	if (x->far.local_gateway.len && x->far.local_gateway.len != x->far.peer_gateway.addr.len)
		return cannot(e, "give an address of the family of PeerGateway",
			      "one end has an IPv4 address, and the other an IPv6 address");
	if ((vendor->can & NEEDS_TUNNEL) && !x->own.addr.len)
		return cannot(e, "add TunnelAddress with a /30 or a /31, such as 169.254.10.1/30",
			      "its tunnel needs addresses");
	if ((vendor->can & NEEDS_UDP) && !c->encap_udp)
		return cannot(e, "set Encapsulation = udp", "it receives ESP only in UDP");
	if (c->ike.version == 1 && !(vendor->can & CAN_IKEV1))
		return cannot(e, "take version 2", "there is no IKEv1");
	if (strlen(c->name) > vendor->name_max)
		return cannot(e, "take a shorter name", "names have at most %zu characters",
			      vendor->name_max);
	if (vendor->name_bad && !strcmp(c->name, vendor->name_bad))
		return cannot(e, "take another name", "the name %s has a meaning there", c->name);
	return check_lifetime(e, "IKE", c->ike.lifetime) ?:
	       check_lifetime(e, "IPsec", c->ipsec.lifetime) ?:
	       check_mtu(e, c->mtu) ?:
	       check_subnets(e, &x->far) ?:
	       check_identity(e, "LocalIdentity", &c->local_identity) ?:
	       check_identity(e, "PeerIdentity", &c->peer_identity);
}

int export_make(const struct exporting *e, const struct connection *c, struct export *x)
{
	mirror(e, c, x);
	return check(e, c, x) ?: filter_policy(e, &x->far.ike, true) ?:
	       filter_policy(e, &x->far.ipsec, false);
}

/* ---- for the printers ---- */

bool sites_overlap(const struct connection *far)
{
	for (size_t i = 0; i < far->local_subnets.count; i++)
		for (size_t j = 0; j < far->peer_subnets.count; j++)
			if (subnets_overlap(&far->local_subnets.subnet[i],
					    &far->peer_subnets.subnet[j]))
				return true;
	return false;
}

void print_words(FILE *out, enum vendor_index vendor, enum algorithm_kind kind, bool ike,
		 const struct algorithm_list *list, bool combined, const char *between)
{
	const char *before = "";

	for (size_t i = 0; i < list->count; i++) {
		if (list->one[i]->combined != combined || !*list->one[i]->proposal)
			continue;
		fprintf(out, "%s%s", before,
			vendor_word(vendor, kind, list->one[i]->word, ike));
		before = between;
	}
}

bool has_combined(const struct policy *policy, bool combined)
{
	for (size_t i = 0; i < policy->encryption.count; i++)
		if (policy->encryption.one[i]->combined == combined)
			return true;
	return false;
}

const struct algorithm *first_group(const struct policy *policy)
{
	for (size_t i = 0; i < policy->dh.count; i++)
		if (*policy->dh.one[i]->proposal)
			return policy->dh.one[i];
	return NULL;
}

static void with_groups(const struct policy *policy, size_t groups, struct combination one,
			combination_fn *fn, void *data)
{
	size_t done = 0;

	for (size_t i = 0; i < policy->dh.count && done < groups; i++) {
		if (!*policy->dh.one[i]->proposal)
			continue;
		one.group = policy->dh.one[i];
		fn(data, &one);
		done++;
	}
	if (!done)
		fn(data, &one);
}

void each_combination(const struct policy *policy, size_t groups, combination_fn *fn, void *data)
{
	for (size_t i = 0; i < policy->encryption.count; i++) {
		struct combination one = { .encryption = policy->encryption.one[i] };

		if (one.encryption->combined)
			with_groups(policy, groups, one, fn, data);
		for (size_t j = 0; j < policy->authentication.count && !one.encryption->combined; j++) {
			one.auth = policy->authentication.one[j];
			if (!one.auth->combined)
				with_groups(policy, groups, one, fn, data);
		}
	}
}

void print_prf(FILE *out, enum vendor_index vendor, const struct policy *policy, const char *between)
{
	bool long_key = false;

	if (policy->prf.count) {
		print_words(out, vendor, ALGORITHM_AUTHENTICATION, true, &policy->prf, false, between);
		return;
	}
	for (size_t i = 0; i < policy->encryption.count; i++)
		long_key |= !strcmp(policy->encryption.one[i]->word, "aes256gcm16");
	if (long_key)
		fprintf(out, "%s%s", vendor_word(vendor, ALGORITHM_AUTHENTICATION, "sha384", true),
			between);
	fputs(vendor_word(vendor, ALGORITHM_AUTHENTICATION, "sha256", true), out);
}

static const char *format_dots(char *text, uint32_t bits)
{
	snprintf(text, FORMAT_MAX, "%u.%u.%u.%u", bits >> 24, bits >> 16 & 255, bits >> 8 & 255,
		 bits & 255);
	return text;
}

const char *format_mask(char *text, uint8_t prefix)
{
	return format_dots(text, prefix ? UINT32_MAX << (32 - prefix) : 0);
}

const char *format_wildcard(char *text, uint8_t prefix)
{
	return format_dots(text, prefix ? ~(UINT32_MAX << (32 - prefix)) : UINT32_MAX);
}
