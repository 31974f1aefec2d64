// SPDX-License-Identifier: GPL-2.0
/* ipsec.conf of Libreswan, with policies in the kernel and no interface */
#include "connection/identity.h"
#include "export/export.h"
#include "print.h"

/* A bare name would be resolved. */
static void print_identity(FILE *out, const struct identity *identity)
{
	enum identity_kind kind;
	const char *name = identity_name(identity, &kind);

	if (kind == KIND_FQDN)
		fprintf(out, "@%s", name);
	else if (kind == KIND_KEY_ID)
		fprintf(out, "@[%s]", name);
	else
		fputs(name, out);
}

static void print_end(FILE *out, const char *side, const struct addr *addr,
		      const struct identity *identity, const struct subnet_list *subnets)
{
	char text[FORMAT_MAX];

	fprintf(out, "\t%s=%s\n\t%sid=", side, addr->len ? format_addr(text, addr) : "%defaultroute",
		side);
	print_identity(out, identity);
	fprintf(out, "\n\t%ssubnet=", side);
	for (size_t i = 0; i < subnets->count; i++)
		fprintf(out, "%s%s", i ? "," : "", format_subnet(text, &subnets->subnet[i]));
	putc('\n', out);
}

/* Prints a proposal with all encryptions of a kind. Return: whether there is one. */
static bool print_proposal(FILE *out, const struct policy *policy, bool ike, bool combined,
			   const char *before)
{
	if (!has_combined(policy, combined))
		return false;
	fputs(before, out);
	print_words(out, LIBRESWAN, ALGORITHM_ENCRYPTION, ike, &policy->encryption, combined, "+");
	if (!combined) {
		putc('-', out);
		print_words(out, LIBRESWAN, ALGORITHM_AUTHENTICATION, ike, &policy->authentication,
			    false, "+");
	} else if (ike) {
		putc('-', out);
		print_prf(out, LIBRESWAN, policy, "+");
	}
	/* After "-", the group of GCM in ESP would be a hash. */
	if (first_group(policy)) {
		putc(ike ? '-' : ';', out);
		print_words(out, LIBRESWAN, ALGORITHM_DH_GROUP, ike, &policy->dh, false, "+");
	}
	return true;
}

struct proposals {
	FILE *out;
	bool ike;
	const char *before;
};

static void print_single(void *data, const struct combination *one)
{
	struct proposals *p = data;

	fprintf(p->out, "%s%s", p->before,
		vendor_word(LIBRESWAN, ALGORITHM_ENCRYPTION, one->encryption->word, p->ike));
	if (one->auth)
		fprintf(p->out, "-%s",
			vendor_word(LIBRESWAN, ALGORITHM_AUTHENTICATION, one->auth->word, p->ike));
	if (one->group)
		fprintf(p->out, "%c%s", p->ike ? '-' : ';',
			vendor_word(LIBRESWAN, ALGORITHM_DH_GROUP, one->group->word, p->ike));
	p->before = ",";
}

/* A proposal of IKEv1 has one algorithm of each kind. */
static void print_proposals(FILE *out, const char *key, const struct policy *policy, bool ike,
			    uint32_t version)
{
	bool first = policy->encryption.one[0]->combined;
	struct proposals p = { out, ike, "" };

	fprintf(out, "\t%s=", key);
	if (version == 1) {
		each_combination(policy, policy->dh.count, print_single, &p);
	} else {
		print_proposal(out, policy, ike, first, "");
		print_proposal(out, policy, ike, !first, ",");
	}
	putc('\n', out);
}

void libreswan_export(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	uint32_t silence = far->dpd_interval * far->dpd_threshold;

	fprintf(out, "# Save it as /etc/ipsec.d/%s.conf, then: ipsec auto --start %s\nconn %s\n",
		far->name, far->name, far->name);
	if (far->ike.version == 1)
		fputs("\t# IKEv1 needs ikev1-policy=accept in \"config setup\" of ipsec.conf\n", out);
	fprintf(out, "\tikev2=%s\n\tauthby=secret\n", far->ike.version == 1 ? "no" : "insist");
	print_end(out, "left", &far->local_gateway, &far->local_identity, &far->local_subnets);
	print_end(out, "right", &far->peer_gateway.addr, &far->peer_identity, &far->peer_subnets);
	if (far->local_subnets.count > 1 || far->peer_subnets.count > 1)
		fputs("\t# Several prefixes need Libreswan 5.0 or later\n", out);
	print_proposals(out, "ike", &far->ike, true, far->ike.version);
	print_proposals(out, "esp", &far->ipsec, false, far->ike.version);
	fprintf(out, "\tpfs=%s\n", first_group(&far->ipsec) ? "yes" : "no");
	fprintf(out, "\tikelifetime=%us\n\tsalifetime=%us\n", far->ike.lifetime,
		far->ipsec.lifetime);
	fprintf(out, "\tdpddelay=%u\n\tdpdaction=restart\n", far->dpd_interval);
	fprintf(out, far->ike.version == 1 ? "\tdpdtimeout=%u\n" : "\tretransmit-timeout=%us\n",
		silence);
	fprintf(out, "\tencapsulation=%s\n\treplay-window=%u\n\tauto=start\n",
		far->encap_udp ? "yes" : "auto", far->replay_window);
	fprintf(out, "\n# /etc/ipsec.d/%s.secrets, mode 600:\n# ", far->name);
	print_identity(out, &far->local_identity);
	putc(' ', out);
	print_identity(out, &far->peer_identity);
	fprintf(out, " : PSK \"%s\"\n", x->secret);
}
