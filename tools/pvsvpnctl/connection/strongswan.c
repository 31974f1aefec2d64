// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection/run.h"
#include "connection/strongswan.h"
#include "error.h"
#include "print.h"

/* The first that knows if_id. */
#define OLDEST_MAJOR 5
#define OLDEST_MINOR 8

#define INSTALL "apt install charon-systemd strongswan-swanctl libstrongswan-standard-plugins"

/* ---- can it do that? ---- */

/* Asked only where something has failed: each swanctl takes its time. */
static int diagnose(const char *what, const char *failed)
{
	static const char * const argv[] = { "swanctl", "--version", "--daemon", NULL };
	int ret, major, minor;
	char *output, *version;
	int status = run(argv, &output, NULL, NULL);

	version = strstr(output, "strongSwan ");
	if (status == RUN_NOT_FOUND)
		ret = ctl_error(CTL_FAILED, what, "strongSwan", INSTALL,
				"swanctl is not installed");
	else if (status || !version)
		ret = ctl_error(CTL_FAILED, what, "strongSwan",
				"systemctl start strongswan (of the package charon-systemd)",
				"the daemon does not answer: %s", run_last_line(output));
	else if (sscanf(version, "strongSwan %d.%d", &major, &minor) != 2 ||
		 major < OLDEST_MAJOR ||
		 (major == OLDEST_MAJOR && minor < OLDEST_MINOR))
		ret = ctl_error(CTL_FAILED, what, "strongSwan", "install a newer one",
				"%s is too old, %d.%d is the first that knows if_id",
				run_last_line(version), OLDEST_MAJOR, OLDEST_MINOR);
	else
		ret = ctl_error(CTL_FAILED, what, "strongSwan",
				"swanctl --load-all says more", "%s", failed);
	free(output);
	return ret;
}

bool strongswan_answers(void)
{
	static const char * const argv[] = { "swanctl", "--version", "--daemon", NULL };

	return !run(argv, NULL, NULL, NULL);
}

/* "AES_CBC=openssl" in a list of such */
static bool has_algorithm(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *found = list; (found = strstr(found, name)); found += len)
		if (strchr(" {=\n", found[-1]) && found[len] == '=')
			return true;
	return false;
}

int strongswan_check(const char *what, const struct connection *c)
{
	static const char * const argv[] = { "swanctl", "--list-algs", "--raw", NULL };
	/* IPsec's own are the kernel's to know. */
	const struct algorithm *needed[] = {
		c->ike.encryption, c->ike.authentication, c->ike.dh, c->ipsec.dh
	};
	char *output;
	int ret = CTL_OK;

	if (run(argv, &output, NULL, NULL))
		ret = diagnose(what, run_last_line(output));
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]) && !ret; i++)
		if (needed[i] && *needed[i]->daemon &&
		    !has_algorithm(output, needed[i]->daemon))
			ret = ctl_error(CTL_FAILED, what, "strongSwan",
					"apt install libstrongswan-standard-plugins libstrongswan-extra-plugins, and restart it",
					"no plugin has %s (%s)", needed[i]->word,
					needed[i]->daemon);
	free(output);
	return ret;
}

/* ---- its configuration ---- */

static void print_subnets(FILE *out, const char *key, const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	fprintf(out, "\t\t\t\t%s = ", key);
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i ? "," : "", format_subnet(text, &list->subnet[i]));
	fputc('\n', out);
}

/* The last tenth of a lifetime is there for the renewal. */
static void print_child(FILE *out, const struct connection *c)
{
	const struct policy *ipsec = &c->ipsec;
	char proposal[PROPOSAL_MAX];

	fprintf(out, "\t\t\t%s {\n", c->name);
	print_subnets(out, "local_ts", &c->local_subnets);
	print_subnets(out, "remote_ts", &c->peer_subnets);
	fprintf(out, "\t\t\t\tesp_proposals = %s\n", esp_proposal(proposal, ipsec));
	fprintf(out, "\t\t\t\tlife_time = %us\n", ipsec->lifetime);
	fprintf(out, "\t\t\t\trekey_time = %us\n", ipsec->lifetime / 10 * 9);
	fprintf(out, "\t\t\t\trand_time = %us\n", ipsec->lifetime / 20);
	fprintf(out, "\t\t\t\tdpd_action = %s\n", c->dpd_restart ? "restart" : "clear");
	/* Or else what the peer has ended would stay so. */
	if (c->initiate)
		fputs("\t\t\t\tclose_action = start\n", out);
	fputs("\t\t\t}\n", out);
}

static void print_connection(FILE *out, const struct connection *c)
{
	const struct policy *ike = &c->ike;
	char proposal[PROPOSAL_MAX], text[FORMAT_MAX];

	fprintf(out, "connections {\n\t%s {\n", c->name);
	fprintf(out, "\t\tversion = %u\n", ike->version);
	if (c->local_gateway.len)
		fprintf(out, "\t\tlocal_addrs = %s\n", format_addr(text, &c->local_gateway));
	fprintf(out, "\t\tremote_addrs = %s\n", format_addr(text, &c->peer_gateway));
	fprintf(out, "\t\tproposals = %s\n", ike_proposal(proposal, ike));
	fprintf(out, "\t\tencap = %s\n", c->encap_udp ? "yes" : "no");
	fprintf(out, "\t\trekey_time = %us\n", ike->lifetime / 10 * 9);
	fprintf(out, "\t\tover_time = %us\n", ike->lifetime / 10);
	fprintf(out, "\t\trand_time = %us\n", ike->lifetime / 20);
	fprintf(out, "\t\tdpd_delay = %us\n", c->dpd_interval);
	fprintf(out, "\t\tdpd_timeout = %us\n", c->dpd_interval * c->dpd_threshold);
	/* Also what keeps the daemon from putting two connections into one IKE SA. */
	fprintf(out, "\t\tif_id_in = %u\n\t\tif_id_out = %u\n", connection_if_id(c),
		connection_if_id(c));
	/* A peer may take long to come back. */
	fprintf(out, "\t\tkeyingtries = %d\n", c->initiate ? 0 : 1);
	fprintf(out, "\t\tlocal {\n\t\t\tauth = psk\n\t\t\tid = \"%s\"\n\t\t}\n",
		c->local_identity);
	fprintf(out, "\t\tremote {\n\t\t\tauth = psk\n\t\t\tid = \"%s\"\n\t\t}\n",
		c->peer_identity);
	fputs("\t\tchildren {\n", out);
	print_child(out, c);
	fputs("\t\t}\n\t}\n}\n", out);
}

/* In hex, so that no character of it means something else there. */
static void print_secret(FILE *out, const struct connection *c,
			 const struct secret *secret)
{
	fprintf(out, "secrets {\n\tike-%s {\n", c->name);
	fprintf(out, "\t\tid-1 = \"%s\"\n\t\tid-2 = \"%s\"\n\t\tsecret = 0x",
		c->local_identity, c->peer_identity);
	for (size_t i = 0; i < secret->len; i++)
		fprintf(out, "%02x", (unsigned char)secret->text[i]);
	fputs("\n\t}\n}\n", out);
}

static void part_path(char *path, const char *name)
{
	snprintf(path, PATH_MAX, "%s/swanctl/%s.conf", runtime_dir(), name);
}

void strongswan_print(FILE *out, const struct connection *c, const struct secret *secret)
{
	print_connection(out, c);
	if (secret)
		print_secret(out, c, secret);
}

/* What is not the daemon's concern, so that a change of the file is seen. */
static void print_device(FILE *out, const struct connection *c)
{
	char text[FORMAT_MAX];

	fprintf(out, "# %s mtu %u mss %u", c->ifname, c->mtu, c->mss);
	if (c->routes)
		fprintf(out, " routes table %u metric %u", c->route_table, c->route_metric);
	if (c->routes && c->route_source.len)
		fprintf(out, " source %s", format_addr(text, &c->route_source));
	if (c->withdraw_routes)
		fputs(" withdrawn", out);
	for (size_t i = 0; i < c->tunnel_addresses.count; i++)
		fprintf(out, " %s", format_subnet(text, &c->tunnel_addresses.subnet[i]));
	fputc('\n', out);
}

static char *part_text(const struct connection *c, const struct secret *secret)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		exit(ctl_error(CTL_FAILED, "memory", NULL, "free some", "out of memory"));
	print_device(out, c);
	strongswan_print(out, c, secret);
	fclose(out);
	return text;
}

static void part_free(char *text)
{
	explicit_bzero(text, strlen(text));
	free(text);
}

int strongswan_write(const char *what, const struct connection *c,
		     const struct secret *secret)
{
	char *text = part_text(c, secret), file[CONNECTION_NAME_MAX + 16];
	int ret;

	snprintf(file, sizeof(file), "swanctl/%s.conf", c->name);
	ret = runtime_write(what, file, text);
	part_free(text);
	return ret;
}

bool strongswan_has(const char *name)
{
	char path[PATH_MAX];

	part_path(path, name);
	return !access(path, F_OK);
}

bool strongswan_same(const struct connection *c, const struct secret *secret)
{
	char *text = part_text(c, secret), path[PATH_MAX], *old = NULL;
	size_t size = 0;
	bool same;
	FILE *in;

	part_path(path, c->name);
	in = fopen(path, "re");
	same = in && getdelim(&old, &size, '\0', in) > 0 && !strcmp(old, text);
	if (in)
		fclose(in);
	if (old)
		part_free(old);
	part_free(text);
	return same;
}

void strongswan_remove(const char *name)
{
	char path[PATH_MAX];

	part_path(path, name);
	unlink(path);
}

int strongswan_load(const char *what)
{
	const char *operator = getenv("SWANCTL_DIR");
	char path[PATH_MAX], text[2 * PATH_MAX + 64], *output;
	const char *argv[] = {
		"swanctl", "--load-all", "--noprompt", "--file", path, NULL
	};
	int ret;

	snprintf(text, sizeof(text),
		 "include %s/swanctl.conf\ninclude %s/swanctl/*.conf\n",
		 operator ? operator : "/etc/swanctl", runtime_dir());
	ret = runtime_write(what, "swanctl.conf", text);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/swanctl.conf", runtime_dir());
	if (run(argv, &output, NULL, NULL))
		ret = diagnose(what, run_last_line(output));
	free(output);
	return ret;
}

/* ---- beginning and ending ---- */

/* What a daemon tells of a failed negotiation, in its log. */
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
	{ "PAYLOAD_MALFORMED", REASON_CANNOT_AUTHENTICATE, REASON_INTERNAL_ERROR },
	/* With another secret, what IKEv1 encrypts with it cannot be read at either end. */
	{ "ignore malformed INFORMATIONAL", REASON_CANNOT_AUTHENTICATE, REASON_INTERNAL_ERROR },
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
 * struct attempt - what was heard of a negotiation so far
 * @v1: it is IKEv1
 * @established: the IKE SA is
 * @reason: the last cause of a failure
 */
struct attempt {
	bool v1;
	bool established;
	enum reason reason;
};

static void hear(char *line, void *data)
{
	struct attempt *attempt = data;
	static const char tag[] = "[IKE] ";
	char *ike = strstr(line, tag);
	enum reason reason;

	if (strstr(line, "IKE_SA") && strstr(line, " established between "))
		attempt->established = true;
	reason = strongswan_reason(line, attempt->established, attempt->v1);
	/* A retransmission is no cause where there was one before. */
	if (reason && (reason != REASON_PEER_NOT_RESPONDING || !attempt->reason))
		attempt->reason = reason;
	if (ike)
		printf("  %s\n", clean_text(ike + strlen(tag)));
	fflush(stdout);
}

enum reason strongswan_initiate(const struct connection *c, unsigned int seconds)
{
	struct attempt attempt = { .v1 = c->ike.version == 1 };
	char timeout[16];
	const char *argv[] = {
		"swanctl", "--initiate", "--ike", c->name, "--child", c->name,
		"--loglevel", "1", "--timeout", timeout, NULL
	};

	snprintf(timeout, sizeof(timeout), "%u", seconds);
	if (!run(argv, NULL, hear, &attempt))
		return REASON_NONE;
	return attempt.reason ?: REASON_INTERNAL_ERROR;
}

void strongswan_terminate(const char *name)
{
	const char *argv[] = {
		"swanctl", "--terminate", "--ike", name, "--force", "--timeout", "3", NULL
	};

	run(argv, NULL, NULL, NULL);
}

/* ---- what it has ---- */

/**
 * struct raw - where in "list-sa event {NAME {key=value child-sas {NAME-1 {key=value}}}}"
 * @rest: what is to be read
 * @depth: of braces
 * @word: the word that was read last: "KEY=VALUE", "KEY=[VALUE ...]", "{" or "}"
 */
struct raw {
	const char *rest;
	int depth;
	char word[256];
};

static bool raw_next(struct raw *raw)
{
	const char *from = raw->rest + strspn(raw->rest, " \n");
	bool list = false;
	size_t len = 0;

	while (*from && (list || !strchr(" \n{}", *from))) {
		list = *from == '[' || (list && *from != ']');
		if (len < sizeof(raw->word) - 1)
			raw->word[len++] = *from;
		from++;
	}
	if (!len && *from) {
		raw->depth += *from == '{' ? 1 : -1;
		raw->word[len++] = *from++;
	}
	raw->word[len] = '\0';
	raw->rest = from;
	return len;
}

/* Keys of an IKE SA are two deep, those of a child SA four. */
enum { DEPTH_IKE = 2, DEPTH_CHILD = 4 };

static void read_number(const char *word, const char *key, uint64_t *value, int base)
{
	size_t len = strlen(key);

	if (!strncmp(word, key, len) && word[len] == '=')
		*value = strtoull(word + len + 1, NULL, base);
}

static void read_text(const char *word, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);

	if (!strncmp(word, key, len) && word[len] == '=')
		snprintf(value, size, "%s", word + len + 1);
}

static void read_ike(const char *word, struct negotiated *n)
{
	read_text(word, "state", n->ike_state, sizeof(n->ike_state));
	read_text(word, "remote-host", n->remote, sizeof(n->remote));
	read_number(word, "remote-port", &n->remote_port, 10);
	read_number(word, "version", &n->ike_version, 10);
	read_number(word, "established", &n->ike_age, 10);
	read_number(word, "rekey-time", &n->ike_rekey, 10);
	n->nat |= !strcmp(word, "nat-any=yes") || !strcmp(word, "nat-remote=yes") ||
		  !strcmp(word, "nat-local=yes");
	n->probing |= !strncmp(word, "tasks-active", 12) && strstr(word, "DPD");
}

static void read_child(const char *word, struct negotiated *n)
{
	uint64_t spi = 0;

	read_text(word, "state", n->child_state, sizeof(n->child_state));
	read_number(word, "install-time", &n->child_age, 10);
	read_number(word, "rekey-time", &n->child_rekey, 10);
	read_number(word, "life-time", &n->child_left, 10);
	read_number(word, "bytes-in", &n->bytes_in, 10);
	read_number(word, "bytes-out", &n->bytes_out, 10);
	read_number(word, "packets-in", &n->packets_in, 10);
	read_number(word, "packets-out", &n->packets_out, 10);
	read_number(word, "spi-in", &spi, 16);
	if (spi)
		n->spi_in = spi;
	spi = 0;
	read_number(word, "spi-out", &spi, 16);
	if (spi)
		n->spi_out = spi;
}

/* A child SA ends. Of several, the one in use counts, and the newest of those. */
static void end_child(struct negotiated *n, const struct negotiated *child)
{
	const size_t first = offsetof(struct negotiated, child_state);

	if (!strcmp(child->child_state, "INSTALLED") || !*n->child_state)
		memcpy((char *)n + first, (const char *)child + first, sizeof(*n) - first);
}

void strongswan_parse(const char *text, struct negotiated *n)
{
	struct raw raw = { .rest = text };
	struct negotiated child = { 0 };

	memset(n, 0, sizeof(*n));
	while (raw_next(&raw)) {
		if (raw.depth == DEPTH_IKE)
			read_ike(raw.word, n);
		if (raw.depth == DEPTH_CHILD)
			read_child(raw.word, &child);
		if (*raw.word == '}' && raw.depth == DEPTH_CHILD - 1) {
			end_child(n, &child);
			memset(&child, 0, sizeof(child));
		}
	}
}

bool strongswan_ask(const char *name, struct negotiated *n)
{
	const char *argv[] = { "swanctl", "--list-sas", "--raw", "--ike", name, NULL };
	char *output;
	int status = run(argv, &output, NULL, NULL);

	strongswan_parse(output, n);
	free(output);
	return !status;
}
