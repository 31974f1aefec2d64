// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pvsvpn.h>

#include "connection/values.h"
#include "error.h"
#include "setting.h"

#define BLANKS " \t"

char *without_blanks(char *text)
{
	size_t len;

	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len && strchr(BLANKS, text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* A label of a DNS name (RFC 1123 section 2.1); ends at a dot or at the end. */
static size_t label_len(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

	return !len || len > 63 || *text == '-' || text[len - 1] == '-' ? 0 : len;
}

/* A name that ends in a number is a misspelled address. */
static bool is_host_name(const char *text)
{
	const char *last = text;
	size_t len;

	if (strlen(text) > HOST_MAX)
		return false;
	for (;; text += len + 1) {
		len = label_len(text);
		if (!len || (text[len] && text[len] != '.'))
			return false;
		last = text;
		if (!text[len])
			break;
	}
	return strspn(last, "0123456789") < strlen(last);
}

const char *parse_gateway(const char *text, void *value)
{
	struct gateway *gateway = value;

	memset(gateway, 0, sizeof(*gateway));
	if (!parse_addr(text, &gateway->addr))
		return NULL;
	memset(&gateway->addr, 0, sizeof(gateway->addr));
	if (!is_host_name(text))
		return "an IPv4 or IPv6 address, or a DNS name";
	strcpy(gateway->host, text);
	return NULL;
}

bool is_connection_name(const char *text)
{
	size_t len = strlen(text);

	return len && len <= CONNECTION_NAME_MAX && isalnum((unsigned char)*text) &&
	       len == strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

const char *parse_name(const char *text, void *value)
{
	if (!is_connection_name(text))
		return "a name of 1 to 47 letters, digits, - and _, the first no - or _";
	strcpy(value, text);
	return NULL;
}

bool is_reserved_ifname(const char *ifname)
{
	static const char * const reserved[] = { "lo", "all", "default", ".", ".." };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (!strcmp(reserved[i], ifname))
			return true;
	return false;
}

const char *parse_ifname(const char *text, void *value)
{
	static const char expected[] =
		"the name of an interface, 1 to 15 characters, not lo, all or default";

	if (!*text || strlen(text) >= IFNAMSIZ || strpbrk(text, "/:\"%") ||
	    is_reserved_ifname(text))
		return expected;
	for (const char *c = text; *c; c++)
		if (!isgraph((unsigned char)*c))
			return expected;
	strcpy(value, text);
	return NULL;
}

/* @yes and @no: the two words for true and false */
static const char *parse_either(const char *text, bool *value, const char *yes, const char *no,
				const char *expected)
{
	if (strcmp(text, yes) && strcmp(text, no))
		return expected;
	*value = !strcmp(text, yes);
	return NULL;
}

const char *parse_bool(const char *text, void *value)
{
	return parse_either(text, value, "yes", "no", "yes or no");
}

/* Accepts white space around commas, and adds to the prefixes in @value. */
const char *parse_prefixes(const char *text, void *value)
{
	static const char expected[] = "prefixes such as 10.1.0.0/24, with commas between them";
	struct subnet_list one = { .count = 0 }, *list = value;
	char *bare = ctl_alloc(NULL, strlen(text) + 1), *to = bare;
	bool good = true;

	/* Rejects a blank within a prefix. */
	for (const char *c = text; *c; c++) {
		if (*c != ' ' && *c != '\t')
			*to++ = *c;
		else if (to > bare && to[-1] != ',' && c[strspn(c, " \t")] != ',')
			good = false;
	}
	*to = '\0';
	good = good && !parse_subnets(bare, &one);
	if (good) {
		list->subnet = ctl_alloc(list->subnet, (list->count + one.count) * sizeof(*one.subnet));
		memcpy(list->subnet + list->count, one.subnet, one.count * sizeof(*one.subnet));
		list->count += one.count;
	}
	free(one.subnet);
	free(bare);
	return good ? NULL : expected;
}

/* Routes decide which packets enter an interface, not policies. */
const char *parse_mode(const char *text, void *value)
{
	(void)value;
	return strcmp(text, "route") ? "route; an interface has routes, no policies" : NULL;
}

const char *parse_encapsulation(const char *text, void *value)
{
	return parse_either(text, value, "udp", "auto",
			    "udp (ESP in UDP always) or auto (where a NAT is on the way)");
}

/* How an end proves its identity; Authentication of a policy is another thing */
const char *parse_proof(const char *text, void *value)
{
	return parse_either(text, value, "certificate", "secret",
			    "secret (that both ends have been told) or certificate (X.509)");
}

/* The VPN service's words for which end initiates */
const char *parse_establish_mode(const char *text, void *value)
{
	return parse_either(text, value, "bidirectional", "peer_only",
			    "bidirectional (either end begins) or peer_only (as Initiate = no)");
}

const char *parse_action(const char *text, void *value)
{
	return parse_either(text, value, "restart", "clear",
			    "restart (connect again) or clear (wait for up, or for the peer)");
}

static const char *parse_range(const char *text, uint32_t *value, uint32_t min,
			       uint32_t max, const char *expected)
{
	uint32_t number;

	if (parse_u32(text, &number) || number < min || number > max)
		return expected;
	*value = number;
	return NULL;
}

const char *parse_interval(const char *text, void *value)
{
	return parse_range(text, value, 2, 60, "2 to 60 seconds");
}

const char *parse_threshold(const char *text, void *value)
{
	return parse_range(text, value, 1, 5, "1 to 5");
}

/* From the minimum of RFC 4303 to the maximum of Linux */
const char *parse_window(const char *text, void *value)
{
	return parse_range(text, value, 32, 4096, "32 to 4096 packets");
}

const char *parse_sources(const char *text, void *value)
{
	static const char expected[] = "an address, or one of each family with a comma between them";
	char *copy = strcpy(ctl_alloc(NULL, strlen(text) + 1), text), *rest = copy, *word;
	struct addr *sources = value;
	bool good = true;

	while (good && (word = strsep(&rest, ","))) {
		struct addr addr;

		good = !parse_addr(without_blanks(word), &addr) && !sources[addr.len == 16].len;
		if (good)
			sources[addr.len == 16] = addr;
	}
	free(copy);
	return good ? NULL : expected;
}

const char *parse_table(const char *text, void *value)
{
	static const char expected[] = "main, or a number from 1, but not 255 (the kernel's own table)";
	const char *why = parse_range(strcmp(text, "main") ? text : "254", value, 1, UINT32_MAX,
				      expected);

	return why ?: *(uint32_t *)value == TABLE_LOCAL ? expected : NULL;
}

/* The largest metric is for the unreachable route after ours. */
const char *parse_metric(const char *text, void *value)
{
	return parse_range(text, value, 0, UINT32_MAX - 1, "a number up to 0xfffffffe");
}

const char *parse_if_id(const char *text, void *value)
{
	return parse_range(text, value, 1, UINT32_MAX, "a number from 1 to 0xffffffff");
}

/* From the minimum of IPv4 (RFC 791) to the largest packet that fits into an outer packet */
#define MTU_MIN 68
#define MTU_MAX 65410

/* The module takes no more. */
#define MSS_MAX 65535

const char *parse_conf_mtu(const char *text, void *value)
{
	if (!strcmp(text, "auto"))
		return parse_mtu(text, value);
	return parse_range(text, value, MTU_MIN, MTU_MAX, "auto, or 68 to 65410 bytes");
}

const char *parse_mss(const char *text, void *value)
{
	uint32_t mss;
	const char *expected = parse_setting(&settings[SETTING_MSS_CLAMP], text, &mss);

	if (expected)
		return expected;
	if (mss != PVSVPN_MSS_CLAMP_AUTO && mss != PVSVPN_MSS_CLAMP_OFF &&
	    (mss < PVSVPN_MSS_CLAMP_MIN || mss > MSS_MAX))
		return "auto, off, or 216 to 65535 bytes";
	*(uint32_t *)value = mss;
	return NULL;
}

const char *parse_path(const char *text, void *value)
{
	char **path = value;
	static const char expected[] = "a path from / on, without control characters";

	if (*text != '/')
		return expected;
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return expected;
	free(*path);
	*path = strcpy(ctl_alloc(NULL, strlen(text) + 1), text);
	return NULL;
}
