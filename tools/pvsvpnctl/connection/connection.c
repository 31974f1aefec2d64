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
#include "connection/policies.h"
#include "connection/private_file.h"
#include "connection/section.h"
#include "connection/subnet.h"
#include "connection/values.h"
#include "connection/write.h"
#include "error.h"
#include "json.h"
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

#define CONNECTION(_key, _parse, _write, _member) \
	{ _key, _parse, _write, offsetof(struct connection, _member) }
static const struct conf_key connection_keys[] = {
	CONNECTION("Mode", parse_mode, write_mode, name),
	CONNECTION("LocalGateway", parse_addr, write_addr, local_gateway),
	CONNECTION("PeerGateway", parse_gateway, write_gateway, peer_gateway),
	CONNECTION("LocalIdentity", parse_identity, write_text, local_identity.text),
	CONNECTION("LocalIdentityType", parse_identity_type, write_identity_type, local_identity.type),
	CONNECTION("PeerIdentity", parse_identity, write_text, peer_identity.text),
	CONNECTION("PeerIdentityType", parse_identity_type, write_identity_type, peer_identity.type),
	CONNECTION("LocalSubnets", parse_prefixes, write_prefixes, local_subnets),
	CONNECTION("PeerSubnets", parse_prefixes, write_prefixes, peer_subnets),
	CONNECTION("IKEPolicy", parse_name, write_text, ike_name),
	CONNECTION("IPsecPolicy", parse_name, write_text, ipsec_name),
	CONNECTION("Authentication", parse_proof, write_proof, by_certificate),
	CONNECTION("SecretFile", parse_path, write_path, secret_file),
	CONNECTION("CertificateFile", parse_path, write_path, cert_file),
	CONNECTION("KeyFile", parse_path, write_path, key_file),
	CONNECTION("CAFile", parse_path, write_path, ca_file),
	CONNECTION("Initiate", parse_bool, write_bool, initiate),
	CONNECTION("EstablishMode", parse_establish_mode, NULL, initiate),
	CONNECTION("Encapsulation", parse_encapsulation, write_encapsulation, encap_udp),
	CONNECTION("ReplayWindow", parse_window, write_number, replay_window),
	CONNECTION("Interface", parse_ifname, write_text, ifname),
	CONNECTION("TunnelAddress", parse_prefixes, write_prefixes, tunnel_addresses),
	CONNECTION("MTU", parse_conf_mtu, write_mtu, mtu),
	CONNECTION("MSS", parse_mss, write_mss, mss),
	CONNECTION("Routes", parse_bool, write_bool, routes),
	CONNECTION("RouteMetric", parse_metric, write_number, route_metric),
	CONNECTION("RouteTable", parse_table, write_table, route_table),
	CONNECTION("RouteSource", parse_sources, write_sources, route_sources),
	CONNECTION("FwMark", parse_if_id, write_number, mark),
	CONNECTION("WithdrawRoutes", parse_bool, write_bool, withdraw_routes),
	CONNECTION("IfID", parse_if_id, write_number, if_id),
	CONNECTION("AllowLegacy", parse_bool, write_bool, legacy),
	{ 0 }
};

static const struct conf_key dpd_keys[] = {
	CONNECTION("Action", parse_action, write_action, dpd_restart),
	CONNECTION("Interval", parse_interval, write_number, dpd_interval),
	CONNECTION("Threshold", parse_threshold, write_number, dpd_threshold),
	{ 0 }
};

static const struct {
	const char *section;
	const struct conf_key *keys;
} sections[] = {
	{ "Connection", connection_keys },
	{ IKE_POLICY, ike_policy_keys },
	{ IPSEC_POLICY, ipsec_policy_keys },
	{ "DeadPeerDetection", dpd_keys },
};

#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

void connection_print_keys(void)
{
	for (size_t i = 0; i < SECTIONS; i++)
		section_print_keys(sections[i].section, sections[i].keys);
}

/* ---- output ---- */

/* The keys of the credentials that the connection does not use */
static bool is_unused(const struct connection *c, const char *key)
{
	if (c->by_certificate)
		return !strcmp(key, "SecretFile");
	return !strcmp(key, "CertificateFile") || !strcmp(key, "KeyFile") || !strcmp(key, "CAFile");
}

/* The keys that the connection uses, in @keys, which has room for all */
static void used_keys(struct conf_key *keys, const struct connection *c)
{
	for (const struct conf_key *conf = connection_keys; conf->key; conf++)
		if (!is_unused(c, conf->key))
			*keys++ = *conf;
	*keys = (struct conf_key){ 0 };
}

static void print_policy(FILE *out, const struct policy *policy, bool ike, const char *name)
{
	if (*name)
		return;
	policy_print(out, policy, ike, "");
	putc('\n', out);
}

void connection_print(FILE *out, const struct connection *c)
{
	struct conf_key keys[sizeof(connection_keys) / sizeof(connection_keys[0])];

	used_keys(keys, c);
	fputs("[Connection]\n", out);
	section_print(out, keys, c);
	putc('\n', out);
	print_policy(out, &c->ike, true, c->ike_name);
	print_policy(out, &c->ipsec, false, c->ipsec_name);
	fputs("[DeadPeerDetection]\n", out);
	section_print(out, dpd_keys, c);
}

static struct json_object *json_policy(const struct policy *policy, bool ike, const char *name,
				       uint32_t version)
{
	struct json_object *json = json_new();

	json_add_text_or_null(json, "name", name);
	policy_add_json(json, policy, ike, version);
	return json;
}

void connection_add_json(struct json_object *json, const struct connection *c)
{
	struct json_object *own = json_new(), *dpd = json_new();
	struct conf_key keys[sizeof(connection_keys) / sizeof(connection_keys[0])];

	used_keys(keys, c);
	section_add_json(own, keys, c);
	section_add_json(dpd, dpd_keys, c);
	json_add(json, "connection", own);
	json_add(json, "ike_policy", json_policy(&c->ike, true, c->ike_name, c->ike.version));
	json_add(json, "ipsec_policy",
		 json_policy(&c->ipsec, false, c->ipsec_name, c->ike.version));
	json_add(json, "dead_peer_detection", dpd);
}

/* ---- policies.conf ---- */

/* One of the two policies: a named one, the one in the file, or the default. */
static int connection_policy(const struct ini_file *file, const struct ini_file *policies, bool ike,
			     struct connection *c)
{
	const char *type = policy_type(ike);
	const char *name = ike ? c->ike_name : c->ipsec_name;
	const struct ini_section *section = section_find(file, type, "");
	struct policy *policy = ike ? &c->ike : &c->ipsec;

	if (*name && section)
		return refuse(section, NULL, "keep one of the two",
			      "the connection names %s %s already", type, name);
	if (*name) {
		section = section_find(policies, type, name);
		if (!section)
			return refuse(section_find(file, "Connection", ""), type,
				      "add it there, or put the policy into the connection's file",
				      "no [%s %s] in %s", type, name, policies->path);
	}
	if (section)
		return policy_read(section, ike, c->legacy, policy);
	policy_init(policy, ike);
	policy_complete(policy, ike);
	return CTL_OK;
}

static int load_policies(const struct ini_file *file, struct connection *c)
{
	struct policies policies;
	int ret = policies_load(file->what, NULL, &policies) ?:
		  connection_policy(file, &policies.file, true, c) ?:
		  connection_policy(file, &policies.file, false, c);

	policies_free(&policies);
	return ret;
}

/* ---- one connection ---- */

static int check_sections(const struct ini_file *file)
{
	for (size_t i = 0; i < file->section_count; i++) {
		const struct ini_section *section = &file->sections[i];
		bool known = false;

		for (size_t j = 0; j < SECTIONS; j++)
			known |= section_is(section, sections[j].section, "");
		if (!known)
			return refuse(section, NULL, *section->name ?
				      "named ones belong into " POLICIES ".conf" :
				      "there are Connection, IKEPolicy, IPsecPolicy, DeadPeerDetection",
				      "[%.64s%s%.64s] does not belong here", section->type,
				      *section->name ? " " : "", section->name);
	}
	if (!section_find(file, "Connection", ""))
		return ctl_error(CTL_FAILED, file->what, file->path, "add it",
				 "no section [Connection]");
	return CTL_OK;
}

static int check_required(const struct ini_section *in, const struct connection *c)
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
	return refuse(in, NULL, "add it", "%s is missing%s", missing,
		      strcmp(missing, "LocalIdentity") ? "" :
		      ", and without LocalGateway there is no address to take");
}

static int check_prefixes(const struct ini_section *in, const char *key,
			  const struct subnet_list *list)
{
	char text[FORMAT_MAX], better[FORMAT_MAX];

	if (list->count > SUBNETS_MAX)
		return refuse(in, key, "take wider ones, or make two connections of it",
			      "%s: %zu prefixes are too many, IKE carries %d of each end", key,
			      list->count, SUBNETS_MAX);
	for (size_t i = 0; i < list->count; i++) {
		const struct subnet *one = &list->subnet[i];
		struct subnet masked = subnet_masked(one);

		format_subnet(text, one);
		if (!subnet_fits_tunnel(one))
			return refuse(in, key, "leave it out", "%s: a tunnel cannot carry %s", key,
				      text);
		if (!subnets_equal(one, &masked))
			return refuse(in, key, NULL, "%s: %s has host bits; write %s", key, text,
				      format_subnet(better, &masked));
		for (size_t j = 0; j < i; j++)
			if (subnets_overlap(one, &list->subnet[j]))
				return refuse(in, key, "keep the wider one",
					      "%s: %s overlaps %s", key, text,
					      format_subnet(better, &list->subnet[j]));
	}
	return CTL_OK;
}

/*
 * Two sites with the same addresses cannot be told apart. If one is part of the other, as a branch
 * of its headquarters, the longer prefix decides.
 */
static int check_sites(const struct ini_section *in, const struct connection *c)
{
	char text[FORMAT_MAX];

	for (size_t i = 0; i < c->local_subnets.count; i++) {
		const struct subnet *here = &c->local_subnets.subnet[i];

		/* Both are without host bits. */
		if (here->prefix && subnet_list_has(&c->peer_subnets, here))
			return refuse(in, "PeerSubnets", "the two sites need different addresses",
				      "PeerSubnets: %s is one of LocalSubnets, too",
				      format_subnet(text, here));
	}
	return CTL_OK;
}

/* Rejects routes that would send the tunnel's own packets into the tunnel. */
static int check_path(const struct ini_section *in, const struct connection *c)
{
	const struct addr *gateway = &c->peer_gateway.addr;
	const struct subnet *holder = subnet_list_find(&c->peer_subnets, gateway);
	char text[FORMAT_MAX], addr[FORMAT_MAX];
	const char *which = "PeerGateway";

	if (!holder && c->local_gateway.len) {
		which = "LocalGateway";
		gateway = &c->local_gateway;
		holder = subnet_list_find(&c->peer_subnets, gateway);
	}
	/* Another table takes effect only through the operator's own rules. */
	if (!holder || !c->routes || (c->route_table && c->route_table != TABLE_MAIN) ||
	    connection_takes_all(c, holder->addr.len))
		return CTL_OK;
	return refuse(in, "PeerSubnets", holder->prefix ?
		      "leave the gateway's address out of them; or Routes = no, and routes of your own" :
		      "leave RouteTable out, and the connection takes a table of its own; or Routes = no",
		      "PeerSubnets: %s holds %s %s, so the outer packets would go into their own tunnel",
		      format_subnet(text, holder), which, format_addr(addr, gateway));
}

static int check_gateway(const struct ini_section *in, const char *key, const struct addr *addr)
{
	if (!addr->len || addr_is_of_gateway(addr))
		return CTL_OK;
	return refuse(in, key, "give the address of the gateway",
		      "%s is no address of a host that a router can reach", key);
}

static int check_addresses(const struct ini_section *in, const struct connection *c)
{
	const struct addr *local = &c->local_gateway, *peer = &c->peer_gateway.addr;
	int ret = check_gateway(in, "LocalGateway", local);

	if (ret)
		return ret;
	/* Rules for all traffic need the peer's address, or IKE itself would go into the tunnel. */
	if (*c->peer_gateway.host && connection_has_rules(c))
		return refuse(in, "PeerGateway",
			      "give its address, or take a RouteTable and rules of your own",
			      "PeerGateway is a name, and PeerSubnets takes everything");
	if (*c->peer_gateway.host)
		return CTL_OK;
	if (local->len && local->len != peer->len)
		return refuse(in, "LocalGateway", "take two of one family",
			      "LocalGateway and PeerGateway are of different families");
	if (local->len && !memcmp(local, peer, sizeof(*peer)))
		return refuse(in, "PeerGateway", "give the address of the other end",
			      "PeerGateway is the same as LocalGateway");
	return check_gateway(in, "PeerGateway", peer);
}

/* ---- the interface ---- */

/* Whether one of the first @count tunnel addresses is @addr */
static bool has_address(const struct connection *c, size_t count, const struct addr *addr)
{
	for (size_t i = 0; i < count; i++)
		if (!memcmp(&c->tunnel_addresses.subnet[i].addr, addr, sizeof(*addr)))
			return true;
	return false;
}

static int check_tunnel_addresses(const struct ini_section *in, const struct connection *c)
{
	char text[FORMAT_MAX];

	for (size_t i = 0; i < c->tunnel_addresses.count; i++) {
		const struct subnet *own = &c->tunnel_addresses.subnet[i];

		if (!addr_is_of_host(&own->addr))
			return refuse(in, "TunnelAddress",
				      "give the interface an address of a host",
				      "TunnelAddress: %s cannot be that of an interface",
				      format_subnet(text, own));
		if (has_address(c, i, &own->addr))
			return refuse(in, "TunnelAddress", "give it once",
				      "TunnelAddress: %s is there twice",
				      format_addr(text, &own->addr));
	}
	return CTL_OK;
}

/* The kernel takes IPv6 off an interface with less. */
static int check_mtu(const struct ini_section *in, const struct connection *c)
{
	if (!c->mtu || c->mtu >= IPV6_MTU_MIN ||
	    (!subnet_list_has_family(&c->peer_subnets, 16) &&
	     !subnet_list_has_family(&c->tunnel_addresses, 16)))
		return CTL_OK;
	return refuse(in, "MTU", "take 1280 or more, or auto, or leave IPv6 out",
		      "MTU: %u bytes are too few for the IPv6 of PeerSubnets or TunnelAddress",
		      c->mtu);
}

/* The peer accepts no other source, and a route of the other family cannot have it. */
static int check_sources(const struct ini_section *in, const struct connection *c)
{
	for (int i = 0; i < 2; i++) {
		const struct addr *source = &c->route_sources[i];

		if (!source->len)
			continue;
		if (!subnet_list_has_family(&c->peer_subnets, source->len))
			return refuse(in, "RouteSource",
				      "leave it out, or take one of the other family",
				      "RouteSource: none of PeerSubnets is of its family");
		if (!subnet_list_find(&c->local_subnets, source) &&
		    !has_address(c, c->tunnel_addresses.count, source))
			return refuse(in, "RouteSource",
				      "take an address of this host in one of them",
				      "RouteSource: in none of LocalSubnets, and not in TunnelAddress");
	}
	return CTL_OK;
}

static int check_interface(const struct ini_section *in, struct connection *c)
{
	if (*c->ifname)
		return CTL_OK;
	if (strlen(c->name) >= IFNAMSIZ || is_reserved_ifname(c->name))
		return refuse(in, NULL, "add Interface, such as Interface = pvs0",
			      "the connection's name cannot be that of an interface");
	strcpy(c->ifname, c->name);
	return CTL_OK;
}

/* Quick mode has one selector for each end (RFC 2409 section 5.5). */
static int check_version(const struct ini_section *in, const struct connection *c)
{
	if (c->ike.version != 1 || (c->local_subnets.count == 1 && c->peer_subnets.count == 1))
		return CTL_OK;
	return refuse(in, c->peer_subnets.count > 1 ? "PeerSubnets" : "LocalSubnets",
		      "take IKEv2, or one wider prefix", "IKEv1 agrees on one prefix of each site");
}

static int check_identity(const struct ini_section *in, const char *key,
			  const struct identity *identity)
{
	const char *why = identity_why_not(identity);

	if (!why)
		return CTL_OK;
	if (!identity->type)
		return refuse(in, key, NULL, "%s: \"%.64s\" is not valid: %s", key,
			      identity->text, why);
	return refuse(in, key, NULL, "%s: \"%.64s\" cannot be of type %s: %s", key, identity->text,
		      identity->type->word, why);
}

/* Additional exchanges came with IKEv2 (RFC 9370). */
static int check_additional(const struct ini_section *in, const struct connection *c)
{
	if (c->ike.version != 1 || !policy_has_additional(&c->ipsec))
		return CTL_OK;
	return refuse(in, NULL, "take IKEv2, or leave AdditionalKeyExchange out",
		      "IKEv1 has no additional key exchange, and the IPsec policy names one");
}

/* An identity that is not given is the gateway. */
static int check_identities(const struct ini_section *in, struct connection *c)
{
	char text[FORMAT_MAX];

	if (!*c->local_identity.text && c->local_gateway.len)
		strcpy(c->local_identity.text, format_addr(text, &c->local_gateway));
	if (!*c->peer_identity.text)
		strcpy(c->peer_identity.text, *c->peer_gateway.host ? c->peer_gateway.host :
		       format_addr(text, &c->peer_gateway.addr));
	return check_identity(in, "LocalIdentity", &c->local_identity) ?:
	       check_identity(in, "PeerIdentity", &c->peer_identity);
}

/* Rejects both keys together: they set the same value. */
static int check_initiate(const struct ini_section *in)
{
	if (!ini_find(in, "EstablishMode") || !ini_find(in, "Initiate"))
		return CTL_OK;
	return refuse(in, "EstablishMode", "keep one of the two",
		      "EstablishMode and Initiate say the same");
}

static int check_connection(const struct ini_section *in, struct connection *c)
{
	return check_required(in, c) ?: check_addresses(in, c) ?:
	       check_prefixes(in, "LocalSubnets", &c->local_subnets) ?:
	       check_prefixes(in, "PeerSubnets", &c->peer_subnets) ?:
	       check_sites(in, c) ?: check_path(in, c) ?: check_version(in, c) ?:
	       check_additional(in, c) ?:
	       check_sources(in, c) ?: check_interface(in, c) ?: check_tunnel_addresses(in, c) ?:
	       check_mtu(in, c) ?: check_initiate(in) ?: check_identities(in, c);
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

static int read_connection(const struct ini_file *file, struct connection *c)
{
	const struct ini_section *in, *dpd;
	int ret = check_sections(file);

	if (ret)
		return ret;
	in = section_find(file, "Connection", "");
	dpd = section_find(file, "DeadPeerDetection", "");
	c->line.section = in->line;
	c->line.peer_gateway = section_line(in, "PeerGateway");
	c->line.peer_subnets = section_line(in, "PeerSubnets");
	ret = section_read(in, connection_keys, c);
	if (!ret && dpd)
		ret = section_read(dpd, dpd_keys, c);
	return ret ?: load_policies(file, c) ?: check_connection(in, c);
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
	return connection_parse(what, name, NULL, c);
}

int connection_parse(const char *what, const char *name, const char *text, struct connection *c)
{
	struct ini_file file;
	int ret = connection_init(what, name, c);

	if (ret)
		return ret;
	file = (struct ini_file){ .what = what, .path = c->path };
	if (text)
		ret = ini_read_text(&file, text);
	else
		ret = check_directory(what) ?: ini_load(&file);
	ret = ret ?: read_connection(&file, c);
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
