/* SPDX-License-Identifier: GPL-2.0 */
/* A connection, as its file describes it. Documentation/pvsvpn.conf.rst has every key. */
#ifndef PVSVPNCTL_CONNECTION_H
#define PVSVPNCTL_CONNECTION_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection/policy.h"
#include "parse.h"

/* The file beside the connections that has their policies */
#define POLICIES "policies"

/* The service's own limit for names. */
#define CONNECTION_NAME_MAX 47
#define IDENTITY_MAX 255
/* With the word in front that tells the daemon of which type it is */
#define IDENTITY_TEXT_MAX (IDENTITY_MAX + 8)
/* Linux' main table */
#define TABLE_MAIN 254

#define SECRET_MIN 6
#define SECRET_MAX 128

/**
 * struct identity - what an end is called (RFC 7296 section 3.5)
 * @text: an address, a name, an e-mail address, or octets in a key ID
 * @type: of identity_types, NULL for the one that the text looks like
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
 * @addr: its address; with @host that which strongSwan has found, none before
 */
struct gateway {
	char host[HOST_MAX + 1];
	struct addr addr;
};

/**
 * struct connection - all that "up" has to know
 * @name: of the file, without ".conf"
 * @path: of the file
 * @ifname: of the device
 * @local_gateway: outer address here; none for whichever the route gives
 * @peer_gateway: outer address there, or its name
 * @local_identity: what the peer calls us, never empty once checked
 * @peer_identity: what we call the peer
 * @local_subnets: inner prefixes here
 * @peer_subnets: inner prefixes there
 * @ike_name: of the policy in policies.conf, "" for that of the connection's file
 * @ipsec_name: the same
 * @ike: how the two daemons speak
 * @ipsec: how packets are protected
 * @dpd_interval: seconds
 * @dpd_threshold: how many may stay without an answer
 * @dpd_restart: connect again when the peer is dead
 * @initiate: begin, instead of waiting for the peer to begin
 * @encap_udp: ESP in UDP also where no NAT is on the way
 * @replay_window: packets that may overtake another (RFC 4303 section 3.4.3)
 * @tunnel_addresses: addresses of the device, with the prefix of their subnet
 * @mtu: bytes, 0 for auto
 * @mss: a value of mss-clamp
 * @routes: add routes to @peer_subnets
 * @route_metric: of them, 0 for the kernel's own
 * @route_table: of them, 0 for the one that connection_table() says
 * @route_sources: preferred source address of those of IPv4, and of IPv6, or none
 * @mark: of the tunnel's own packets, 0 for one made from the name
 * @withdraw_routes: they do not count while the device has no carrier
 * @if_id: of the SAs, 0 for one made from the name
 * @legacy: values that are no longer safe may be used
 * @by_certificate: certificates say who is who, instead of the secret
 * @secret_file: where the secret is
 * @cert_file: where the certificate of this end is
 * @key_file: where its private key is
 * @ca_file: where the certificate of the CA is that has issued the peer's
 * @line: where in the file things are that other files may contradict
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

/* As strongSwan reads it, into @text of IDENTITY_TEXT_MAX bytes. Return: @text. */
const char *identity_text(char *text, const struct identity *identity);

/* Every section and its keys, for "check --help" */
void connection_print_keys(void);

/* Where the files are: $PVSVPN_CONFIG_DIR, or /etc/pvsvpn. */
const char *connection_dir(void);

/**
 * may_read() - may we look at what is in a directory?
 * @what: the command, for error lines
 * @dir: one of ours
 *
 * Return: CTL_OK, also where there is none; CTL_DENIED after saying why.
 */
int may_read(const char *what, const char *dir);

/**
 * connection_load() - read a connection's file and check it by itself
 * @what: the command, for error lines
 * @name: of the connection
 * @c: to be freed with connection_free(), also after a failure
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int connection_load(const char *what, const char *name, struct connection *c);

/* The same for a text that was read already. */
int connection_parse(const char *what, const char *name, const char *text,
		     struct connection *c);

/**
 * connection_check_others() - does it get along with the other connections?
 * @what: the command, for error lines
 * @c: the connection
 *
 * Files of others that are not valid are not looked at: they cannot be up.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int connection_check_others(const char *what, const struct connection *c);
void connection_free(struct connection *c);

/* The number that its SAs have in XFRM, and its device. */
uint32_t connection_if_id(const struct connection *c);

/**
 * connection_takes_all() - is everything of a family to go through the tunnel?
 * @c: the connection
 * @addr_len: 4 or 16, the bytes of an address of that family
 *
 * The routes are then in a table of their own, and rules lead there (connection/rules.h).
 */
bool connection_takes_all(const struct connection *c, uint8_t addr_len);

/* Whether it takes all of one family or of both, and so needs rules */
bool connection_has_rules(const struct connection *c);

/* The number of that table, made from the connection's name */
uint32_t connection_number(const char *name);

/* The mark of the tunnel's own packets, where rules need one */
uint32_t connection_mark(const struct connection *c);

/* The table of a route to one of its peer subnets */
uint32_t connection_table(const struct connection *c, const struct subnet *subnet);

/* The source address of routes to addresses of @addr_len bytes; none if its length is 0 */
const struct addr *connection_source(const struct connection *c, uint8_t addr_len);

/**
 * connection_reached() - what packets of the peer may reach at this end
 * @c: the connection
 *
 * Its local subnets, and the addresses of its interface that are in none of them.
 *
 * Return: prefixes, to be freed; none where it may reach everything.
 */
struct subnet_list connection_reached(const struct connection *c);

/**
 * connection_check_names() - are all files called as connections can be?
 * @what: the command, for error lines
 *
 * Return: CTL_OK, or CTL_FAILED after saying which are not.
 */
int connection_check_names(const char *what);

/**
 * connection_names() - the names of all files, in order
 * @names: to be freed with connection_names_free()
 *
 * Return: how many there are.
 */
size_t connection_names(char ***names);
/* The same for any directory, whose files are NAME and @suffix. */
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
int secret_load(const char *what, const struct connection *c,
		struct secret *secret);

/* The same for the content of such a file; at most SECRET_MAX + 3 bytes of it count. */
int secret_parse(const char *what, const char *path, const char *text, size_t len,
		 struct secret *secret);
void secret_wipe(struct secret *secret);

#endif /* PVSVPNCTL_CONNECTION_H */
