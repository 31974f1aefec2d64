// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pvsvpn.h>
#include "transforms.h"

#include "error.h"
#include "parse.h"
#include "setting.h"

#define TRANSFORM(_name, _encryption, _key_bits, _attr_bits, _integrity,	\
		  _aead, _extra, _iv, _icv, _block, _legacy)		\
	{								\
		.name = _name,						\
		.encryption = _encryption,				\
		.key_bits = _key_bits,					\
		.attr_bits = _attr_bits,				\
		.integrity = _integrity,				\
		.extra = _extra,					\
		.legacy = _legacy,					\
	},

const struct transform transforms[] = {
	PVSVPN_TRANSFORM_LIST(TRANSFORM)
};

const size_t transform_count = sizeof(transforms) / sizeof(transforms[0]);

const struct transform *transform_by_name(const char *name)
{
	for (size_t i = 0; i < transform_count; i++)
		if (!strcmp(transforms[i].name, name))
			return &transforms[i];
	return NULL;
}

const struct transform *transform_by_id(uint16_t encryption, uint16_t attr_bits, uint16_t integrity)
{
	for (size_t i = 0; i < transform_count; i++)
		if (transforms[i].encryption == encryption &&
		    transforms[i].attr_bits == attr_bits &&
		    transforms[i].integrity == integrity)
			return &transforms[i];
	return NULL;
}

size_t transform_key_bytes(const struct transform *t)
{
	return t->key_bits / 8 + t->extra;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	/*
	 * strtoull() accepts signs and leading white space; a number has none. It reads 010 as
	 * eight, which no user means in an interval or a prefix.
	 */
	if (!isdigit((unsigned char)*text) || (*text == '0' && isdigit((unsigned char)text[1])))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && !*end && *value <= max;
}

const char *parse_u32(const char *text, void *value)
{
	uint64_t number;

	if (!parse_number(text, UINT32_MAX, &number))
		return "a number of at most 32 bits, such as 1024 or 0x400";
	*(uint32_t *)value = number;
	return NULL;
}

const char *parse_port(const char *text, void *value)
{
	uint64_t number;

	if (!parse_number(text, UINT16_MAX, &number) || !number)
		return "a port, 1 to 65535";
	*(uint16_t *)value = number;
	return NULL;
}

/* Reads one of two words. */
static const char *read_word(const char *text, void *value, const struct setting_word *words,
			     const char *expected)
{
	for (int i = 0; i < 2; i++)
		if (!strcmp(text, words[i].text)) {
			*(uint8_t *)value = words[i].value;
			return NULL;
		}
	return expected;
}

/* on or off, for a value that is a number in the kernel */
const char *parse_switch(const char *text, void *value)
{
	static const struct setting_word words[] = { { "on", 1 }, { "off", 0 } };

	return read_word(text, value, words, "on or off");
}

const char *parse_u64(const char *text, void *value)
{
	uint64_t number;

	if (!parse_number(text, UINT64_MAX, &number))
		return "a number of at most 64 bits, such as 1024 or 0x400";
	*(uint64_t *)value = number;
	return NULL;
}

const char *parse_mtu(const char *text, void *value)
{
	uint64_t number = 0;

	/* 0 means auto to the kernel, but not to a user who writes 0. */
	if (strcmp(text, "auto") && (!parse_number(text, UINT32_MAX, &number) || !number))
		return "a number of bytes, or auto";
	*(uint32_t *)value = number;
	return NULL;
}

const char *parse_tfc(const char *text, void *value)
{
	uint64_t number = 0;

	if (!strcmp(text, "mtu"))
		number = PVSVPN_TFC_MTU;
	else if (strcmp(text, "off") &&
		 (!parse_number(text, PVSVPN_TFC_MTU - 1, &number) || !number))
		return "off, mtu, or a number of bytes";
	*(uint32_t *)value = number;
	return NULL;
}

static bool read_addr(const char *text, struct addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, addr->byte) == 1)
		addr->len = 4;
	else if (inet_pton(AF_INET6, text, addr->byte) == 1)
		addr->len = 16;
	return addr->len;
}

const char *parse_addr(const char *text, void *value)
{
	if (!read_addr(text, value))
		return "an IPv4 or IPv6 address";
	return NULL;
}

const char *parse_remote(const char *text, void *value)
{
	const char *link = strchr(text, '%');
	struct remote *remote = value;
	char addr[INET6_ADDRSTRLEN];
	size_t len = link ? (size_t)(link - text) : strlen(text);

	memset(remote, 0, sizeof(*remote));
	if (len >= sizeof(addr) || (link && (!link[1] || strlen(link + 1) >= IFNAMSIZ)))
		return "an IPv4 or IPv6 address, or fe80::ADDRESS%INTERFACE";
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (!read_addr(addr, &remote->addr))
		return "an IPv4 or IPv6 address, or fe80::ADDRESS%INTERFACE";
	if (link)
		strcpy(remote->link, link + 1);
	return NULL;
}

const char *parse_dev(const char *text, void *value)
{
	if (!*text || strlen(text) >= IFNAMSIZ)
		return "the name of an interface, or none";
	strcpy(value, strcmp(text, "none") ? text : "");
	return NULL;
}

/* @text is cut at its slash. */
static bool read_subnet(char *text, struct subnet *subnet)
{
	char *slash = strchr(text, '/');
	uint64_t prefix;

	if (slash)
		*slash++ = '\0';
	if (!read_addr(text, &subnet->addr))
		return false;
	prefix = subnet->addr.len * 8;
	if (slash && !parse_number(slash, prefix, &prefix))
		return false;
	subnet->prefix = prefix;
	return true;
}

const char *parse_subnets(const char *text, void *value)
{
	struct subnet_list *list = value;
	char *copy = strdup(text), *rest = copy, *word;
	bool good = copy;

	list->count = 0;
	while (good && (word = strsep(&rest, ","))) {
		list->subnet = ctl_alloc(list->subnet, (list->count + 1) * sizeof(*list->subnet));
		good = read_subnet(word, &list->subnet[list->count++]);
	}
	free(copy);
	return good ? NULL :
	       "prefixes like 10.0.0.0/8 or fd00::/64, joined by commas only";
}

const char *parse_dir(const char *text, void *value)
{
	static const struct setting_word words[] = {
		{ "in", PVSVPN_DIRECTION_IN }, { "out", PVSVPN_DIRECTION_OUT }
	};

	return read_word(text, value, words, "in or out");
}

const char *parse_encap(const char *text, void *value)
{
	static const struct setting_word words[] = {
		{ "none", PVSVPN_ENCAP_NONE }, { "udp", PVSVPN_ENCAP_UDP }
	};

	return read_word(text, value, words, "none (ESP as IP protocol 50) or udp (ESP in UDP)");
}

const char *parse_transform(const char *text, void *value)
{
	const struct transform **t = value;

	*t = transform_by_name(text);
	return *t ? NULL : "one of those that pvsvpnctl genkey --help lists";
}

/* The keyword has no value. */
const char *parse_word(const char *text, void *value)
{
	(void)text;
	*(bool *)value = true;
	return NULL;
}

const char *parse_text(const char *text, void *value)
{
	if (!*text)
		return "some text";
	*(const char **)value = text;
	return NULL;
}

/* Return: the index of @key, or -1. */
static int find_param(const struct params *params, const char *key)
{
	for (size_t i = 0; params && i < params->count; i++)
		if (!strcmp(params->table[i].key, key))
			return i;
	return -1;
}

static int parse_param(const char *what, const char *text, const struct param *param, void *values)
{
	void *value = (char *)values + param->offset;
	const char *expected;

	if (!text && param->arg)
		return ctl_error(CTL_USAGE, what, param->key, "add it", "its value is missing");
	expected = param->parse ? param->parse(text, value) :
		   parse_setting(param->setting, text, value);
	if (!expected)
		return CTL_OK;
	return ctl_error(CTL_USAGE, what, param->key, NULL,
			 "\"%s\" is not valid; expected %s", text, expected);
}

/* @where: the object, for the error line */
static int need_params(const char *what, const char *where, const struct params *params,
		       uint32_t seen)
{
	char todo[64];

	for (size_t i = 0; params && i < params->needed; i++) {
		const struct param *param = &params->table[i];

		if (seen & 1U << i)
			continue;
		snprintf(todo, sizeof(todo), "add %s %s", param->key, param->arg);
		return ctl_error(CTL_USAGE, what, where, todo, "%s is missing", param->key);
	}
	return CTL_OK;
}

static int parse_names(const char *what, int argc, char **argv, int count)
{
	static const char * const word[] = { "DEV", "PEER" };
	static const size_t max[] = { IFNAMSIZ - 1, PVSVPN_PEER_NAME_MAX };

	for (int i = 0; i < count; i++) {
		if (i >= argc)
			return ctl_error(CTL_USAGE, what, word[i],
					 "--help shows the order",
					 "name missing");
		if (!*argv[i] || strlen(argv[i]) > max[i])
			return ctl_error(CTL_USAGE, what, argv[i],
					 "choose another",
					 "a %s name has 1 to %zu bytes",
					 word[i], max[i]);
	}
	return CTL_OK;
}

int parse_params(const char *what, int argc, char **argv, int names,
		 const struct params *params, void *values, uint32_t *seen)
{
	int ret = parse_names(what, argc, argv, names);
	uint32_t given = 0;

	for (int i = names; !ret && i < argc; i++) {
		int found = find_param(params, argv[i]);

		if (found < 0)
			return ctl_error(CTL_USAGE, what, argv[i],
					 "--help lists them", "no such option");
		if (given & 1U << found)
			return ctl_error(CTL_USAGE, what, argv[i], "give it once", "given twice");
		ret = parse_param(what, i + 1 < argc ? argv[i + 1] : NULL,
				  &params->table[found], values);
		given |= 1U << found;
		i += !!params->table[found].arg;
	}
	if (ret)
		return ret;
	if (seen)
		*seen = given;
	return need_params(what, names ? argv[names - 1] : NULL, params, given);
}
