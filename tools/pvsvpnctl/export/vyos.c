// SPDX-License-Identifier: GPL-2.0
/* VyOS 1.4 and later: lines of "set", with a tunnel interface */
#include <string.h>

#include "connection/subnet.h"
#include "export/export.h"
#include "print.h"

/* The number of the interface */
#define VTI 100
/* The largest that VyOS takes, packets */
#define REPLAY_WINDOW_MAX 2040
/* An IPv6 header is longer than one of IPv4, bytes */
#define IPV6_MORE 20

struct proposals {
	FILE *out;
	const struct export *x;
	bool ike;
	unsigned int count;
};

/* The best that the other end offers beside GCM; with another hash, that one is the PRF. */
static const char *usual_prf(const struct combination *one)
{
	if (one->auth)
		return NULL;
	return strcmp(one->encryption->word, "aes256gcm16") ? "sha256" : "sha384";
}

/* VyOS skips a proposal without hash; with GCM it has no effect. */
static void print_proposal(void *data, const struct combination *one)
{
	struct proposals *p = data;
	const struct policy *ike = &p->x->far.ike;
	const char *prf = ike->prf.count ? ike->prf.one[0]->word : usual_prf(one);
	const char *hash = one->auth ? one->auth->word : p->ike ? prf : "sha256";
	char at[128];

	snprintf(at, sizeof(at), "set vpn ipsec %s-group %s proposal %u", p->ike ? "ike" : "esp",
		 p->x->far.name, ++p->count);
	fprintf(p->out, "%s encryption '%s'\n", at,
		vendor_word(VYOS, ALGORITHM_ENCRYPTION, one->encryption->word, p->ike));
	fprintf(p->out, "%s hash '%s'\n", at,
		vendor_word(VYOS, ALGORITHM_AUTHENTICATION, hash, p->ike));
	if (p->ike && prf)
		fprintf(p->out, "%s prf 'prf%s'\n", at, prf);
	if (p->ike)
		fprintf(p->out, "%s dh-group '%s'\n", at,
			vendor_word(VYOS, ALGORITHM_DH_GROUP, one->group->word, true));
}

static void print_groups(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	const struct algorithm *group = first_group(&far->ipsec);
	struct proposals p = { out, x, true, 0 };
	char at[128];

	snprintf(at, sizeof(at), "set vpn ipsec ike-group %s", far->name);
	fprintf(out, "%s key-exchange 'ikev%u'\n%s lifetime '%u'\n%s disable-mobike\n", at,
		far->ike.version, at, far->ike.lifetime, at);
	fprintf(out, "%s dead-peer-detection action 'restart'\n"
		"%s dead-peer-detection interval '%u'\n%s dead-peer-detection timeout '%u'\n", at, at,
		far->dpd_interval, at, far->dpd_interval * far->dpd_threshold);
	/* The end that waits would not connect again after it has closed the connection. */
	if (x->other_waits)
		fprintf(out, "%s close-action 'start'\n", at);
	each_combination(&far->ike, far->ike.dh.count, print_proposal, &p);
	snprintf(at, sizeof(at), "set vpn ipsec esp-group %s", far->name);
	fprintf(out, "%s lifetime '%u'\n%s mode 'tunnel'\n%s pfs '%s'\n", at, far->ipsec.lifetime,
		at, at, group ? vendor_word(VYOS, ALGORITHM_DH_GROUP, group->word, false) : "disable");
	p = (struct proposals){ out, x, false, 0 };
	each_combination(&far->ipsec, 1, print_proposal, &p);
}

static void print_prefixes(FILE *out, const char *at, const char *side,
			   const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s tunnel 1 %s prefix '%s'\n", at, side,
			format_subnet(text, &list->subnet[i]));
}

static void print_peer(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	char at[128], text[FORMAT_MAX], own[IDENTITY_TEXT_MAX], peer[IDENTITY_TEXT_MAX];

	identity_text(own, &far->local_identity);
	identity_text(peer, &far->peer_identity);
	snprintf(at, sizeof(at), "set vpn ipsec authentication psk %s", far->name);
	fprintf(out, "%s id '%s'\n%s id '%s'\n%s secret '%s'\n", at, own, at, peer, at, x->secret);
	snprintf(at, sizeof(at), "set vpn ipsec site-to-site peer %s", far->name);
	fprintf(out, "%s authentication mode 'pre-shared-secret'\n%s authentication local-id '%s'\n"
		"%s authentication remote-id '%s'\n", at, at, own, at, peer);
	fprintf(out, "%s connection-type 'initiate'\n%s ike-group '%s'\n"
		"%s default-esp-group '%s'\n", at, at, far->name, at, far->name);
	if (far->encap_udp)
		fprintf(out, "%s force-udp-encapsulation\n", at);
	fprintf(out, "%s local-address '%s'\n", at,
		far->local_gateway.len ? format_addr(text, &far->local_gateway) : "any");
	fprintf(out, "%s remote-address '%s'\n", at, format_addr(text, &far->peer_gateway.addr));
	fprintf(out, "%s replay-window '%u'\n", at, far->replay_window < REPLAY_WINDOW_MAX ?
						   far->replay_window : REPLAY_WINDOW_MAX);
	print_prefixes(out, at, "local", &far->local_subnets);
	print_prefixes(out, at, "remote", &far->peer_subnets);
	fprintf(out, "%s vti bind 'vti%u'\n%s vti esp-group '%s'\n", at, VTI, at, far->name);
}

static void print_interface(FILE *out, const struct export *x)
{
	char at[64], text[FORMAT_MAX];

	snprintf(at, sizeof(at), "set interfaces vti vti%u", VTI);
	if (x->own.addr.len)
		fprintf(out, "%s address '%s'\n", at, format_subnet(text, &x->own));
	fprintf(out, "%s mtu '%u'\n%s ip adjust-mss '%u'\n", at, x->mtu, at, x->mss);
	if (subnet_list_has_family(&x->far.peer_subnets, 16))
		fprintf(out, "%s ipv6 adjust-mss '%u'\n", at, x->mss - IPV6_MORE);
}

static void print_routes(FILE *out, const struct connection *far)
{
	const struct addr *gateway = &far->peer_gateway.addr;
	char text[FORMAT_MAX];

	if (subnet_list_find(&far->peer_subnets, gateway))
		fprintf(out, "# Add a route of its own to %s: IKE must not go into the tunnel\n",
			format_addr(text, gateway));
	for (size_t i = 0; i < far->peer_subnets.count; i++) {
		const struct subnet *to = &far->peer_subnets.subnet[i];

		fprintf(out, "set protocols static route%s %s interface vti%u\n",
			to->addr.len == 16 ? "6" : "", format_subnet(text, to), VTI);
	}
}

void vyos_export(FILE *out, const struct export *x)
{
	const struct connection *far = &x->far;
	char text[FORMAT_MAX];

	fprintf(out, "# For the configuration mode; then: commit, and save. vti%u must be free.\n"
		"# If there is a firewall, it must let in UDP to 500 and 4500%s from %s\n", VTI,
		far->encap_udp ? "" : ", and ESP,", format_addr(text, &far->peer_gateway.addr));
	print_interface(out, x);
	fprintf(out, "set vpn ipsec interface '%s'\n", x->outside);
	fputs("set vpn ipsec options disable-route-autoinstall\n", out);
	print_groups(out, x);
	print_peer(out, x);
	print_routes(out, far);
}
