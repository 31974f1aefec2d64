// SPDX-License-Identifier: GPL-2.0
/* OpenWrt: /etc/config/ipsec for strongSwan's swanctl, with policies in the kernel */
#include <ctype.h>
#include <string.h>

#include "export/export.h"
#include "print.h"

/* Names of sections have no dash. */
static const char *section_name(char *text, const char *name)
{
	char *to = text;

	for (; *name; name++)
		*to++ = isalnum((unsigned char)*name) ? *name : '_';
	*to = '\0';
	return text;
}

struct proposals {
	FILE *out;
	const char *name;
	bool ike;
	const struct policy *policy;
	unsigned int count;
};

/* The hash is the PRF, too. GCM has no hash; the first of its usual PRFs is the best one. */
static void print_prf_option(const struct proposals *p, const struct combination *one)
{
	const struct algorithm_list *prf = &p->policy->prf;
	const char *usual = one->encryption->prf;

	if (prf->count)
		fprintf(p->out, "\toption prf_algorithm 'prf%s'\n", prf->one[0]->word);
	else if (!one->auth)
		fprintf(p->out, "\toption prf_algorithm '%.*s'\n", (int)strcspn(usual, "-"), usual);
}

/* The init script joins the words, so that additional key exchanges can follow the group. */
static void print_group(const struct proposals *p, const struct algorithm *group)
{
	const struct algorithm_list *list = &p->policy->additional;
	const struct algorithm *none = NULL;

	fprintf(p->out, "\toption dh_group '%s", group->proposal);
	for (size_t i = 0; i < list->count; i++) {
		if (*list->one[i]->proposal)
			fprintf(p->out, "-ke1_%s", list->one[i]->proposal);
		else
			none = list->one[i];
	}
	fprintf(p->out, "%s'\n", none && list->count > 1 ? "-ke1_none" : "");
}

static void print_proposal(void *data, const struct combination *one)
{
	struct proposals *p = data;

	fprintf(p->out, "\nconfig crypto_proposal '%s_%s%u'\n\toption encryption_algorithm '%s'\n",
		p->name, p->ike ? "ike" : "esp", ++p->count, one->encryption->proposal);
	if (one->auth)
		fprintf(p->out, "\toption hash_algorithm '%s'\n", one->auth->proposal);
	if (p->ike)
		print_prf_option(p, one);
	if (one->group)
		print_group(p, one->group);
}

static void print_prefixes(FILE *out, const char *key, const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "\tlist %s '%s'\n", key, format_subnet(text, &list->subnet[i]));
}

static void print_names(FILE *out, const char *name, bool ike, unsigned int count)
{
	for (unsigned int i = 1; i <= count; i++)
		fprintf(out, "\tlist crypto_proposal '%s_%s%u'\n", name, ike ? "ike" : "esp", i);
}

static void print_remote(FILE *out, const char *name, const struct export *x)
{
	const struct connection *far = &x->far;
	char text[FORMAT_MAX], id[IDENTITY_TEXT_MAX];

	fprintf(out, "\nconfig remote '%s'\n\toption enabled '1'\n\toption gateway '%s'\n", name,
		format_addr(text, &far->peer_gateway.addr));
	if (far->local_gateway.len)
		fprintf(out, "\toption local_ip '%s'\n", format_addr(text, &far->local_gateway));
	fprintf(out, "\toption authentication_method 'psk'\n\toption pre_shared_key '%s'\n",
		x->secret);
	fprintf(out, "\toption local_identifier '%s'\n", identity_text(id, &far->local_identity));
	fprintf(out, "\toption remote_identifier '%s'\n", identity_text(id, &far->peer_identity));
	fprintf(out, "\toption keyexchange 'ikev%u'\n\toption mobike '0'\n\toption encap '%u'\n"
		"\toption rekeytime '%u'\n\toption keyingtries '%%forever'\n"
		"\toption dpddelay '%us'\n",
		far->ike.version, far->encap_udp, far->ike.lifetime / 10 * 9, far->dpd_interval);
}

/*
 * A trap keeps the policies in the kernel while there is no SA. Without them, packets of the
 * prefixes would leave in plain text, and the firewall's rules would let such packets in.
 */
static void print_tunnel(FILE *out, const char *name, const struct connection *far)
{
	fprintf(out, "\nconfig tunnel '%s_child'\n", name);
	print_prefixes(out, "local_subnet", &far->local_subnets);
	print_prefixes(out, "remote_subnet", &far->peer_subnets);
	fprintf(out, "\toption startaction 'trap'\n\toption dpdaction 'restart'\n"
		"\toption lifetime '%u'\n\toption replay_window '%u'\n", far->ipsec.lifetime,
		far->replay_window);
}

static void print_rule(FILE *out, const char *name, const struct export *x, const char *proto)
{
	fprintf(out, "\nconfig rule\n\toption name '%s'\n\toption src '%s'\n\toption proto '%s'\n"
		"\toption target 'ACCEPT'\n", name, x->outside, proto);
}

/* The usual rules for IPsec there are for packets that the device forwards. */
static void print_gateway_rules(FILE *out, const char *name, const struct export *x)
{
	char text[FORMAT_MAX];

	format_addr(text, &x->far.peer_gateway.addr);
	print_rule(out, name, x, "udp");
	fprintf(out, "\toption src_ip '%s'\n\toption dest_port '500 4500'\n", text);
	if (x->far.encap_udp)
		return;
	print_rule(out, name, x, "esp");
	fprintf(out, "\toption src_ip '%s'\n", text);
}

/* Masquerading would take the packets away from the policies. It is for IPv4 alone. */
static void print_pair(FILE *out, const char *name, const struct export *x,
		       const struct subnet *own, const struct subnet *peer)
{
	char from[FORMAT_MAX], to[FORMAT_MAX];

	print_rule(out, name, x, "all");
	fprintf(out, "\toption dest '%s'\n\toption src_ip '%s'\n\toption dest_ip '%s'\n", x->inside,
		format_subnet(from, peer), format_subnet(to, own));
	if (own->addr.len == 4)
		fprintf(out, "\nconfig nat\n\toption name '%s'\n\toption src '%s'\n"
			"\toption proto 'all'\n\toption src_ip '%s'\n\toption dest_ip '%s'\n"
			"\toption target 'ACCEPT'\n", name, x->outside, to, from);
}

static void print_firewall(FILE *out, const char *name, const struct export *x)
{
	const struct subnet_list *own = &x->far.local_subnets, *peer = &x->far.peer_subnets;

	fprintf(out, "\n# Append the rest to /etc/config/firewall, then: service firewall restart\n"
		"# Its zones %s and %s have to exist, and forward from %s to %s.\n", x->outside,
		x->inside, x->inside, x->outside);
	print_gateway_rules(out, name, x);
	for (size_t i = 0; i < own->count; i++)
		for (size_t j = 0; j < peer->count; j++)
			if (own->subnet[i].addr.len == peer->subnet[j].addr.len)
				print_pair(out, name, x, &own->subnet[i], &peer->subnet[j]);
}

void openwrt_export(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	char name[CONNECTION_NAME_MAX + 1];
	struct proposals ike = { out, section_name(name, far->name), true, &far->ike, 0 };
	struct proposals esp = { out, name, false, &far->ipsec, 0 };

	fputs("# It needs the packages strongswan-default, strongswan-mod-openssl,\n"
	      "# kmod-crypto-gcm, kmod-crypto-sha256 and kmod-crypto-sha512.\n"
	      "# Append it to /etc/config/ipsec, then: service swanctl restart\n"
	      "# Leave local_ip out if a device in front has the address and makes NAT.\n", out);
	if (x->other_waits)
		fputs("# The other end waits: the tunnel begins with the first packet from here.\n", out);
	each_combination(&far->ike, far->ike.dh.count, print_proposal, &ike);
	each_combination(&far->ipsec, far->ipsec.dh.count, print_proposal, &esp);
	print_remote(out, name, x);
	print_names(out, name, true, ike.count);
	fprintf(out, "\tlist tunnel '%s_child'\n", name);
	print_tunnel(out, name, far);
	print_names(out, name, false, esp.count);
	print_firewall(out, name, x);
}
