// SPDX-License-Identifier: GPL-2.0
/* Cisco IOS-XE: a tunnel interface (SVTI) with IKEv2 */
#include <string.h>

#include "connection/identity.h"
#include "connection/subnet.h"
#include "export/export.h"
#include "print.h"

/* A profile takes no more. */
#define SETS_MAX 6
/* Bytes; a tunnel takes no larger one. */
#define MSS_MAX 1460

static void print_proposal(FILE *out, const struct connection *far, bool combined)
{
	const struct policy *ike = &far->ike;

	if (!has_combined(ike, combined))
		return;
	fprintf(out, "crypto ikev2 proposal VPN-%s-%s\n encryption ", far->name,
		combined ? "GCM" : "CBC");
	print_words(out, IOS_XE, ALGORITHM_ENCRYPTION, true, &ike->encryption, combined, " ");
	if (combined) {
		fputs("\n prf ", out);
		print_prf(out, IOS_XE, ike, " ");
	} else {
		fputs("\n integrity ", out);
		print_words(out, IOS_XE, ALGORITHM_AUTHENTICATION, true, &ike->authentication,
			    false, " ");
		if (ike->prf.count) {
			fputs("\n prf ", out);
			print_prf(out, IOS_XE, ike, " ");
		}
	}
	fputs("\n group ", out);
	print_words(out, IOS_XE, ALGORITHM_DH_GROUP, true, &ike->dh, false, " ");
	fputs("\n!\n", out);
}

/* The kind of encryption that comes first is proposed first. */
static void print_policy(FILE *out, const struct connection *far)
{
	bool first = far->ike.encryption.one[0]->combined;
	char text[FORMAT_MAX];

	print_proposal(out, far, first);
	print_proposal(out, far, !first);
	fprintf(out, "! IOS-XE finds a policy by the local address, so connections there share it\n"
		"crypto ikev2 policy VPN-%s\n match fvrf any\n", far->name);
	if (far->local_gateway.len)
		fprintf(out, " match address local %s\n", format_addr(text, &far->local_gateway));
	for (int i = 0; i < 2; i++)
		if (has_combined(&far->ike, i ? !first : first))
			fprintf(out, " proposal VPN-%s-%s\n", far->name,
				(i ? !first : first) ? "GCM" : "CBC");
	fputs("!\n", out);
}

static void print_identity(FILE *out, const char *before, const struct identity *identity,
			   bool remote)
{
	enum identity_kind kind;
	const char *name = identity_name(identity, &kind);
	const char *word = kind == KIND_FQDN ? "fqdn" : kind == KIND_EMAIL ? "email" :
			   kind == KIND_KEY_ID ? "key-id" : "address";

	fprintf(out, " %s %s %s", before, word, name);
	if (remote)
		fputs(kind == KIND_IPV4 ? " 255.255.255.255" :
		      kind == KIND_IPV6 ? "/128" : "", out);
	putc('\n', out);
}

static void print_profile(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	uint32_t interval = far->dpd_interval < 10 ? 10 : far->dpd_interval;
	char peer[FORMAT_MAX], text[FORMAT_MAX];

	format_addr(peer, &far->peer_gateway.addr);
	fprintf(out, "crypto ikev2 keyring VPN-%s\n peer VPN-%s\n  address %s\n"
		"  pre-shared-key %s\n!\n", far->name, far->name, peer, x->secret);
	fprintf(out, "crypto ikev2 profile VPN-%s\n", far->name);
	if (far->local_gateway.len)
		fprintf(out, " match address local %s\n", format_addr(text, &far->local_gateway));
	print_identity(out, "match identity remote", &far->peer_identity, true);
	print_identity(out, "identity local", &far->local_identity, false);
	fprintf(out, " authentication remote pre-share\n authentication local pre-share\n"
		" keyring local VPN-%s\n lifetime %u\n", far->name, far->ike.lifetime);
	if (interval != far->dpd_interval)
		fputs(" ! 10 seconds are the least interval\n", out);
	fprintf(out, " dpd %u 2 periodic\n", interval);
	if (far->encap_udp)
		fputs(" nat force-encap\n", out);
	fputs(" no config-exchange request\n!\n", out);
}

struct sets {
	FILE *out;
	const struct connection *far;
	unsigned int count;
};

static void print_set(void *data, const struct combination *one)
{
	struct sets *sets = data;
	bool full = sets->count == SETS_MAX;

	if (full)
		fputs("! Left out, as a profile takes 6 transform sets:", sets->out);
	else
		fprintf(sets->out, "crypto ipsec transform-set VPN-%s-%u", sets->far->name,
			++sets->count);
	fprintf(sets->out, " %s",
		vendor_word(IOS_XE, ALGORITHM_ENCRYPTION, one->encryption->word, false));
	if (one->auth)
		fprintf(sets->out, " %s",
			vendor_word(IOS_XE, ALGORITHM_AUTHENTICATION, one->auth->word, false));
	fputs(full ? "\n" : "\n mode tunnel\n!\n", sets->out);
}

/* The device has windows of these sizes alone. One that is too small would drop packets. */
static unsigned int fit_window(uint32_t window)
{
	unsigned int size = 64;

	while (size < window && size < 1024)
		size *= 2;
	return size;
}

static void print_ipsec(FILE *out, const struct connection *far)
{
	const struct algorithm *group = first_group(&far->ipsec);
	struct sets sets = { out, far, 0 };

	each_combination(&far->ipsec, 1, print_set, &sets);
	fprintf(out, "crypto ipsec profile VPN-%s\n set security-association lifetime seconds %u\n"
		" set security-association lifetime kilobytes disable\n"
		" set security-association replay window-size %u\n set transform-set", far->name,
		far->ipsec.lifetime, fit_window(far->replay_window));
	for (unsigned int i = 1; i <= sets.count; i++)
		fprintf(out, " VPN-%s-%u", far->name, i);
	putc('\n', out);
	if (group)
		fprintf(out, " set pfs %s\n",
			vendor_word(IOS_XE, ALGORITHM_DH_GROUP, group->word, false));
	fprintf(out, " set ikev2-profile VPN-%s\n!\n", far->name);
}

/* Without prefixes of its own, the tunnel asks for any to any. */
static bool has_selector(const struct connection *far)
{
	return far->local_subnets.subnet->prefix || far->peer_subnets.subnet->prefix;
}

/* The child SA has a pair of prefixes. The name begins with a letter, as lists have numbers, too. */
static void print_selector(FILE *out, const struct connection *far)
{
	const struct subnet *own = far->local_subnets.subnet, *peer = far->peer_subnets.subnet;
	char text[4][FORMAT_MAX];

	format_addr(text[0], &own->addr);
	format_wildcard(text[1], own->prefix);
	format_addr(text[2], &peer->addr);
	format_wildcard(text[3], peer->prefix);
	fprintf(out, "ip access-list extended VPN-%s\n permit ip %s %s %s %s\n!\n", far->name,
		text[0], text[1], text[2], text[3]);
}

static void print_routes(FILE *out, const struct connection *far)
{
	char text[FORMAT_MAX], mask[FORMAT_MAX];

	if (subnet_list_find(&far->peer_subnets, &far->peer_gateway.addr))
		fprintf(out, "! Packets to %s need a route that is not through the tunnel\n",
			format_addr(text, &far->peer_gateway.addr));
	for (size_t i = 0; i < far->peer_subnets.count; i++)
		fprintf(out, "ip route %s %s Tunnel100\n",
			format_addr(text, &far->peer_subnets.subnet[i].addr),
			format_mask(mask, far->peer_subnets.subnet[i].prefix));
}

static void print_tunnel(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	char text[FORMAT_MAX], mask[FORMAT_MAX];

	fputs("interface Tunnel100\n", out);
	if (x->own.addr.len)
		fprintf(out, " ip address %s %s\n", format_addr(text, &x->own.addr),
			format_mask(mask, x->own.prefix));
	else
		fprintf(out, " ip unnumbered %s\n", x->inside);
	fprintf(out, " ip mtu %u\n ip tcp adjust-mss %u\n tunnel source %s\n", x->mtu,
		x->mss > MSS_MAX ? MSS_MAX : x->mss,
		x->outside_given || !far->local_gateway.len ? x->outside :
		format_addr(text, &far->local_gateway));
	fprintf(out, " tunnel mode ipsec ipv4\n tunnel destination %s\n",
		format_addr(text, &far->peer_gateway.addr));
	if (has_selector(far))
		fprintf(out, " tunnel protection ipsec policy ipv4 VPN-%s\n", far->name);
	fprintf(out, " tunnel protection ipsec profile VPN-%s\n!\n", far->name);
}

void ios_xe_export(FILE *out, const struct export *x)
{
	char text[FORMAT_MAX];

	fputs("! The number of the tunnel, 100, must be free\n", out);
	if (x->far.local_gateway.len)
		fprintf(out, "! Behind NAT, \"match address local\" and \"tunnel source\" have\n"
			"! the own address of the router in place of %s\n",
			format_addr(text, &x->far.local_gateway));
	print_policy(out, &x->far);
	print_profile(out, x);
	print_ipsec(out, &x->far);
	if (has_selector(&x->far))
		print_selector(out, &x->far);
	print_tunnel(out, x);
	print_routes(out, &x->far);
}
