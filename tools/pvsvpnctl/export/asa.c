// SPDX-License-Identifier: GPL-2.0
/* Cisco ASA 9.16 and later: a virtual tunnel interface with IKEv2 */
#include <string.h>

#include "connection/identity.h"
#include "connection/subnet.h"
#include "export/export.h"
#include "print.h"

/* Policies of IKE are global; these numbers must be free. */
#define FIRST_POLICY 100U
/* Characters of the name of a tunnel group */
#define GROUP_MAX 64
/* Bytes, of the device as it comes. The setting is for all connections, so it only gets smaller. */
#define MSS_MAX 1380

static void print_policy(FILE *out, const struct policy *ike, bool combined, unsigned int number)
{
	if (!has_combined(ike, combined))
		return;
	fprintf(out, "crypto ikev2 policy %u\n encryption ", number);
	print_words(out, ASA, ALGORITHM_ENCRYPTION, true, &ike->encryption, combined, " ");
	fputs("\n integrity ", out);
	if (combined)
		fputs("null", out);
	else
		print_words(out, ASA, ALGORITHM_AUTHENTICATION, true, &ike->authentication,
			    false, " ");
	fputs("\n group ", out);
	print_words(out, ASA, ALGORITHM_DH_GROUP, true, &ike->dh, false, " ");
	fputs("\n prf ", out);
	if (combined || ike->prf.count)
		print_prf(out, ASA, ike, " ");
	else
		print_words(out, ASA, ALGORITHM_AUTHENTICATION, true, &ike->authentication,
			    false, " ");
	fprintf(out, "\n lifetime seconds %u\n", ike->lifetime);
}

static void print_esp(FILE *out, const struct connection *far, bool combined)
{
	const struct policy *ipsec = &far->ipsec;

	if (!has_combined(ipsec, combined))
		return;
	fprintf(out, "crypto ipsec ikev2 ipsec-proposal VPN-%s-%s\n protocol esp encryption ",
		far->name, combined ? "GCM" : "CBC");
	print_words(out, ASA, ALGORITHM_ENCRYPTION, false, &ipsec->encryption, combined, " ");
	fputs("\n protocol esp integrity ", out);
	if (combined)
		fputs("null", out);
	else
		print_words(out, ASA, ALGORITHM_AUTHENTICATION, false, &ipsec->authentication,
			    false, " ");
	putc('\n', out);
}

static void print_profile(FILE *out, const struct connection *far)
{
	const struct algorithm *group = first_group(&far->ipsec);
	bool first = far->ipsec.encryption.one[0]->combined;

	print_esp(out, far, first);
	print_esp(out, far, !first);
	fprintf(out, "crypto ipsec profile VPN-%s\n set ikev2 ipsec-proposal", far->name);
	for (int i = 0; i < 2; i++)
		if (has_combined(&far->ipsec, i ? !first : first))
			fprintf(out, " VPN-%s-%s", far->name, (i ? !first : first) ? "GCM" : "CBC");
	putc('\n', out);
	if (group)
		fprintf(out, " set pfs %s\n",
			vendor_word(ASA, ALGORITHM_DH_GROUP, group->word, false));
	fprintf(out, " set security-association lifetime seconds %u\n"
		" set security-association lifetime kilobytes unlimited\n", far->ipsec.lifetime);
}

static void print_group(FILE *out, const struct export *x, const char *name)
{
	uint32_t interval = x->far.dpd_interval < 10 ? 10 : x->far.dpd_interval;

	fprintf(out, "tunnel-group %s type ipsec-l2l\ntunnel-group %s general-attributes\n"
		" default-group-policy VPN-%s\ntunnel-group %s ipsec-attributes\n", name, name,
		x->far.name, name);
	if (interval != x->far.dpd_interval)
		fputs(" ! 10 seconds are the least threshold\n", out);
	fprintf(out, " isakmp keepalive threshold %u retry 2\n"
		" ikev2 remote-authentication pre-shared-key %s\n"
		" ikev2 local-authentication pre-shared-key %s\n", interval, x->secret, x->secret);
}

/*
 * The ASA finds the group by the peer's address when it initiates, and when it responds, first by
 * the peer's identity.
 */
static void print_groups(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	enum identity_kind kind;
	const char *name = identity_name(&far->peer_identity, &kind);
	char peer[FORMAT_MAX];

	format_addr(peer, &far->peer_gateway.addr);
	fprintf(out, "group-policy VPN-%s internal\ngroup-policy VPN-%s attributes\n"
		" vpn-tunnel-protocol ikev2\n", far->name, far->name);
	print_group(out, x, peer);
	if (!strcmp(name, peer) || strlen(name) > GROUP_MAX)
		return;
	fputs("! For the identity of the other end\n", out);
	print_group(out, x, name);
}

/* There is one identity for all connections, the address unless the device has been told. */
static void print_identity(FILE *out, const struct identity *identity)
{
	enum identity_kind kind;
	const char *name = identity_name(identity, &kind);

	if (kind == KIND_FQDN)
		fprintf(out, "! For all connections. Host name and domain must make up\n! %s\n"
			"crypto isakmp identity hostname\n", name);
	else
		fprintf(out, "! The identity must be %s: that of the outside interface, unless\n"
			"! \"crypto isakmp identity\" says otherwise for all connections\n", name);
}

static void print_routes(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	char text[FORMAT_MAX], mask[FORMAT_MAX], peer[FORMAT_MAX];

	if (subnet_list_find(&far->peer_subnets, &far->peer_gateway.addr))
		fprintf(out, "! Packets to %s need a route that is not through the tunnel\n",
			format_addr(text, &far->peer_gateway.addr));
	for (size_t i = 0; i < far->peer_subnets.count; i++)
		fprintf(out, "route VPN-%s %s %s %s 1\n", far->name,
			format_addr(text, &far->peer_subnets.subnet[i].addr),
			format_mask(mask, far->peer_subnets.subnet[i].prefix),
			format_addr(peer, &x->peer));
}

static void print_tunnel(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	char text[FORMAT_MAX], mask[FORMAT_MAX], peer[FORMAT_MAX];

	fprintf(out, "interface Tunnel100\n nameif VPN-%s\n ip address %s %s\n"
		" tunnel source interface %s\n tunnel destination %s\n tunnel mode ipsec ipv4\n"
		" tunnel protection ipsec profile VPN-%s\n no shutdown\n", far->name,
		format_addr(text, &x->own.addr), format_mask(mask, x->own.prefix), x->outside,
		format_addr(peer, &far->peer_gateway.addr), far->name);
	print_routes(out, x);
	fprintf(out, "! Packets from the tunnel need \"sysopt connection permit-vpn\", the usual\n"
		"! setting, or an access list of VPN-%s that permits them\n", far->name);
	fprintf(out, "! For all connections\nsysopt connection tcpmss %u\n",
		x->mss > MSS_MAX ? MSS_MAX : x->mss);
}

void asa_export(FILE *out, const struct export *x)
{
	bool first = x->far.ike.encryption.one[0]->combined;

	fprintf(out, "! Policies %u and %u and Tunnel100 must be free\n", FIRST_POLICY,
		FIRST_POLICY + 1);
	if (x->far.encap_udp)
		fputs("! ESP in UDP needs \"crypto isakmp nat-traversal\", the usual setting\n",
		      out);
	print_identity(out, &x->far.local_identity);
	print_policy(out, &x->far.ike, first, FIRST_POLICY);
	print_policy(out, &x->far.ike, !first, FIRST_POLICY + 1);
	fprintf(out, "crypto ikev2 enable %s\n", x->outside);
	print_profile(out, &x->far);
	print_groups(out, x);
	print_tunnel(out, x);
}
