// SPDX-License-Identifier: GPL-2.0
/* swanctl.conf of strongSwan, with policies in the kernel and no interface */
#include "export/export.h"
#include "print.h"

static void print_addr(FILE *out, const char *key, const struct addr *addr)
{
	char text[FORMAT_MAX];

	if (addr->len)
		fprintf(out, "\t\t%s = %s\n", key, format_addr(text, addr));
}

static void print_subnets(FILE *out, const char *key, const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	fprintf(out, "\t\t\t\t%s = ", key);
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i ? "," : "", format_subnet(text, &list->subnet[i]));
	putc('\n', out);
}

/* @data: the file; "" in front of the first proposal */
struct list_of_proposals {
	FILE *out;
	const char *before;
};

static void print_proposal(void *data, const char *proposal)
{
	struct list_of_proposals *list = data;

	fprintf(list->out, "%s%s", list->before, proposal);
	list->before = ",";
}

static void print_proposals(FILE *out, const char *key, const struct connection *far, bool ike)
{
	struct list_of_proposals list = { out, "" };

	fprintf(out, "%s = ", key);
	policy_proposals(ike ? &far->ike : &far->ipsec, ike, far->ike.version, print_proposal, &list);
	putc('\n', out);
}

static void print_end(FILE *out, const char *section, const struct identity *identity)
{
	char text[IDENTITY_TEXT_MAX];

	fprintf(out, "\t\t%s {\n\t\t\tauth = psk\n\t\t\tid = \"%s\"\n\t\t}\n", section,
		identity_text(text, identity));
}

/* Packets inside the far site stay there, though the other site's prefix holds them. */
static void print_bypass(FILE *out, const struct connection *far)
{
	fprintf(out, "\t\t\t%s-own {\n", far->name);
	print_subnets(out, "local_ts", &far->local_subnets);
	print_subnets(out, "remote_ts", &far->local_subnets);
	fputs("\t\t\t\tmode = pass\n\t\t\t\tstart_action = trap\n\t\t\t}\n", out);
}

static void print_child(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	uint32_t life = far->ipsec.lifetime;

	fprintf(out, "\t\tchildren {\n\t\t\t%s {\n", far->name);
	print_subnets(out, "local_ts", &far->local_subnets);
	print_subnets(out, "remote_ts", &far->peer_subnets);
	fputs("\t\t\t\t", out);
	print_proposals(out, "esp_proposals", far, false);
	fprintf(out, "\t\t\t\tlife_time = %us\n\t\t\t\trekey_time = %us\n", life, life / 10 * 9);
	fprintf(out, "\t\t\t\treplay_window = %u\n", far->replay_window);
	fputs("\t\t\t\tstart_action = start\n\t\t\t\tdpd_action = restart\n", out);
	if (x->other_waits)
		fputs("\t\t\t\tclose_action = start\n", out);
	fputs("\t\t\t}\n", out);
	if (sites_overlap(far))
		print_bypass(out, far);
	fputs("\t\t}\n", out);
}

static void print_secret(FILE *out, const struct export *x)
{
	char own[IDENTITY_TEXT_MAX], peer[IDENTITY_TEXT_MAX];

	fprintf(out, "secrets {\n\tike-%s {\n\t\tid-1 = \"%s\"\n\t\tid-2 = \"%s\"\n", x->far.name,
		identity_text(own, &x->far.local_identity),
		identity_text(peer, &x->far.peer_identity));
	fprintf(out, "\t\tsecret = \"%s\"\n\t}\n}\n", x->secret);
}

void strongswan_export(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;

	fprintf(out, "# Save it as /etc/swanctl/conf.d/%s.conf, then: swanctl --load-all\n"
		"# The firewall must let in UDP 500 and 4500, and the gateway must forward packets\n"
		"# (net.ipv4.ip_forward). No connection of pvsvpn may be on the same strongSwan\n",
		far->name);
	if (policy_has_additional(&far->ike) || policy_has_additional(&far->ipsec))
		fputs("# ML-KEM needs strongSwan 6.0 or later\n", out);
	fprintf(out, "connections {\n\t%s {\n\t\tversion = %u\n", far->name, far->ike.version);
	print_addr(out, "local_addrs", &far->local_gateway);
	print_addr(out, "remote_addrs", &far->peer_gateway.addr);
	fputs("\t\t", out);
	print_proposals(out, "proposals", far, true);
	fprintf(out, "\t\tencap = %s\n", far->encap_udp ? "yes" : "no");
	fprintf(out, "\t\trekey_time = %us\n\t\tover_time = %us\n", far->ike.lifetime / 10 * 9,
		far->ike.lifetime / 10);
	fprintf(out, "\t\t# dpd_timeout is for IKEv1; IKEv2 uses retransmit_* of strongswan.conf\n"
		"\t\tdpd_delay = %us\n\t\tdpd_timeout = %us\n", far->dpd_interval,
		far->dpd_interval * far->dpd_threshold);
	fprintf(out, "\t\tkeyingtries = 0\n");
	print_end(out, "local", &far->local_identity);
	print_end(out, "remote", &far->peer_identity);
	print_child(out, x);
	fputs("\t}\n}\n\n", out);
	print_secret(out, x);
}
