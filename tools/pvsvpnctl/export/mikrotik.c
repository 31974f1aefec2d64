// SPDX-License-Identifier: GPL-2.0
/* MikroTik RouterOS 7: policies, as it has no tunnel interface for IPsec */
#include <string.h>

#include "connection/identity.h"
#include "connection/subnet.h"
#include "export/export.h"
#include "print.h"

static void print_list(FILE *out, enum algorithm_kind kind, bool ike,
		       const struct algorithm_list *list)
{
	bool both = false;

	print_words(out, MIKROTIK, kind, ike, list, true, ",");
	for (size_t i = 0; i + 1 < list->count; i++)
		both |= list->one[i]->combined != list->one[i + 1]->combined;
	if (both)
		putc(',', out);
	print_words(out, MIKROTIK, kind, ike, list, false, ",");
}

/* Other characters need quotation marks; of these, \ stands before $ and ?. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:@_-"

static void print_id(FILE *out, const char *key, const struct identity *identity)
{
	enum identity_kind kind;
	const char *name = identity_name(identity, &kind);
	const char *word = kind == KIND_FQDN ? "fqdn" : kind == KIND_EMAIL ? "user-fqdn" :
			   kind == KIND_KEY_ID ? "key-id" : "address";
	const char *quote = name[strspn(name, PLAIN)] ? "\"" : "";

	fprintf(out, " %s=%s%s:", key, quote, word);
	for (; *name; name++)
		fprintf(out, "%s%c", strchr("$?", *name) ? "\\" : "", *name);
	fputs(quote, out);
}

/* In IKEv1, RouterOS compares addresses alone: remote-id stays auto, which takes any identity. */
static bool compares(const struct connection *far)
{
	enum identity_kind kind;

	identity_name(&far->peer_identity, &kind);
	return far->ike.version == 2 || kind == KIND_IPV4 || kind == KIND_IPV6;
}

static void print_profile(FILE *out, const struct connection *far)
{
	const char *hash = vendor_word(MIKROTIK, ALGORITHM_AUTHENTICATION,
				       far->ike.authentication.one[0]->word, true);

	fprintf(out, "/ip ipsec profile add name=%s dh-group=", far->name);
	print_list(out, ALGORITHM_DH_GROUP, true, &far->ike.dh);
	fputs(" enc-algorithm=", out);
	print_list(out, ALGORITHM_ENCRYPTION, true, &far->ike.encryption);
	fprintf(out, " hash-algorithm=%s prf-algorithm=%s lifetime=%us dpd-interval=%us dpd-maximum-failures=%u nat-traversal=yes\n", hash,
		far->ike.prf.count ? vendor_word(MIKROTIK, ALGORITHM_AUTHENTICATION,
						 far->ike.prf.one[0]->word, true) : "auto",
		far->ike.lifetime, far->dpd_interval, far->dpd_threshold);
}

static void print_proposal(FILE *out, const struct connection *far)
{
	const struct algorithm *group = first_group(&far->ipsec);

	fprintf(out, "/ip ipsec proposal add name=%s enc-algorithms=", far->name);
	print_list(out, ALGORITHM_ENCRYPTION, false, &far->ipsec.encryption);
	fputs(" auth-algorithms=", out);
	if (has_combined(&far->ipsec, false))
		print_words(out, MIKROTIK, ALGORITHM_AUTHENTICATION, false,
			    &far->ipsec.authentication, false, ",");
	else
		fputs("null", out);
	fprintf(out, " pfs-group=%s lifetime=%us\n",
		group ? vendor_word(MIKROTIK, ALGORITHM_DH_GROUP, group->word, false) : "none",
		far->ipsec.lifetime);
}

static void print_peer(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	char text[FORMAT_MAX];

	fprintf(out, "/ip ipsec peer add name=%s address=%s/32", far->name,
		format_addr(text, &far->peer_gateway.addr));
	if (far->local_gateway.len)
		fprintf(out, " local-address=%s", format_addr(text, &far->local_gateway));
	fprintf(out, " exchange-mode=%s profile=%s\n", far->ike.version == 1 ? "main" : "ike2",
		far->name);
	if (!compares(far))
		fputs("# In IKEv1, RouterOS takes any identity of the peer\n", out);
	fprintf(out, "/ip ipsec identity add peer=%s auth-method=pre-shared-key secret=\"%s\"",
		far->name, x->secret);
	print_id(out, "my-id", &far->local_identity);
	if (compares(far))
		print_id(out, "remote-id", &far->peer_identity);
	fputs(" generate-policy=no\n", out);
}

static void print_policy(FILE *out, const struct connection *far, const char *own, const char *peer)
{
	const struct subnet *from = far->local_subnets.subnet, *to = far->peer_subnets.subnet;

	/* Without it, the router's own packets to its site would go into the tunnel. */
	if (to->prefix < from->prefix && subnets_overlap(from, to))
		fprintf(out, "/ip ipsec policy add action=none src-address=%s dst-address=%s\n", own,
			own);
	fprintf(out, "/ip ipsec policy add peer=%s tunnel=yes src-address=%s dst-address=%s proposal=%s level=unique\n", far->name, own, peer, far->name);
}

static void print_filter(FILE *out, const struct connection *far, const char *own, const char *peer)
{
	static const char add[] = "/ip firewall filter add action=accept";
	char from[FORMAT_MAX];

	format_addr(from, &far->peer_gateway.addr);
	fputs("# Move these above the rules of their chain that drop or fasttrack\n", out);
	fprintf(out, "%s chain=input protocol=udp src-address=%s dst-port=500,4500\n", add, from);
	if (!far->encap_udp)
		fprintf(out, "%s chain=input protocol=ipsec-esp src-address=%s\n", add, from);
	fprintf(out, "%s chain=forward src-address=%s dst-address=%s ipsec-policy=in,ipsec\n", add,
		peer, own);
	fprintf(out, "%s chain=forward src-address=%s dst-address=%s ipsec-policy=out,ipsec\n", add,
		own, peer);
}

/* A packet that NAT has changed no longer fits the policy. The manual, too, puts the rule first. */
static void print_nat(FILE *out, const char *own, const char *peer)
{
	fputs("# Without other NAT rules, place-before=0 fails, and this rule is not needed\n", out);
	fprintf(out, "/ip firewall nat add chain=srcnat action=accept src-address=%s dst-address=%s place-before=0\n", own, peer);
}

void mikrotik_export(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	char own[FORMAT_MAX], peer[FORMAT_MAX];

	format_subnet(own, far->local_subnets.subnet);
	format_subnet(peer, far->peer_subnets.subnet);
	fputs("# RouterOS has its own order of algorithms, and in IKEv2 ignores dpd-maximum-failures\n",
	      out);
	print_profile(out, far);
	print_proposal(out, far);
	print_peer(out, x);
	print_policy(out, far, own, peer);
	for (int i = 0; i < 2; i++)
		fprintf(out, "/ip firewall mangle add chain=forward action=change-mss new-mss=%u passthrough=yes protocol=tcp tcp-flags=syn tcp-mss=%u-65535 ipsec-policy=%s,ipsec\n", x->mss, x->mss + 1, i ? "in" : "out");
	print_filter(out, far, own, peer);
	print_nat(out, own, peer);
}
