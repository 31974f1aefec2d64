// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/pvsvpn.h>

#include "connection/connection.h"
#include "connection/identity.h"
#include "connection/ini.h"
#include "connection/private_file.h"
#include "connection/subnet.h"
#include "connection/values.h"
#include "error.h"
#include "print.h"

#define CONFIG_DIR "/etc/pvsvpn"

/* strongSwan's own default of 32 is too little for what several processors send at once. */
#define REPLAY_WINDOW 1024

/* A payload of IKEv2 counts its traffic selectors in a byte (RFC 7296 section 3.13). */
#define SUBNETS_MAX 255

/* IPv6 needs links that carry this much (RFC 8200 section 5): bytes */
#define IPV6_MTU_MIN 1280

#define DPD_INTERVAL 2
#define DPD_THRESHOLD 5

const char *connection_dir(void)
{
	const char *dir = getenv("PVSVPN_CONFIG_DIR");

	return dir && *dir ? dir : CONFIG_DIR;
}

int may_read(const char *what, const char *dir)
{
	if (!access(dir, R_OK | X_OK) || (errno != EACCES && errno != EPERM))
		return CTL_OK;
	return ctl_error(CTL_DENIED, what, dir, "run it as root", "%s", strerror(errno));
}

/* ---- sections ---- */

struct conf_key {
	const char *key;
	parse_fn *parse;
	size_t offset;
};

#define CONNECTION(_key, _parse, _member) \
	{ _key, _parse, offsetof(struct connection, _member) }
#define POLICY(_key, _parse, _member) \
	{ _key, _parse, offsetof(struct policy, _member) }

static const struct conf_key connection_keys[] = {
	CONNECTION("Mode", parse_mode, name),
	CONNECTION("LocalGateway", parse_addr, local_gateway),
	CONNECTION("PeerGateway", parse_gateway, peer_gateway),
	CONNECTION("LocalIdentity", parse_identity, local_identity.text),
	CONNECTION("LocalIdentityType", parse_identity_type, local_identity.type),
	CONNECTION("PeerIdentity", parse_identity, peer_identity.text),
	CONNECTION("PeerIdentityType", parse_identity_type, peer_identity.type),
	CONNECTION("LocalSubnets", parse_prefixes, local_subnets),
	CONNECTION("PeerSubnets", parse_prefixes, peer_subnets),
	CONNECTION("IKEPolicy", parse_name, ike_name),
	CONNECTION("IPsecPolicy", parse_name, ipsec_name),
	CONNECTION("Authentication", parse_proof, by_certificate),
	CONNECTION("SecretFile", parse_path, secret_file),
	CONNECTION("CertificateFile", parse_path, cert_file),
	CONNECTION("KeyFile", parse_path, key_file),
	CONNECTION("CAFile", parse_path, ca_file),
	CONNECTION("Initiate", parse_bool, initiate),
	CONNECTION("EstablishMode", parse_establish_mode, initiate),
	CONNECTION("Encapsulation", parse_encapsulation, encap_udp),
	CONNECTION("ReplayWindow", parse_window, replay_window),
	CONNECTION("Interface", parse_ifname, ifname),
	CONNECTION("TunnelAddress", parse_prefixes, tunnel_addresses),
	CONNECTION("MTU", parse_conf_mtu, mtu),
	CONNECTION("MSS", parse_mss, mss),
	CONNECTION("Routes", parse_bool, routes),
	CONNECTION("RouteMetric", parse_metric, route_metric),
	CONNECTION("RouteTable", parse_table, route_table),
	CONNECTION("RouteSource", parse_sources, route_sources),
	CONNECTION("FwMark", parse_if_id, mark),
	CONNECTION("WithdrawRoutes", parse_bool, withdraw_routes),
	CONNECTION("IfID", parse_if_id, if_id),
	CONNECTION("AllowLegacy", parse_bool, legacy),
	{ 0 }
};

static const struct conf_key dpd_keys[] = {
	CONNECTION("Action", parse_action, dpd_restart),
	CONNECTION("Interval", parse_interval, dpd_interval),
	CONNECTION("Threshold", parse_threshold, dpd_threshold),
	{ 0 }
};

static const struct conf_key ike_keys[] = {
	POLICY("Version", parse_ike_version, version),
	POLICY("Encryption", parse_ike_encryption, encryption),
	POLICY("Authentication", parse_authentication, authentication),
	POLICY("DHGroup", parse_dh_group, dh),
	POLICY("Lifetime", parse_lifetime, lifetime),
	{ 0 }
};

static const struct conf_key ipsec_keys[] = {
	POLICY("Encryption", parse_ipsec_encryption, encryption),
	POLICY("Authentication", parse_authentication, authentication),
	POLICY("PFS", parse_pfs, dh),
	POLICY("Lifetime", parse_lifetime, lifetime),
	{ 0 }
};

static const struct {
	const char *section;
	const struct conf_key *keys;
} sections[] = {
	{ "Connection", connection_keys },
	{ "IKEPolicy", ike_keys },
	{ "IPsecPolicy", ipsec_keys },
	{ "DeadPeerDetection", dpd_keys },
};

#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

void connection_print_keys(void)
{
	for (size_t i = 0; i < SECTIONS; i++) {
		printf("\n[%s]\n", sections[i].section);
		for (const struct conf_key *conf = sections[i].keys; conf->key; conf++)
			printf("  %s\n", conf->key);
	}
}

/* Suggests a key that differs only in capitals, if there is one. */
static void unknown_key(const char *what, const struct ini_file *file,
			const struct ini_key *key, const struct conf_key *keys)
{
	char todo[96] = "pvsvpn.conf(5) has all of them";

	for (; keys->key; keys++)
		if (!strcasecmp(keys->key, key->key))
			snprintf(todo, sizeof(todo), "it is written %s", keys->key);
	ctl_error(CTL_FAILED, what, ini_at(file, key->line), todo,
		  "[%s] has no key \"%.64s\"", file->sections[key->section].type,
		  key->key);
}

static int read_key(const char *what, const struct ini_file *file,
		    const struct ini_key *key, const struct conf_key *keys,
		    void *object)
{
	const struct conf_key *conf = keys;
	const char *expected;

	while (conf->key && strcmp(conf->key, key->key))
		conf++;
	if (!conf->key) {
		unknown_key(what, file, key, keys);
		return CTL_FAILED;
	}
	expected = conf->parse(key->value, (char *)object + conf->offset);
	if (!expected)
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, ini_at(file, key->line), NULL,
			 "%s: \"%.64s\" is not valid; expected %s", key->key,
			 key->value, expected);
}

/* Each line adds to a list. For other keys, a second line would be ambiguous. */
static bool is_list(const struct ini_key *key, const struct conf_key *keys)
{
	while (keys->key && strcmp(keys->key, key->key))
		keys++;
	return keys->parse == parse_prefixes || keys->parse == parse_sources ||
	       (keys->key && parse_adds_algorithms(keys->parse));
}

static int read_section(const char *what, const struct ini_file *file,
			size_t section, const struct conf_key *keys,
			void *object)
{
	int ret = CTL_OK;

	for (size_t i = 0; i < file->key_count && !ret; i++) {
		const struct ini_key *key = &file->keys[i];

		if (key->section != section)
			continue;
		if (ini_find(file, section, key->key) != key && !is_list(key, keys))
			return ctl_error(CTL_FAILED, what, ini_at(file, key->line), "give it once",
					 "the key was there before");
		ret = read_key(what, file, key, keys, object);
	}
	return ret;
}

/* The line of a key, or of its section if the key is not given */
static unsigned int key_line(const struct ini_file *file, size_t section,
			     const char *name)
{
	const struct ini_key *key = ini_find(file, section, name);

	return key ? key->line : file->sections[section].line;
}

static const char *key_at(const struct ini_file *file, size_t section,
			  const char *name)
{
	return ini_at(file, key_line(file, section, name));
}

static int read_policy(const char *what, const struct ini_file *file,
		       size_t section, bool ike, bool legacy,
		       struct policy *policy)
{
	const char *key, *why;
	int ret;

	policy_init(policy, ike);
	ret = read_section(what, file, section, ike ? ike_keys : ipsec_keys,
			   policy);
	if (ret)
		return ret;
	policy_complete(policy, ike);
	why = policy_why_not(policy, ike, legacy, &key);
	if (!why)
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, key_at(file, section, key), NULL,
			 "%s: %s", key, why);
}

static bool section_is(const struct ini_section *section, const char *type,
		       const char *name)
{
	return !strcmp(section->type, type) && !strcmp(section->name, name);
}

static ssize_t find_section(const struct ini_file *file, const char *type,
			    const char *name)
{
	for (size_t i = 0; i < file->section_count; i++)
		if (section_is(&file->sections[i], type, name))
			return i;
	return -1;
}

/* ---- policies.conf ---- */

static int check_policies(const char *what, const struct ini_file *file)
{
	struct policy policy;
	int ret = CTL_OK;

	for (size_t i = 0; i < file->section_count && !ret; i++) {
		const struct ini_section *section = &file->sections[i];
		bool ike = !strcmp(section->type, "IKEPolicy");

		if (!ike && strcmp(section->type, "IPsecPolicy"))
			return ctl_error(CTL_FAILED, what, ini_at(file, section->line),
					 "only [IKEPolicy NAME] and [IPsecPolicy NAME] are",
					 "[%.64s] does not belong here", section->type);
		if (!is_connection_name(section->name))
			return ctl_error(CTL_FAILED, what, ini_at(file, section->line), NULL,
					 "[%s] needs a name of 1 to 47 letters, digits, - and _",
					 section->type);
		/* The connection decides whether legacy values are allowed. */
		ret = read_policy(what, file, i, ike, true, &policy);
	}
	return ret;
}

static int find_policy(const char *what, const struct ini_file *policies,
		       const char *at, const char *type, const char *name,
		       bool legacy, struct policy *policy)
{
	ssize_t section = find_section(policies, type, name);

	if (section < 0)
		return ctl_error(CTL_FAILED, what, at,
				 "add it there, or put the policy into the connection's file",
				 "no [%s %s] in %s", type, name, policies->path);
	return read_policy(what, policies, section, !strcmp(type, "IKEPolicy"),
			   legacy, policy);
}

/* One of the two policies: a named one, the one in the file, or the default. */
static int connection_policy(const char *what, const struct ini_file *file,
			     const struct ini_file *policies, const char *type,
			     const char *name, bool legacy,
			     struct policy *policy)
{
	ssize_t own = find_section(file, type, "");
	ssize_t connection = find_section(file, "Connection", "");
	bool ike = !strcmp(type, "IKEPolicy");

	if (*name && own >= 0)
		return ctl_error(CTL_FAILED, what, ini_at(file, file->sections[own].line),
				 "keep one of the two",
				 "the connection names %s %s already", type, name);
	if (*name)
		return find_policy(what, policies, key_at(file, connection, type),
				   type, name, legacy, policy);
	if (own >= 0)
		return read_policy(what, file, own, ike, legacy, policy);
	policy_init(policy, ike);
	policy_complete(policy, ike);
	return CTL_OK;
}

static int load_policies(const char *what, const struct ini_file *file,
			 struct connection *c)
{
	struct ini_file policies;
	char *path;
	int ret = CTL_OK;

	if (asprintf(&path, "%s/" POLICIES ".conf", connection_dir()) < 0)
		return CTL_FAILED;
	policies = (struct ini_file){ .path = path };
	if (!access(path, F_OK))
		ret = ini_load(what, path, &policies);
	if (!ret)
		ret = check_policies(what, &policies);
	if (!ret)
		ret = connection_policy(what, file, &policies, "IKEPolicy",
					c->ike_name, c->legacy, &c->ike);
	if (!ret)
		ret = connection_policy(what, file, &policies, "IPsecPolicy",
					c->ipsec_name, c->legacy, &c->ipsec);
	ini_free(&policies);
	free(path);
	return ret;
}

/* ---- one connection ---- */

static int check_sections(const char *what, const struct ini_file *file)
{
	for (size_t i = 0; i < file->section_count; i++) {
		const struct ini_section *section = &file->sections[i];
		bool known = false;

		for (size_t j = 0; j < SECTIONS; j++)
			known |= section_is(section, sections[j].section, "");
		if (known)
			continue;
		return ctl_error(CTL_FAILED, what, ini_at(file, section->line),
				 *section->name ? "named ones belong into " POLICIES ".conf" :
				 "there are Connection, IKEPolicy, IPsecPolicy, DeadPeerDetection",
				 "[%.64s%s%.64s] does not belong here", section->type,
				 *section->name ? " " : "", section->name);
	}
	if (find_section(file, "Connection", "") < 0)
		return ctl_error(CTL_FAILED, what, file->path, "add it",
				 "no section [Connection]");
	return CTL_OK;
}

static int check_required(const char *what, const struct ini_file *file,
			  size_t section, const struct connection *c)
{
	const char *missing = NULL;

	if (!c->peer_gateway.addr.len && !*c->peer_gateway.host)
		missing = "PeerGateway";
	else if (!c->local_subnets.count)
		missing = "LocalSubnets";
	else if (!c->peer_subnets.count)
		missing = "PeerSubnets";
	else if (!c->local_gateway.len && !*c->local_identity.text)
		missing = "LocalIdentity";
	if (!missing)
		return CTL_OK;
	return ctl_error(CTL_FAILED, what,
			 ini_at(file, file->sections[section].line), "add it",
			 "%s is missing%s", missing,
			 strcmp(missing, "LocalIdentity") ? "" :
			 ", and without LocalGateway there is no address to take");
}

static int check_prefixes(const char *what, const struct ini_file *file,
			  size_t section, const char *key,
			  const struct subnet_list *list)
{
	const char *at = key_at(file, section, key);
	char text[FORMAT_MAX], better[FORMAT_MAX];

	if (list->count > SUBNETS_MAX)
		return ctl_error(CTL_FAILED, what, at,
				 "take wider ones, or make two connections of it",
				 "%s: %zu prefixes are too many, IKE carries %d of each end", key,
				 list->count, SUBNETS_MAX);
	for (size_t i = 0; i < list->count; i++) {
		struct subnet masked = subnet_masked(&list->subnet[i]);

		if (!subnet_fits_tunnel(&list->subnet[i]))
			return ctl_error(CTL_FAILED, what, at, "leave it out",
					 "%s: a tunnel cannot carry %s", key,
					 format_subnet(text, &list->subnet[i]));
		if (subnet_has_host_bits(&list->subnet[i]))
			return ctl_error(CTL_FAILED, what, at, NULL,
					 "%s: %s has host bits; write %s", key,
					 format_subnet(text, &list->subnet[i]),
					 format_subnet(better, &masked));
		for (size_t j = 0; j < i; j++)
			if (subnets_overlap(&list->subnet[i], &list->subnet[j]))
				return ctl_error(CTL_FAILED, what, at, "keep the wider one",
						 "%s: %s overlaps %s", key,
						 format_subnet(text, &list->subnet[i]),
						 format_subnet(better, &list->subnet[j]));
	}
	return CTL_OK;
}

/*
 * Two sites with the same addresses cannot be told apart. If one is part of the other, as a branch
 * of its headquarters, the longer prefix decides.
 */
static int check_sites(const char *what, const struct ini_file *file,
		       size_t section, const struct connection *c)
{
	char text[FORMAT_MAX];

	for (size_t i = 0; i < c->local_subnets.count; i++) {
		const struct subnet *here = &c->local_subnets.subnet[i];

		for (size_t j = 0; j < c->peer_subnets.count; j++) {
			const struct subnet *there = &c->peer_subnets.subnet[j];

			if (!here->prefix || here->prefix != there->prefix ||
			    !subnets_overlap(here, there))
				continue;
			return ctl_error(CTL_FAILED, what, key_at(file, section, "PeerSubnets"),
					 "the two sites need different addresses",
					 "PeerSubnets: %s is one of LocalSubnets, too",
					 format_subnet(text, here));
		}
	}
	return CTL_OK;
}

/* Rejects routes that would send the tunnel's own packets into the tunnel. */
static int check_path(const char *what, const struct ini_file *file,
		      size_t section, const struct connection *c)
{
	const struct subnet *in = subnet_list_find(&c->peer_subnets, &c->peer_gateway.addr);
	char text[FORMAT_MAX], addr[FORMAT_MAX];
	const char *which = "PeerGateway";
	const struct addr *gateway = &c->peer_gateway.addr;

	if (!in && c->local_gateway.len) {
		in = subnet_list_find(&c->peer_subnets, &c->local_gateway);
		which = "LocalGateway";
		gateway = &c->local_gateway;
	}
	/* Another table takes effect only through the operator's own rules. */
	if (!in || !c->routes || (c->route_table && c->route_table != TABLE_MAIN))
		return CTL_OK;
	if (connection_takes_all(c, in->addr.len))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, key_at(file, section, "PeerSubnets"),
			 in->prefix ? "leave the gateway's address out of them; or Routes = no, and routes of your own" :
			 "leave RouteTable out, and the connection takes a table of its own; or Routes = no",
			 "PeerSubnets: %s holds %s %s, so the outer packets would go into their own tunnel",
			 format_subnet(text, in), which, format_addr(addr, gateway));
}

/* Rules for all traffic need the peer's address, or IKE itself would go into the tunnel. */
static int check_host(const char *what, const struct ini_file *file, size_t section,
		      const struct connection *c)
{
	if (!connection_has_rules(c))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, key_at(file, section, "PeerGateway"),
			 "give its address, or take a RouteTable and rules of your own",
			 "PeerGateway is a name, and PeerSubnets takes everything");
}

static int check_gateway(const char *what, const char *at, const char *key, const struct addr *addr)
{
	if (!addr->len || addr_is_of_gateway(addr))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, at, "give the address of the gateway",
			 "%s is no address of a host that a router can reach", key);
}

static int check_addresses(const char *what, const struct ini_file *file,
			   size_t section, const struct connection *c)
{
	const struct addr *peer = &c->peer_gateway.addr;
	int ret = check_gateway(what, key_at(file, section, "LocalGateway"), "LocalGateway",
				&c->local_gateway);

	if (ret)
		return ret;
	if (*c->peer_gateway.host)
		return check_host(what, file, section, c);
	if (c->local_gateway.len && c->local_gateway.len != peer->len)
		return ctl_error(CTL_FAILED, what, key_at(file, section, "LocalGateway"),
				 "take two of one family",
				 "LocalGateway and PeerGateway are of different families");
	if (c->local_gateway.len && !memcmp(&c->local_gateway, peer, sizeof(*peer)))
		return ctl_error(CTL_FAILED, what, key_at(file, section, "PeerGateway"),
				 "give the address of the other end",
				 "PeerGateway is the same as LocalGateway");
	return check_gateway(what, key_at(file, section, "PeerGateway"), "PeerGateway", peer);
}

/* ---- the interface ---- */

static int check_tunnel_addresses(const char *what, const struct ini_file *file, size_t section,
				  const struct connection *c)
{
	const struct subnet_list *own = &c->tunnel_addresses;
	const char *at = key_at(file, section, "TunnelAddress");
	char text[FORMAT_MAX];

	for (size_t i = 0; i < own->count; i++) {
		const struct addr *addr = &own->subnet[i].addr;

		if (!addr_is_of_host(addr))
			return ctl_error(CTL_FAILED, what, at, "give the interface an address of a host",
					 "TunnelAddress: %s cannot be that of an interface",
					 format_subnet(text, &own->subnet[i]));
		for (size_t j = 0; j < i; j++)
			if (!memcmp(&own->subnet[j].addr, addr, sizeof(*addr)))
				return ctl_error(CTL_FAILED, what, at, "give it once",
						 "TunnelAddress: %s is there twice",
						 format_addr(text, addr));
	}
	return CTL_OK;
}

/* The kernel takes IPv6 off an interface with less. */
static int check_mtu(const char *what, const struct ini_file *file, size_t section,
		     const struct connection *c)
{
	if (!c->mtu || c->mtu >= IPV6_MTU_MIN ||
	    (!subnet_list_has_family(&c->peer_subnets, 16) &&
	     !subnet_list_has_family(&c->tunnel_addresses, 16)))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, key_at(file, section, "MTU"),
			 "take 1280 or more, or auto, or leave IPv6 out",
			 "MTU: %u bytes are too few for the IPv6 of PeerSubnets or TunnelAddress", c->mtu);
}

static bool has_address(const struct connection *c, const struct addr *addr)
{
	for (size_t i = 0; i < c->tunnel_addresses.count; i++)
		if (!memcmp(&c->tunnel_addresses.subnet[i].addr, addr, sizeof(*addr)))
			return true;
	return false;
}

/* The peer accepts no other source, and a route of the other family cannot have it. */
static int check_source(const char *what, const char *at, const struct connection *c,
			const struct addr *source)
{
	if (!subnet_list_has_family(&c->peer_subnets, source->len))
		return ctl_error(CTL_FAILED, what, at, "leave it out, or take one of the other family",
				 "RouteSource: none of PeerSubnets is of its family");
	if (subnet_list_find(&c->local_subnets, source) || has_address(c, source))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, at, "take an address of this host in one of them",
			 "RouteSource: in none of LocalSubnets, and not in TunnelAddress");
}

static int check_sources(const char *what, const struct ini_file *file,
			 size_t section, const struct connection *c)
{
	const char *at = key_at(file, section, "RouteSource");
	int ret = CTL_OK;

	for (int i = 0; i < 2 && !ret; i++)
		if (c->route_sources[i].len)
			ret = check_source(what, at, c, &c->route_sources[i]);
	return ret;
}

static int check_interface(const char *what, const struct ini_file *file,
			   size_t section, struct connection *c)
{
	if (*c->ifname)
		return CTL_OK;
	if (strlen(c->name) >= IFNAMSIZ || is_reserved_ifname(c->name))
		return ctl_error(CTL_FAILED, what, ini_at(file, file->sections[section].line),
				 "add Interface, such as Interface = pvs0",
				 "the connection's name cannot be that of an interface");
	strcpy(c->ifname, c->name);
	return CTL_OK;
}

/* Quick mode has one selector for each end (RFC 2409 section 5.5). */
static int check_version(const char *what, const struct ini_file *file,
			 size_t section, const struct connection *c)
{
	if (c->ike.version != 1 ||
	    (c->local_subnets.count == 1 && c->peer_subnets.count == 1))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what,
			 key_at(file, section, c->peer_subnets.count > 1 ?
				"PeerSubnets" : "LocalSubnets"),
			 "take IKEv2, or one wider prefix",
			 "IKEv1 agrees on one prefix of each site");
}

static void fill_identities(struct connection *c)
{
	char text[FORMAT_MAX];

	if (!*c->local_identity.text && c->local_gateway.len)
		strcpy(c->local_identity.text, format_addr(text, &c->local_gateway));
	if (!*c->peer_identity.text)
		strcpy(c->peer_identity.text, *c->peer_gateway.host ? c->peer_gateway.host :
		       format_addr(text, &c->peer_gateway.addr));
}

static int check_identity(const char *what, const struct ini_file *file, size_t section,
			  const char *key, const struct identity *identity)
{
	const char *why = identity_why_not(identity);

	if (!why)
		return CTL_OK;
	if (!identity->type)
		return ctl_error(CTL_FAILED, what, key_at(file, section, key), NULL,
				 "%s: \"%.64s\" is not valid: %s", key, identity->text, why);
	return ctl_error(CTL_FAILED, what, key_at(file, section, key), NULL,
			 "%s: \"%.64s\" cannot be of type %s: %s", key, identity->text,
			 identity->type->word, why);
}

static int check_identities(const char *what, const struct ini_file *file,
			    size_t section, struct connection *c)
{
	fill_identities(c);
	return check_identity(what, file, section, "LocalIdentity", &c->local_identity) ?:
	       check_identity(what, file, section, "PeerIdentity", &c->peer_identity);
}

/* Rejects both keys together: they set the same value. */
static int check_initiate(const char *what, const struct ini_file *file, size_t section)
{
	const struct ini_key *mode = ini_find(file, section, "EstablishMode");

	if (!mode || !ini_find(file, section, "Initiate"))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, ini_at(file, mode->line), "keep one of the two",
			 "EstablishMode and Initiate say the same");
}

static int check_connection(const char *what, const struct ini_file *file,
			    size_t section, struct connection *c)
{
	int ret = check_required(what, file, section, c);

	if (!ret)
		ret = check_addresses(what, file, section, c);
	if (!ret)
		ret = check_prefixes(what, file, section, "LocalSubnets",
				     &c->local_subnets);
	if (!ret)
		ret = check_prefixes(what, file, section, "PeerSubnets",
				     &c->peer_subnets);
	if (!ret)
		ret = check_sites(what, file, section, c);
	if (!ret)
		ret = check_path(what, file, section, c);
	if (!ret)
		ret = check_version(what, file, section, c);
	if (!ret)
		ret = check_sources(what, file, section, c);
	if (!ret)
		ret = check_interface(what, file, section, c);
	if (!ret)
		ret = check_tunnel_addresses(what, file, section, c);
	if (!ret)
		ret = check_mtu(what, file, section, c);
	if (!ret)
		ret = check_initiate(what, file, section);
	return ret ?: check_identities(what, file, section, c);
}

static void set_defaults(struct connection *c)
{
	c->initiate = true;
	c->encap_udp = true;
	c->replay_window = REPLAY_WINDOW;
	c->routes = true;
	c->mss = PVSVPN_MSS_CLAMP_AUTO;
	c->dpd_interval = DPD_INTERVAL;
	c->dpd_threshold = DPD_THRESHOLD;
	c->dpd_restart = true;
}

static int read_connection(const char *what, const struct ini_file *file,
			   struct connection *c)
{
	ssize_t section, dpd;
	int ret = check_sections(what, file);

	if (ret)
		return ret;
	section = find_section(file, "Connection", "");
	dpd = find_section(file, "DeadPeerDetection", "");
	c->line.section = file->sections[section].line;
	c->line.peer_gateway = key_line(file, section, "PeerGateway");
	c->line.peer_subnets = key_line(file, section, "PeerSubnets");
	ret = read_section(what, file, section, connection_keys, c);
	if (!ret && dpd >= 0)
		ret = read_section(what, file, dpd, dpd_keys, c);
	if (!ret)
		ret = load_policies(what, file, c);
	return ret ?: check_connection(what, file, section, c);
}

static int connection_init(const char *what, const char *name, struct connection *c)
{
	memset(c, 0, sizeof(*c));
	if (!is_connection_name(name))
		return ctl_error(CTL_USAGE, what, name, "choose another",
				 "a connection's name has 1 to 47 letters, digits, - and _");
	if (!strcmp(name, POLICIES))
		return ctl_error(CTL_USAGE, what, name, "choose another",
				 "that file holds policies, no connection");
	strcpy(c->name, name);
	set_defaults(c);
	if (asprintf(&c->path, "%s/%s.conf", connection_dir(), name) < 0 ||
	    asprintf(&c->secret_file, "%s/%s.secret", connection_dir(), name) < 0 ||
	    asprintf(&c->cert_file, "%s/%s.crt", connection_dir(), name) < 0 ||
	    asprintf(&c->key_file, "%s/%s.key", connection_dir(), name) < 0 ||
	    asprintf(&c->ca_file, "%s/%s.ca", connection_dir(), name) < 0)
		return ctl_error(CTL_FAILED, what, name, "free some", "out of memory");
	return CTL_OK;
}

/* A user who can write to the directory can replace its files. */
static int check_directory(const char *what)
{
	struct stat st;

	/* ini_load() says what is wrong with one that is not there. */
	return stat(connection_dir(), &st) ? CTL_OK : shared_file_check(what, connection_dir(), &st);
}

int connection_load(const char *what, const char *name, struct connection *c)
{
	struct ini_file file;
	int ret = connection_init(what, name, c);

	if (ret)
		return ret;
	file = (struct ini_file){ .path = c->path };
	ret = check_directory(what) ?: ini_load(what, c->path, &file) ?:
	      read_connection(what, &file, c);
	ini_free(&file);
	return ret;
}

int connection_parse(const char *what, const char *name, const char *text,
		     struct connection *c)
{
	struct ini_file file;
	int ret = connection_init(what, name, c);

	if (ret)
		return ret;
	ret = ini_read_text(what, c->path, text, &file) ?: read_connection(what, &file, c);
	ini_free(&file);
	return ret;
}

void connection_free(struct connection *c)
{
	free(c->path);
	free(c->secret_file);
	free(c->cert_file);
	free(c->key_file);
	free(c->ca_file);
	free(c->local_subnets.subnet);
	free(c->peer_subnets.subnet);
	free(c->tunnel_addresses.subnet);
	memset(c, 0, sizeof(*c));
}

uint32_t connection_number(const char *name)
{
	uint32_t hash = 2166136261;	/* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619;
	/* Avoids the small numbers that people choose. */
	return hash | 0x40000000;
}

uint32_t connection_if_id(const struct connection *c)
{
	return c->if_id ?: connection_number(c->name);
}

uint32_t connection_mark(const struct connection *c)
{
	return c->mark ?: connection_number(c->name);
}

bool connection_takes_all(const struct connection *c, uint8_t addr_len)
{
	for (size_t i = 0; i < c->peer_subnets.count; i++)
		if (!c->peer_subnets.subnet[i].prefix &&
		    c->peer_subnets.subnet[i].addr.len == addr_len)
			return c->routes && !c->route_table;
	return false;
}

bool connection_has_rules(const struct connection *c)
{
	return connection_takes_all(c, 4) || connection_takes_all(c, 16);
}

uint32_t connection_table(const struct connection *c, const struct subnet *subnet)
{
	if (c->route_table)
		return c->route_table;
	return subnet->prefix ? TABLE_MAIN : connection_number(c->name);
}

const struct addr *connection_source(const struct connection *c, uint8_t addr_len)
{
	return &c->route_sources[addr_len == 16];
}

static bool is_everything(const struct subnet_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->subnet[i].prefix)
			return false;
	return true;
}

struct subnet_list connection_reached(const struct connection *c)
{
	const struct subnet_list *local = &c->local_subnets, *own = &c->tunnel_addresses;
	struct subnet_list list = { .count = 0 };

	if (is_everything(local))
		return list;
	list.subnet = ctl_alloc(NULL, (local->count + own->count) * sizeof(*list.subnet));
	for (size_t i = 0; i < local->count; i++)
		list.subnet[list.count++] = local->subnet[i];
	for (size_t i = 0; i < own->count; i++) {
		struct subnet host = own->subnet[i];

		host.prefix = host.addr.len * 8;
		if (!subnet_list_find(&list, &host.addr))
			list.subnet[list.count++] = host;
	}
	return list;
}
