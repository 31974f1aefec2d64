// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/strongswan.h"
#include "error.h"
#include "print.h"

/* The first version with if_id */
#define OLDEST_MAJOR 5
#define OLDEST_MINOR 8

/* How long the peer may take to confirm that an SA has ended: seconds */
#define TERMINATE_TIMEOUT 3

/* ---- requirements ---- */

static void read_version(struct vici_reader *message, void *data)
{
	struct vici_element element;
	char *version = data;

	while (vici_read(message, &element) > 0)
		if (element.type == VICI_VALUE && !strcmp(element.name, "version"))
			vici_element_text(&element, version, FORMAT_MAX);
}

static int check_version(struct vici *daemon, const char *what)
{
	char version[FORMAT_MAX] = "";
	const struct vici_call call = {
		.command = "version", .answer = read_version, .data = version,
	};
	int major, minor, ret = vici_call(daemon, &call);

	if (ret)
		return ret;
	if (sscanf(version, "%d.%d", &major, &minor) == 2 &&
	    (major > OLDEST_MAJOR || (major == OLDEST_MAJOR && minor >= OLDEST_MINOR)))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, "strongSwan", "install a newer one",
			 "version %s is too old, %d.%d is the first that knows if_id", version,
			 OLDEST_MAJOR, OLDEST_MINOR);
}

/* The daemon needs no plugins for the algorithms of ESP: those are in the kernel. */
enum { ADDITIONAL = 4, NEEDED = 6 };

#define INSTALL "apt install libstrongswan-standard-plugins libstrongswan-extra-plugins, and restart it"
#define NEWER "install strongSwan 6.0 or newer, with its plugin ml, or openssl with OpenSSL 3.5"

/* The required algorithms, and whether a plugin has each */
struct algorithms_found {
	const struct algorithm_list *needed[NEEDED];
	bool found[NEEDED][ALGORITHM_LIST_MAX];
};

static void find_algorithm(struct algorithms_found *algs, const char *name)
{
	for (size_t i = 0; i < NEEDED; i++)
		for (size_t j = 0; j < algs->needed[i]->count; j++)
			if (!strcmp(name, algs->needed[i]->one[j]->daemon))
				algs->found[i][j] = true;
}

/* Sections of kinds, with an algorithm and its plugin in each value */
static void read_algorithms(struct vici_reader *message, void *data)
{
	struct vici_element element;

	while (vici_read(message, &element) > 0)
		if (element.type == VICI_VALUE)
			find_algorithm(data, element.name);
}

static int check_found(const char *what, const struct algorithm_list *needed, const char *todo,
		       const bool *found)
{
	for (size_t i = 0; i < needed->count; i++)
		if (*needed->one[i]->daemon && !found[i])
			return ctl_error(CTL_FAILED, what, "strongSwan", todo,
					 "no plugin has %s (%s)", needed->one[i]->word,
					 needed->one[i]->daemon);
	return CTL_OK;
}

int strongswan_check(struct vici *daemon, const char *what, const struct connection *c)
{
	struct algorithms_found algs = {
		.needed = { &c->ike.encryption, &c->ike.authentication, &c->ike.dh, &c->ipsec.dh,
			    &c->ike.additional, &c->ipsec.additional },
	};
	const struct vici_call call = {
		.command = "get-algorithms", .answer = read_algorithms, .data = &algs,
	};
	int ret = check_version(daemon, what) ?: vici_call(daemon, &call);

	for (size_t i = 0; i < NEEDED && !ret; i++)
		ret = check_found(what, algs.needed[i], i < ADDITIONAL ? INSTALL : NEWER,
				  algs.found[i]);
	return ret;
}

/* ---- configuration ---- */

static void add_bytes(struct vici_message *m, const char *key, const void *bytes, size_t len)
{
	vici_list(m, key);
	vici_item_bytes(m, bytes, len);
	vici_list_end(m);
}

static void add_item(struct vici_message *m, const char *key, const char *text)
{
	add_bytes(m, key, text, strlen(text));
}

static void add_addr(struct vici_message *m, const char *key, const struct addr *addr)
{
	char text[FORMAT_MAX];

	if (addr->len)
		add_item(m, key, format_addr(text, addr));
}

static void add_subnets(struct vici_message *m, const char *key, const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	vici_list(m, key);
	for (size_t i = 0; i < list->count; i++)
		vici_item(m, format_subnet(text, &list->subnet[i]));
	vici_list_end(m);
}

static void add_proposal(void *message, const char *proposal)
{
	vici_item(message, proposal);
}

static void add_proposals(struct vici_message *m, const char *key, const struct connection *c,
			  bool ike)
{
	vici_list(m, key);
	policy_proposals(ike ? &c->ike : &c->ipsec, ike, c->ike.version, add_proposal, m);
	vici_list_end(m);
}

/*
 * @certs: NULL to name the files instead. The peer's end has the whole certificate of the CA:
 * another CA can have the same subject and key identifier.
 */
static void add_end(struct vici_message *m, const struct connection *c,
		    const struct certificates *certs, bool local)
{
	const char *key = local ? "certs" : "cacerts";
	char text[IDENTITY_TEXT_MAX];

	vici_section(m, local ? "local" : "remote");
	vici_value(m, "auth", c->by_certificate ? "pubkey" : "psk");
	vici_value(m, "id", "%s", identity_text(text, local ? &c->local_identity :
						&c->peer_identity));
	if (c->by_certificate && certs && local)
		add_bytes(m, key, certs->own.bytes, certs->own.len);
	else if (c->by_certificate && certs)
		add_bytes(m, key, certs->ca.bytes, certs->ca.len);
	else if (c->by_certificate)
		add_item(m, key, local ? c->cert_file : c->ca_file);
	vici_section_end(m);
}

/* The last tenth of a lifetime is reserved for rekeying. */
static void add_child(struct vici_message *m, const struct connection *c)
{
	const struct policy *ipsec = &c->ipsec;

	vici_section(m, "children");
	vici_section(m, c->name);
	add_subnets(m, "local_ts", &c->local_subnets);
	add_subnets(m, "remote_ts", &c->peer_subnets);
	add_proposals(m, "esp_proposals", c, false);
	vici_value(m, "life_time", "%us", ipsec->lifetime);
	vici_value(m, "rekey_time", "%us", ipsec->lifetime / 10 * 9);
	vici_value(m, "rand_time", "%us", ipsec->lifetime / 20);
	vici_value(m, "replay_window", "%u", c->replay_window);
	/* An end that waits for its peer does not initiate after the peer's death either. */
	vici_value(m, "dpd_action", "%s", c->dpd_restart && c->initiate ? "restart" : "clear");
	/* Restarts a child SA that the peer has ended. */
	if (c->initiate)
		vici_value(m, "close_action", "start");
	vici_section_end(m);
	vici_section_end(m);
}

static void add_ike(struct vici_message *m, const struct connection *c)
{
	const struct policy *ike = &c->ike;

	vici_value(m, "version", "%u", ike->version);
	add_addr(m, "local_addrs", &c->local_gateway);
	if (*c->peer_gateway.host)
		add_item(m, "remote_addrs", c->peer_gateway.host);
	else
		add_addr(m, "remote_addrs", &c->peer_gateway.addr);
	add_proposals(m, "proposals", c, true);
	vici_value(m, "encap", "%s", c->encap_udp ? "yes" : "no");
	/* IKE with another address of the peer would go into the tunnel. */
	if (connection_takes_all(c, c->peer_gateway.addr.len))
		vici_value(m, "mobike", "no");
	vici_value(m, "rekey_time", "%us", ike->lifetime / 10 * 9);
	vici_value(m, "over_time", "%us", ike->lifetime / 10);
	vici_value(m, "rand_time", "%us", ike->lifetime / 20);
	vici_value(m, "dpd_delay", "%us", c->dpd_interval);
	vici_value(m, "dpd_timeout", "%us", c->dpd_interval * c->dpd_threshold);
	/* The if_id also keeps the daemon from putting two connections into one IKE SA. */
	vici_value(m, "if_id_in", "%u", connection_if_id(c));
	vici_value(m, "if_id_out", "%u", connection_if_id(c));
	/* A peer may take long to come back. */
	vici_value(m, "keyingtries", "%d", c->initiate ? 0 : 1);
}

static void add_connection(struct vici_message *m, const struct connection *c,
			   const struct certificates *certs)
{
	vici_section(m, c->name);
	add_ike(m, c);
	add_end(m, c, certs, true);
	add_end(m, c, certs, false);
	add_child(m, c);
	vici_section_end(m);
}

void strongswan_print(FILE *out, const struct connection *c)
{
	struct vici_message message = { 0 };

	add_connection(&message, c, NULL);
	fputs("connections {\n", out);
	vici_print(out, &message, 1);
	fputs("}\n", out);
	vici_message_free(&message);
}

/* Size of a message with a secret, two identities and the words around them: bytes */
#define SECRET_MESSAGE_MAX 1024

#define SEE_LOG "see the log of strongSwan (journalctl -u strongswan)"

const char *strongswan_mark(char *text, const char *name)
{
	snprintf(text, STRONGSWAN_MARK_MAX, "pvsvpn-%s", name);
	return text;
}

static int load_secret(struct vici *daemon, const struct connection *c, const struct secret *secret)
{
	struct vici_message message = { 0 };
	char mark[STRONGSWAN_MARK_MAX], text[IDENTITY_TEXT_MAX];

	vici_reserve_locked(&message, SECRET_MESSAGE_MAX);
	vici_value(&message, "id", "%s", strongswan_mark(mark, c->name));
	vici_value(&message, "type", "IKE");
	vici_bytes(&message, "data", secret->text, secret->len);
	vici_list(&message, "owners");
	vici_item(&message, identity_text(text, &c->local_identity));
	vici_item(&message, identity_text(text, &c->peer_identity));
	vici_list_end(&message);
	return vici_order(daemon, "load-shared", &message, SEE_LOG);
}

static int load_ca(struct vici *daemon, const struct connection *c, const struct der *ca)
{
	struct vici_message message = { 0 };
	char mark[STRONGSWAN_MARK_MAX];

	vici_section(&message, strongswan_mark(mark, c->name));
	vici_bytes(&message, "cacert", ca->bytes, ca->len);
	vici_section_end(&message);
	return vici_order(daemon, "load-authority", &message, SEE_LOG);
}

static int load_key(struct vici *daemon, const struct der *key)
{
	struct vici_message message = { 0 };

	vici_reserve_locked(&message, key->len + SECRET_MESSAGE_MAX);
	vici_value(&message, "type", "any");
	vici_bytes(&message, "data", key->bytes, key->len);
	return vici_order(daemon, "load-key", &message, SEE_LOG);
}

static int load_credentials(struct vici *daemon, const struct connection *c,
			    const struct credentials *cred)
{
	if (!c->by_certificate)
		return load_secret(daemon, c, &cred->secret);
	return load_ca(daemon, c, &cred->certs.ca) ?: load_key(daemon, &cred->certs.key);
}

int strongswan_load(struct vici *daemon, const struct connection *c, const struct credentials *cred)
{
	struct vici_message message = { 0 };
	int ret = load_credentials(daemon, c, cred);

	if (ret)
		return ret;
	add_connection(&message, c, &cred->certs);
	ret = vici_order(daemon, "load-conn", &message, SEE_LOG);
	if (ret || !strongswan_forgot(daemon, c, cred->certs.key_id))
		return ret;
	return ctl_error(CTL_FAILED, "up", "strongSwan", SEE_LOG,
			 "it has taken the connection, and does not have it as the file says");
}

static int unload(struct vici *daemon, const char *command, const char *key, const char *name)
{
	struct vici_message message = { 0 };

	vici_value(&message, key, "%s", name);
	/* The answer "no" is no error: it was not there. */
	return vici_order(daemon, command, &message, NULL);
}

int strongswan_drop(struct vici *daemon, uint64_t ike_id)
{
	struct vici_message message = { 0 };

	vici_value(&message, "ike-id", "%" PRIu64, ike_id);
	vici_value(&message, "force", "yes");
	vici_value(&message, "timeout", "-1");
	/* The answer "no" is no error: there was no such SA. */
	return vici_order(daemon, "terminate", &message, NULL);
}

static int terminate(struct vici *daemon, const char *name)
{
	struct vici_message message = { 0 };
	/* Log lines show that the daemon is alive while many SAs end one after the other. */
	const struct vici_call call = {
		.command = "terminate", .request = &message, .event = "control-log",
		.seconds = TERMINATE_TIMEOUT,
	};
	int ret;

	vici_value(&message, "ike", "%s", name);
	vici_value(&message, "force", "yes");
	vici_value(&message, "timeout", "%d", TERMINATE_TIMEOUT * 1000);
	ret = vici_call(daemon, &call);
	vici_message_free(&message);
	return ret;
}

int strongswan_remove_key(struct vici *daemon, const char *key)
{
	return unload(daemon, "unload-key", "id", key);
}

/* The IKE SA's section is the outermost; child SAs are in "child-sas" inside it. */
enum { DEPTH_IKE = 1, DEPTH_CHILD = 3 };

int strongswan_list(struct vici *daemon, const char *command, const char *event, const char *name,
		    vici_fn *heard, void *data)
{
	struct vici_message message = { 0 };
	const struct vici_call call = {
		.command = command, .request = &message, .event = event,
		.heard = heard, .data = data,
	};
	int ret;

	vici_value(&message, "ike", "%s", name);
	ret = vici_call(daemon, &call);
	vici_message_free(&message);
	return ret;
}

/* ---- SAs of a connection that the operator has replaced ---- */

#define SAS_MAX 64

/**
 * struct ours - IKE SAs of ours
 * @if_id: of them and of their child SAs
 * @ike_id: the IKE SA that is being read
 * @ids: those that are ours
 * @count: how many
 */
struct ours {
	uint32_t if_id;
	uint64_t ike_id;
	uint64_t ids[SAS_MAX];
	size_t count;
};

static void find_ours(struct vici_reader *message, void *data)
{
	struct vici_element element;
	struct ours *ours = data;
	char text[FORMAT_MAX];

	while (vici_read(message, &element) > 0) {
		if (element.type != VICI_VALUE)
			continue;
		vici_element_text(&element, text, sizeof(text));
		if (element.depth == DEPTH_IKE && !strcmp(element.name, "uniqueid"))
			ours->ike_id = strtoull(text, NULL, 10);
		if ((element.depth == DEPTH_IKE || element.depth == DEPTH_CHILD) &&
		    !strcmp(element.name, "if-id-in") &&
		    strtoull(text, NULL, 16) == ours->if_id && ours->count < SAS_MAX &&
		    (!ours->count || ours->ids[ours->count - 1] != ours->ike_id))
			ours->ids[ours->count++] = ours->ike_id;
	}
}

static int drop_sas(struct vici *daemon, const char *name, uint32_t if_id)
{
	struct ours ours = { .if_id = if_id };
	int ret = strongswan_list(daemon, "list-sas", "list-sa", name, find_ours, &ours);

	for (size_t i = 0; i < ours.count && !ret; i++)
		ret = strongswan_drop(daemon, ours.ids[i]);
	return ret;
}

int strongswan_remove(struct vici *daemon, const char *name, const struct connection *c,
		      uint32_t if_id)
{
	char mark[STRONGSWAN_MARK_MAX];
	int ret = CTL_OK;

	strongswan_mark(mark, name);
	if (!strongswan_has(daemon, name) || strongswan_looks_like(daemon, name, c))
		ret = unload(daemon, "unload-conn", "name", name) ?: terminate(daemon, name);
	else
		ret = drop_sas(daemon, name, if_id);
	return ret ?: unload(daemon, "unload-shared", "id", mark) ?:
	       unload(daemon, "unload-authority", "name", mark);
}

/* ---- negotiation ---- */

/* Log lines of the daemon about a failed negotiation */
static const struct {
	const char *text;
	enum reason before;	/* the IKE SA was established */
	enum reason after;
} failures[] = {
	{ "NO_PROPOSAL_CHOSEN", REASON_IKE_POLICY_MISMATCH, REASON_IPSEC_POLICY_MISMATCH },
	{ "no acceptable proposal found", REASON_IKE_POLICY_MISMATCH,
	  REASON_IPSEC_POLICY_MISMATCH },
	{ "INVALID_KE_PAYLOAD", REASON_IKE_POLICY_MISMATCH, REASON_IPSEC_POLICY_MISMATCH },
	{ "no matching CHILD_SA config", REASON_IKE_V2_CIDR_MISMATCH,
	  REASON_IKE_V2_CIDR_MISMATCH },
	{ "TS_UNACCEPTABLE", REASON_IKE_V2_CIDR_MISMATCH, REASON_IKE_V2_CIDR_MISMATCH },
	{ "INVALID_ID_INFORMATION", REASON_CANNOT_AUTHENTICATE,
	  REASON_IKE_V1_CIDR_MISMATCH },
	{ "AUTHENTICATION_FAILED", REASON_CANNOT_AUTHENTICATE, REASON_CANNOT_AUTHENTICATE },
	{ "MAC mismatched", REASON_CANNOT_AUTHENTICATE, REASON_CANNOT_AUTHENTICATE },
	{ "no shared key found", REASON_CANNOT_AUTHENTICATE, REASON_CANNOT_AUTHENTICATE },
	{ "constraint check failed", REASON_CANNOT_AUTHENTICATE, REASON_CANNOT_AUTHENTICATE },
	{ "no trusted ", REASON_CANNOT_AUTHENTICATE, REASON_CANNOT_AUTHENTICATE },
	{ "PAYLOAD_MALFORMED", REASON_CANNOT_AUTHENTICATE, REASON_INTERNAL_ERROR },
	/* If the secrets differ, neither end can decrypt the other's IKEv1 messages. */
	{ "ignore malformed INFORMATIONAL", REASON_CANNOT_AUTHENTICATE, REASON_INTERNAL_ERROR },
	{ "unable to resolve ", REASON_NAME_NOT_RESOLVED, REASON_NAME_NOT_RESOLVED },
	{ "INVALID_MAJOR_VERSION", REASON_IKE_VERSION, REASON_IKE_VERSION },
	{ "giving up after", REASON_PEER_NOT_RESPONDING, REASON_PEER_NOT_RESPONDING },
	{ "retransmit ", REASON_PEER_NOT_RESPONDING, REASON_PEER_NOT_RESPONDING },
};

enum reason strongswan_reason(const char *line, bool established, bool v1)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		enum reason reason = established ? failures[i].after : failures[i].before;

		if (!strstr(line, failures[i].text))
			continue;
		if (v1 && reason == REASON_IKE_V2_CIDR_MISMATCH)
			reason = REASON_IKE_V1_CIDR_MISMATCH;
		return reason;
	}
	return REASON_NONE;
}

/**
 * struct attempt - a negotiation, as logged so far
 * @v1: it is IKEv1
 * @established: the IKE SA is established
 * @reason: the last cause of a failure
 * @success: the daemon reports success
 * @begun: the daemon has logged something
 * @asked_4500: the last packet went to UDP 4500, and none has come since
 */
struct attempt {
	bool v1;
	bool established;
	bool asked_4500;
	enum reason reason;
	bool success;
	bool begun;
};

/* "sending packet: from 192.0.2.1[4500] to 192.0.2.2[4500] (260 bytes)" */
static void hear_port(struct attempt *attempt, const char *line)
{
	if (!strncmp(line, "sending packet: ", 16))
		attempt->asked_4500 = strstr(line, "[4500] (");
	if (!strncmp(line, "received packet: ", 17))
		attempt->asked_4500 = false;
}

static void hear_line(struct attempt *attempt, const char *line)
{
	enum reason reason;

	attempt->begun = true;
	hear_port(attempt, line);
	if (strstr(line, "IKE_SA") && strstr(line, " established between "))
		attempt->established = true;
	reason = strongswan_reason(line, attempt->established, attempt->v1);
	/* A retransmission does not replace an earlier cause. */
	if (reason && (reason != REASON_PEER_NOT_RESPONDING || !attempt->reason))
		attempt->reason = reason;
}

/* A line of the daemon's log about this attempt */
static void hear(struct vici_reader *message, void *data)
{
	struct vici_element element;
	char group[8] = "", line[512] = "";

	while (vici_read(message, &element) > 0) {
		if (element.type != VICI_VALUE)
			continue;
		if (!strcmp(element.name, "group"))
			vici_element_text(&element, group, sizeof(group));
		if (!strcmp(element.name, "msg"))
			vici_element_text(&element, line, sizeof(line));
	}
	hear_line(data, line);
	if (!strcmp(group, "IKE"))
		printf("  %s\n", line);
	fflush(stdout);
}

static void hear_end(struct vici_reader *message, void *data)
{
	struct attempt *attempt = data;
	struct vici_element element;
	char text[256];

	while (vici_read(message, &element) > 0) {
		if (element.type != VICI_VALUE)
			continue;
		vici_element_text(&element, text, sizeof(text));
		if (!strcmp(element.name, "success"))
			attempt->success = !strcmp(text, "yes");
		/* The timeout came before the first retransmission. */
		if (!strcmp(element.name, "errmsg") && !attempt->reason &&
		    strstr(text, "not established after"))
			attempt->reason = REASON_PEER_NOT_RESPONDING;
		/* A daemon that is built without IKEv1 logs nothing to us. */
		if (!strcmp(element.name, "errmsg") && attempt->v1 && !attempt->begun &&
		    strstr(text, "establishing "))
			attempt->reason = REASON_IKE_VERSION;
	}
}

/* The daemon's timeout: -1 means not to wait, 0 would mean for ever. */
static int milliseconds(unsigned int seconds)
{
	if (!seconds)
		return -1;
	return seconds < INT_MAX / 1000 ? seconds * 1000 : INT_MAX;
}

enum reason strongswan_initiate(struct vici *daemon, const struct connection *c,
				unsigned int seconds)
{
	struct attempt attempt = { .v1 = c->ike.version == 1 };
	struct vici_message message = { 0 };
	const struct vici_call call = {
		.command = "initiate", .request = &message, .event = "control-log",
		.heard = hear, .answer = hear_end, .data = &attempt, .seconds = seconds,
	};

	vici_value(&message, "ike", "%s", c->name);
	vici_value(&message, "child", "%s", c->name);
	vici_value(&message, "timeout", "%d", milliseconds(seconds));
	vici_value(&message, "loglevel", "1");
	vici_call(daemon, &call);
	vici_message_free(&message);
	if (attempt.success)
		return REASON_NONE;
	/* Both ends have exchanged messages on UDP 500 before they use UDP 4500. */
	if (attempt.reason == REASON_PEER_NOT_RESPONDING && attempt.asked_4500 &&
	    !attempt.established)
		return REASON_UDP_4500;
	return attempt.reason ?: REASON_INTERNAL_ERROR;
}

/* ---- SAs ---- */

static void read_number(const struct vici_element *element, const char *key, uint64_t *value,
			int base)
{
	char text[FORMAT_MAX];

	if (!strcmp(element->name, key))
		*value = strtoull(vici_element_text(element, text, sizeof(text)), NULL, base);
}

static void read_text(const struct vici_element *element, const char *key, char *value, size_t size)
{
	if (!strcmp(element->name, key))
		vici_element_text(element, value, size);
}

static bool is_yes(const struct vici_element *element, const char *key)
{
	return !strcmp(element->name, key) && element->len == 3 &&
	       !memcmp(element->value, "yes", 3);
}

static void read_ike(const struct vici_element *element, struct negotiated *n)
{
	char text[FORMAT_MAX];

	if (element->type == VICI_ITEM) {
		bool active = !strcmp(element->name, "tasks-active");

		n->asking |= active;
		n->probing |= active &&
			      strstr(vici_element_text(element, text, sizeof(text)), "DPD");
		return;
	}
	read_text(element, "state", n->ike_state, sizeof(n->ike_state));
	read_text(element, "remote-host", n->remote, sizeof(n->remote));
	read_number(element, "remote-port", &n->remote_port, 10);
	read_number(element, "uniqueid", &n->ike_id, 10);
	read_number(element, "version", &n->ike_version, 10);
	read_number(element, "established", &n->ike_age, 10);
	read_number(element, "rekey-time", &n->ike_rekey, 10);
	n->nat_here |= is_yes(element, "nat-local");
	n->nat_there |= is_yes(element, "nat-remote");
}

static void read_spi(const struct vici_element *element, const char *key, uint32_t *spi)
{
	uint64_t value = 0;

	read_number(element, key, &value, 16);
	if (value)
		*spi = value;
}

/* Adds an item of the list @key. A list that is too long becomes empty. */
static void read_item(const struct vici_element *element, const char *key, char *list, bool *cut)
{
	size_t len = strlen(list);

	if (strcmp(element->name, key) || *cut)
		return;
	*cut = len + 1 + element->len >= TS_TEXT_MAX;
	if (*cut)
		*list = '\0';
	else
		vici_element_text(element, len ? strcpy(list + len, ",") + 1 : list,
				  TS_TEXT_MAX - len - 1);
}

static void read_child(const struct vici_element *element, struct negotiated *n)
{
	if (element->type == VICI_ITEM) {
		read_item(element, "local-ts", n->local_ts, &n->local_ts_cut);
		read_item(element, "remote-ts", n->remote_ts, &n->remote_ts_cut);
		return;
	}
	read_text(element, "state", n->child_state, sizeof(n->child_state));
	read_number(element, "install-time", &n->child_age, 10);
	read_number(element, "rekey-time", &n->child_rekey, 10);
	read_number(element, "life-time", &n->child_left, 10);
	read_number(element, "bytes-in", &n->bytes_in, 10);
	read_number(element, "bytes-out", &n->bytes_out, 10);
	read_number(element, "packets-in", &n->packets_in, 10);
	read_number(element, "packets-out", &n->packets_out, 10);
	read_spi(element, "spi-in", &n->spi_in);
	read_spi(element, "spi-out", &n->spi_out);
}

/* A child SA carries traffic while its successor is negotiated. */
static int child_rank(const struct negotiated *n)
{
	if (!strcmp(n->child_state, "INSTALLED"))
		return 2;
	return !strcmp(n->child_state, "REKEYING");
}

bool strongswan_carries(const struct negotiated *n)
{
	return child_rank(n);
}

/* The section of a child SA ends. Keeps the child SA in use, and the newest of several. */
static void end_child(struct negotiated *n, const struct negotiated *child)
{
	const size_t first = offsetof(struct negotiated, child_state);

	if (!*n->child_state || (child_rank(child) && child_rank(child) >= child_rank(n)))
		memcpy((char *)n + first, (const char *)child + first, sizeof(*n) - first);
}

/* The same for IKE SAs, if both ends have initiated at once */
static void end_ike(struct negotiated *n, const struct negotiated *ike)
{
	bool is_better = strongswan_carries(ike) ||
			 (!strongswan_carries(n) && !strcmp(ike->ike_state, "ESTABLISHED"));

	if (is_better || !*n->ike_state)
		*n = *ike;
}

void strongswan_read_sa(struct vici_reader *message, void *negotiated)
{
	struct negotiated ike = { 0 }, child = { 0 };
	struct vici_element element;

	while (vici_read(message, &element) > 0) {
		bool value = element.type == VICI_VALUE || element.type == VICI_ITEM;

		if (value && element.depth == DEPTH_IKE)
			read_ike(&element, &ike);
		if (value && element.depth == DEPTH_CHILD)
			read_child(&element, &child);
		if (element.type == VICI_SECTION_END && element.depth == DEPTH_CHILD - 1) {
			end_child(&ike, &child);
			memset(&child, 0, sizeof(child));
		}
	}
	end_ike(negotiated, &ike);
}

int strongswan_ask(struct vici *daemon, const char *name, struct negotiated *n)
{
	memset(n, 0, sizeof(*n));
	return strongswan_list(daemon, "list-sas", "list-sa", name, strongswan_read_sa, n);
}
