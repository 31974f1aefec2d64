/* SPDX-License-Identifier: GPL-2.0 */
/* A connection, as its file describes it. Documentation/pvsvpn.conf.rst describes every key. */
#ifndef PVSVPNCTL_CONNECTION_H
#define PVSVPNCTL_CONNECTION_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "connection/policy.h"
#include "parse.h"

struct json_object;

/* The file of the shared policies, beside those of the connections */
#define POLICIES "policies"

/* The VPN service's limit for names */
#define CONNECTION_NAME_MAX 47
#define IDENTITY_MAX 255
/* Longest identity with the prefix that tells strongSwan its type */
#define IDENTITY_TEXT_MAX (IDENTITY_MAX + 8)
/* Linux' main table */
#define TABLE_MAIN 254
/* The one of the host's own addresses, which the kernel keeps */
#define TABLE_LOCAL 255

#define SECRET_MIN 6
#define SECRET_MAX 128
/* With the ends of its line, or of a few lines: bytes */
#define SECRET_FILE_MAX 1024

/**
 * struct identity - the identity of an end (RFC 7296 section 3.5)
 * @text: an address, a name, an e-mail address, or octets in a key ID
 * @type: one of identity_types; NULL: the text decides
 */
struct identity {
	char text[IDENTITY_MAX + 1];
	const struct identity_type *type;
};

/* The longest DNS name (RFC 1035 section 2.3.4) */
#define HOST_MAX 253

/**
 * struct gateway - where the peer is
 * @host: its DNS name, which strongSwan resolves at each attempt; "" if the file has the address
 * @addr: its address; if @host is set, the one that strongSwan has found, or none yet
 */
struct gateway {
	char host[HOST_MAX + 1];
	struct addr addr;
};

/**
 * struct connection - everything that "up" needs to know
 * @name: of the file, without ".conf"
 * @path: of the file
 * @ifname: of the device
 * @local_gateway: outer address here; none: the route decides
 * @peer_gateway: outer address there, or its name
 * @local_identity: identity of this end, never empty once checked
 * @peer_identity: identity of the peer
 * @local_subnets: inner prefixes here
 * @peer_subnets: inner prefixes there
 * @ike_name: of the policy in policies.conf, "" for the one in the connection's file
 * @ipsec_name: the same
 * @ike: the IKE policy
 * @ipsec: the IPsec policy
 * @dpd_interval: of dead peer detection, seconds
 * @dpd_threshold: how many intervals may pass without an answer
 * @dpd_restart: reconnect when the peer is dead
 * @initiate: initiate, instead of waiting for the peer
 * @encap_udp: ESP in UDP even without a NAT on the path
 * @replay_window: replay window, packets (RFC 4303 section 3.4.3)
 * @tunnel_addresses: addresses of the device, with the prefix of their subnet
 * @mtu: bytes, 0 for auto
 * @mss: a value of mss-clamp
 * @routes: add routes to @peer_subnets
 * @route_metric: of these routes, 0 for the kernel's default
 * @route_table: of these routes, 0: connection_table() decides
 * @route_sources: preferred source address of the IPv4 routes, and of the IPv6 routes, or none
 * @mark: of the tunnel's own packets, 0 for one made from the name
 * @withdraw_routes: ignore the routes while the device has no carrier
 * @if_id: of the SAs, 0 for one made from the name
 * @legacy: allow values that are no longer safe
 * @by_certificate: authenticate by certificates, instead of the secret
 * @secret_file: path of the secret
 * @cert_file: path of the certificate of this end
 * @key_file: path of its private key
 * @ca_file: path of the certificate of the CA that issued the peer's
 * @line: line numbers of settings that may conflict with other files
 */
struct connection {
	char name[CONNECTION_NAME_MAX + 1];
	char *path;
	char ifname[IFNAMSIZ];
	struct addr local_gateway;
	struct gateway peer_gateway;
	struct identity local_identity;
	struct identity peer_identity;
	struct subnet_list local_subnets;
	struct subnet_list peer_subnets;
	char ike_name[CONNECTION_NAME_MAX + 1];
	char ipsec_name[CONNECTION_NAME_MAX + 1];
	struct policy ike;
	struct policy ipsec;
	uint32_t dpd_interval;
	uint32_t dpd_threshold;
	bool dpd_restart;
	bool initiate;
	bool encap_udp;
	uint32_t replay_window;
	struct subnet_list tunnel_addresses;
	uint32_t mtu;
	uint32_t mss;
	bool routes;
	uint32_t route_metric;
	uint32_t route_table;
	struct addr route_sources[2];
	uint32_t mark;
	bool withdraw_routes;
	uint32_t if_id;
	bool legacy;
	bool by_certificate;
	char *secret_file;
	char *cert_file;
	char *key_file;
	char *ca_file;
	struct {
		unsigned int section;
		unsigned int peer_gateway;
		unsigned int peer_subnets;
	} line;
};

/* The pre-shared secret, to be wiped after use. */
struct secret {
	size_t len;
	char text[SECRET_MAX + 1];
};

/* Writes @identity in strongSwan's notation to @text of IDENTITY_TEXT_MAX bytes. Return: @text. */
const char *identity_text(char *text, const struct identity *identity);

/* Every section and its keys, for "check --help" */
void connection_print_keys(void);

/**
 * connection_print() - print a connection as its file
 * @out: where to
 * @c: the connection; keys have their effective values, and policies in policies.conf their names
 */
void connection_print(FILE *out, const struct connection *c);

/* Adds the same to a JSON object: connection, ike_policy, ipsec_policy, dead_peer_detection */
void connection_add_json(struct json_object *json, const struct connection *c);

/* The directory of the files: $PVSVPN_CONFIG_DIR, or /etc/pvsvpn. */
const char *connection_dir(void);

/**
 * may_read() - check that a directory may be read
 * @what: the command, for error lines
 * @dir: the directory
 *
 * Return: CTL_OK, also if it does not exist; CTL_DENIED after saying why.
 */
int may_read(const char *what, const char *dir);

/**
 * connection_load() - read a connection's file and check it alone
 * @what: the command, for error lines
 * @name: of the connection
 * @c: to be freed with connection_free(), also after a failure
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int connection_load(const char *what, const char *name, struct connection *c);

/* The same for a text that was read already; NULL: reads the file. */
int connection_parse(const char *what, const char *name, const char *text, struct connection *c);

/**
 * connection_check_others() - check for conflicts with the other connections
 * @what: the command, for error lines
 * @c: the connection
 *
 * Skips other files that are not valid: their connections cannot be up.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int connection_check_others(const char *what, const struct connection *c);
void connection_free(struct connection *c);

/* The if_id of its SAs in XFRM, and of its device */
uint32_t connection_if_id(const struct connection *c);

/**
 * connection_takes_all() - whether all traffic of a family goes through the tunnel
 * @c: the connection
 * @addr_len: 4 or 16, the bytes of an address of that family
 *
 * Then the routes are in a table of their own, and rules lead there (connection/rules.h).
 */
bool connection_takes_all(const struct connection *c, uint8_t addr_len);

/* Whether it takes all of one family or of both, and so needs rules */
bool connection_has_rules(const struct connection *c);

/* The number of the connection's own table, made from its name */
uint32_t connection_number(const char *name);

/* The mark of the tunnel's own packets, for the rules */
uint32_t connection_mark(const struct connection *c);

/* The table of a route to one of its peer subnets */
uint32_t connection_table(const struct connection *c, const struct subnet *subnet);

/* The source address of routes to addresses of @addr_len bytes; none if its length is 0 */
const struct addr *connection_source(const struct connection *c, uint8_t addr_len);

/**
 * connection_reached() - prefixes at this end that the peer may reach
 * @c: the connection
 *
 * Its local subnets, and the addresses of its interface that are in none of them.
 *
 * Return: prefixes, to be freed; none if it may reach everything.
 */
struct subnet_list connection_reached(const struct connection *c);

/**
 * connection_check_names() - check that all files have valid names
 * @what: the command, for error lines
 *
 * Return: CTL_OK, or CTL_FAILED after saying which are not.
 */
int connection_check_names(const char *what);

/* The names of the files that are not called so; as connection_names() */
size_t connection_bad_names(char ***names);

/**
 * connection_names() - the names of all files, in order
 * @names: to be freed with connection_names_free()
 *
 * Return: how many there are.
 */
size_t connection_names(char ***names);
/* The same for the files NAME@suffix of any directory */
size_t names_with_suffix(const char *path, const char *suffix, char ***names);
void connection_names_free(char **names, size_t count);

/**
 * secret_load() - read the file of the secret
 * @what: the command, for error lines
 * @c: the connection
 * @secret: to be wiped with secret_wipe()
 *
 * Return: CTL_OK, or CTL_FAILED after saying why; then @secret is wiped.
 */
int secret_load(const char *what, const struct connection *c, struct secret *secret);

/* The same for the content of such a file; @len: SECRET_FILE_MAX at most. */
int secret_parse(const char *what, const char *path, const char *text, size_t len,
		 struct secret *secret);
void secret_wipe(struct secret *secret);

#endif /* PVSVPNCTL_CONNECTION_H */
