// SPDX-License-Identifier: GPL-2.0
/* Juniper SRX: Junos in lines of "set", with a tunnel interface */
#include <string.h>

#include "connection/identity.h"
#include "connection/subnet.h"
#include "export/export.h"
#include "print.h"

/* The number of the unit of st0 */
#define UNIT 100

struct proposals {
	FILE *out;
	const char *name;
	uint32_t lifetime;
	unsigned int count;
};

static void print_ike_proposal(void *data, const struct combination *one)
{
	struct proposals *p = data;
	char at[128];

	snprintf(at, sizeof(at), "set security ike proposal %s-%u", p->name, ++p->count);
	fprintf(p->out, "%s authentication-method pre-shared-keys\n", at);
	fprintf(p->out, "%s dh-group %s\n", at,
		vendor_word(SRX, ALGORITHM_DH_GROUP, one->group->word, true));
	fprintf(p->out, "%s encryption-algorithm %s\n", at,
		vendor_word(SRX, ALGORITHM_ENCRYPTION, one->encryption->word, true));
	if (one->auth)
		fprintf(p->out, "%s authentication-algorithm %s\n", at,
			vendor_word(SRX, ALGORITHM_AUTHENTICATION, one->auth->word, true));
	fprintf(p->out, "%s lifetime-seconds %u\n", at, p->lifetime);
}

static void print_esp_proposal(void *data, const struct combination *one)
{
	struct proposals *p = data;
	char at[128];

	snprintf(at, sizeof(at), "set security ipsec proposal %s-%u", p->name, ++p->count);
	fprintf(p->out, "%s protocol esp\n", at);
	fprintf(p->out, "%s encryption-algorithm %s\n", at,
		vendor_word(SRX, ALGORITHM_ENCRYPTION, one->encryption->word, false));
	if (one->auth)
		fprintf(p->out, "%s authentication-algorithm %s\n", at,
			vendor_word(SRX, ALGORITHM_AUTHENTICATION, one->auth->word, false));
	fprintf(p->out, "%s lifetime-seconds %u\n", at, p->lifetime);
}

static void print_names(FILE *out, const char *before, const char *name, unsigned int count)
{
	fprintf(out, "%s proposals [", before);
	for (unsigned int i = 1; i <= count; i++)
		fprintf(out, " %s-%u", name, i);
	fputs(" ]\n", out);
}

static void print_identity(FILE *out, const char *name, const char *which,
			   const struct identity *identity)
{
	enum identity_kind kind;
	const char *text = identity_name(identity, &kind);
	const char *word = kind == KIND_FQDN ? "hostname" : kind == KIND_EMAIL ? "user-at-hostname" :
			   kind == KIND_KEY_ID ? "key-id" : kind == KIND_IPV6 ? "inet6" : "inet";
	const char *quote = kind == KIND_IPV4 || kind == KIND_IPV6 ? "" : "\"";

	fprintf(out, "set security ike gateway %s %s %s %s%s%s\n", name, which, word, quote, text,
		quote);
}

static void print_ike(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	struct proposals p = { out, far->name, far->ike.lifetime, 0 };
	char at[128], text[FORMAT_MAX];

	each_combination(&far->ike, far->ike.dh.count, print_ike_proposal, &p);
	snprintf(at, sizeof(at), "set security ike policy %s", far->name);
	if (far->ike.version == 1)
		fprintf(out, "%s mode main\n", at);
	print_names(out, at, far->name, p.count);
	fprintf(out, "%s pre-shared-key ascii-text \"%s\"\n", at, x->secret);
	snprintf(at, sizeof(at), "set security ike gateway %s", far->name);
	fprintf(out, "%s ike-policy %s\n%s address %s\n", at, far->name, at,
		format_addr(text, &far->peer_gateway.addr));
	fprintf(out, "%s dead-peer-detection always-send\n", at);
	fprintf(out, "%s dead-peer-detection interval %u\n", at, far->dpd_interval);
	fprintf(out, "%s dead-peer-detection threshold %u\n", at, far->dpd_threshold);
	print_identity(out, far->name, "local-identity", &far->local_identity);
	print_identity(out, far->name, "remote-identity", &far->peer_identity);
	fprintf(out, "%s external-interface %s\n", at, x->outside);
	if (far->local_gateway.len)
		fprintf(out, "%s local-address %s\n", at, format_addr(text, &far->local_gateway));
	fprintf(out, "%s version %s\n", at, far->ike.version == 1 ? "v1-only" : "v2-only");
}

static void print_ipsec(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	const struct algorithm *group = first_group(&far->ipsec);
	struct proposals p = { out, far->name, far->ipsec.lifetime, 0 };
	char at[128], own[FORMAT_MAX], peer[FORMAT_MAX];

	each_combination(&far->ipsec, 1, print_esp_proposal, &p);
	snprintf(at, sizeof(at), "set security ipsec policy %s", far->name);
	if (group)
		fprintf(out, "%s perfect-forward-secrecy keys %s\n", at,
			vendor_word(SRX, ALGORITHM_DH_GROUP, group->word, false));
	print_names(out, at, far->name, p.count);
	snprintf(at, sizeof(at), "set security ipsec vpn %s", far->name);
	fprintf(out, "%s bind-interface st0.%u\n%s ike gateway %s\n%s ike ipsec-policy %s\n", at, UNIT,
		at, far->name, at, far->name);
	fprintf(out, "%s traffic-selector ts local-ip %s\n%s traffic-selector ts remote-ip %s\n", at,
		format_subnet(own, far->local_subnets.subnet), at,
		format_subnet(peer, far->peer_subnets.subnet));
	fprintf(out, "%s establish-tunnels immediately\n", at);
}

/* The traffic selector adds the route. */
static void print_interface(FILE *out, const struct export *x)
{
	char text[FORMAT_MAX];

	fprintf(out, "set interfaces st0 unit %u family inet mtu %u\n", UNIT, x->mtu);
	if (x->own.addr.len == 4)
		fprintf(out, "set interfaces st0 unit %u family inet address %s\n", UNIT,
			format_subnet(text, &x->own));
	fprintf(out, "set security flow tcp-mss ipsec-vpn mss %u\n"
		"set security zones security-zone untrust interfaces %s host-inbound-traffic system-services ike\n"
		"set security zones security-zone vpn interfaces st0.%u\n", x->mss, x->outside, UNIT);
}

static void print_rule(FILE *out, const char *from, const char *to, const char *name)
{
	char at[160];

	snprintf(at, sizeof(at), "set security policies from-zone %s to-zone %s policy %s", from, to,
		 name);
	fprintf(out, "%s match source-address any\n%s match destination-address any\n"
		"%s match application any\n%s then permit\n", at, at, at, at);
}

static void print_notes(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	char text[FORMAT_MAX];

	fputs("# Enter it in configuration mode after \"load set terminal\", then: commit confirmed 5\n",
	      out);
	fprintf(out, "# Zones are called trust, untrust and vpn; st0.%u must be free\n", UNIT);
	fprintf(out, "# WARNING: then %s takes IKE and nothing else: the other services of its zone are\n"
		"# no longer for it. If you log in through it, add system-services ssh for it, too\n"
		"# tcp-mss is for all tunnels of the device\n", x->outside);
	if (far->local_gateway.len)
		fputs("# If this device is behind NAT, leave the line with local-address out\n", out);
	if (far->encap_udp)
		fputs("# NAT traversal must stay on: the other end sends ESP in UDP\n", out);
	if (subnet_list_find(&far->peer_subnets, &far->peer_gateway.addr))
		fprintf(out, "# The default route leads into the tunnel: %s needs a route of its own\n",
			format_addr(text, &far->peer_gateway.addr));
}

void srx_export(FILE *out, const struct export *x)
{
	print_notes(out, x);
	print_ike(out, x);
	print_ipsec(out, x);
	print_interface(out, x);
	print_rule(out, "trust", "vpn", x->far.name);
	print_rule(out, "vpn", "trust", x->far.name);
}
