// SPDX-License-Identifier: GPL-2.0
/* Fortinet FortiGate: FortiOS 7, with a tunnel interface */
#include <string.h>

#include "connection/identity.h"
#include "connection/subnet.h"
#include "export/export.h"
#include "print.h"

struct words {
	FILE *out;
	const struct policy *policy;
	bool ike;
	const char *before;
};

/* Phase 1 names a PRF with GCM. */
static void print_proposal(void *data, const struct combination *one)
{
	static const char * const prfs[] = { "sha384", "sha256" };
	struct words *w = data;
	const char *encryption = vendor_word(FORTIGATE, ALGORITHM_ENCRYPTION, one->encryption->word,
					     w->ike);

	if (one->auth) {
		fprintf(w->out, " %s-%s", encryption,
			vendor_word(FORTIGATE, ALGORITHM_AUTHENTICATION, one->auth->word, w->ike));
		return;
	}
	if (!w->ike) {
		fprintf(w->out, " %s", encryption);
		return;
	}
	for (size_t i = 0; i < w->policy->prf.count; i++)
		fprintf(w->out, " %s-prf%s", encryption, w->policy->prf.one[i]->word);
	for (size_t i = !strcmp(one->encryption->word, "aes128gcm16");
	     i < sizeof(prfs) / sizeof(prfs[0]) && !w->policy->prf.count; i++)
		fprintf(w->out, " %s-prf%s", encryption, prfs[i]);
}

static void print_proposals(FILE *out, const struct policy *policy, bool ike)
{
	struct words w = { .out = out, .policy = policy, .ike = ike };

	fputs("        set proposal", out);
	each_combination(policy, 1, print_proposal, &w);
	putc('\n', out);
}

static void print_groups(FILE *out, const struct policy *policy, bool ike)
{
	fputs("        set dhgrp ", out);
	print_words(out, FORTIGATE, ALGORITHM_DH_GROUP, ike, &policy->dh, false, " ");
	putc('\n', out);
}

/* In main mode the address picks the secret; one peer ID is for IKEv2 and aggressive mode. */
static void print_peer(FILE *out, const struct connection *far)
{
	enum identity_kind kind;

	if (far->ike.version == 1)
		fputs("        set peertype any\n", out);
	else
		fprintf(out, "        set peertype one\n        set peerid \"%s\"\n",
			identity_name(&far->peer_identity, &kind));
}

static void print_phase1(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	enum identity_kind kind;
	const char *name = identity_name(&far->local_identity, &kind);
	const char *type = kind == KIND_FQDN ? "fqdn" : kind == KIND_EMAIL ? "user-fqdn" :
			   kind == KIND_KEY_ID ? "keyid" : "address";
	char text[FORMAT_MAX];

	fprintf(out, "config vpn ipsec phase1-interface\n    edit \"%s\"\n"
		"        set interface \"%s\"\n        set ike-version %u\n", far->name, x->outside,
		far->ike.version);
	if (far->ike.version == 1)
		fputs("        set mode main\n", out);
	if (far->local_gateway.len)
		fprintf(out, "        set local-gw %s\n", format_addr(text, &far->local_gateway));
	fprintf(out, "        set keylife %u\n        set authmethod psk\n", far->ike.lifetime);
	print_peer(out, far);
	fputs("        set net-device disable\n", out);
	print_proposals(out, &far->ike, true);
	print_groups(out, &far->ike, true);
	fprintf(out, "        set localid-type %s\n        set localid \"%s\"\n", type, name);
	fprintf(out, "        set nattraversal %s\n        set dpd on-idle\n"
		"        set dpd-retrycount %u\n        set dpd-retryinterval %u\n",
		far->encap_udp ? "forced" : "enable", far->dpd_threshold, far->dpd_interval);
	fprintf(out, "        set remote-gw %s\n        set psksecret \"%s\"\n    next\nend\n",
		format_addr(text, &far->peer_gateway.addr), x->secret);
}

static void print_selector(FILE *out, const char *key, const struct subnet *subnet)
{
	char addr[FORMAT_MAX], mask[FORMAT_MAX];

	fprintf(out, "        set %s %s %s\n", key, format_addr(addr, &subnet->addr),
		format_mask(mask, subnet->prefix));
}

static void print_phase2(FILE *out, const struct connection *far)
{
	fprintf(out, "config vpn ipsec phase2-interface\n    edit \"%s\"\n"
		"        set phase1name \"%s\"\n", far->name, far->name);
	print_proposals(out, &far->ipsec, false);
	if (first_group(&far->ipsec)) {
		fputs("        set pfs enable\n", out);
		print_groups(out, &far->ipsec, false);
	} else {
		fputs("        set pfs disable\n", out);
	}
	fprintf(out, "        set auto-negotiate enable\n        set keylifeseconds %u\n",
		far->ipsec.lifetime);
	print_selector(out, "src-subnet", far->local_subnets.subnet);
	print_selector(out, "dst-subnet", far->peer_subnets.subnet);
	fputs("    next\nend\n", out);
}

static void print_interface(FILE *out, const struct export *x)
{
	char own[FORMAT_MAX], peer[FORMAT_MAX], mask[FORMAT_MAX];

	fprintf(out, "config system interface\n    edit \"%s\"\n        set vdom \"root\"\n"
		"        set type tunnel\n        set interface \"%s\"\n", x->far.name, x->outside);
	/* Both addresses of a /31 would be that of a network or of a broadcast. */
	if (x->own.addr.len == 4)
		fprintf(out, "        set ip %s 255.255.255.255\n        set remote-ip %s %s\n",
			format_addr(own, &x->own.addr), format_addr(peer, &x->peer),
			format_mask(mask, x->own.prefix == 31 ? 32 : x->own.prefix));
	fprintf(out, "        set mtu-override enable\n        set mtu %u\n    next\nend\n", x->mtu);
}

/* While the tunnel is down, packets would go out in clear text. The second route drops them. */
static void print_routes(FILE *out, const struct connection *far)
{
	fputs("config router static\n    edit 0\n", out);
	print_selector(out, "dst", far->peer_subnets.subnet);
	fprintf(out, "        set device \"%s\"\n    next\n    edit 0\n", far->name);
	print_selector(out, "dst", far->peer_subnets.subnet);
	fputs("        set distance 254\n        set blackhole enable\n    next\nend\n", out);
}

static void print_rule(FILE *out, const struct export *x, const char *direction,
		       const char *from, const char *to)
{
	fprintf(out, "    edit 0\n        set name \"%s-%s\"\n        set srcintf \"%s\"\n"
		"        set dstintf \"%s\"\n        set action accept\n        set srcaddr \"all\"\n"
		"        set dstaddr \"all\"\n        set schedule \"always\"\n"
		"        set service \"ALL\"\n        set tcp-mss-sender %u\n"
		"        set tcp-mss-receiver %u\n    next\n", x->far.name, direction, from, to, x->mss,
		x->mss);
}

static void print_notes(FILE *out, const struct connection *far)
{
	char text[FORMAT_MAX];

	fprintf(out, "# No interface may be called %s yet\n", far->name);
	if (far->local_gateway.len)
		fputs("# If this device is behind NAT, leave the line with local-gw out\n", out);
	if (subnet_list_find(&far->peer_subnets, &far->peer_gateway.addr))
		fprintf(out, "# The default route leads into the tunnel: %s needs a route of its own, and other default routes a greater distance than 10\n",
			format_addr(text, &far->peer_gateway.addr));
}

void fortigate_export(FILE *out, const struct export *x)
{
	const char *name = x->far.name;

	print_notes(out, &x->far);
	print_phase1(out, x);
	print_phase2(out, &x->far);
	print_interface(out, x);
	print_routes(out, &x->far);
	fputs("config firewall policy\n", out);
	print_rule(out, x, "out", x->inside, name);
	print_rule(out, x, "in", name, x->inside);
	fputs("end\n", out);
}
