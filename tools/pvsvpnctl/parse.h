/* SPDX-License-Identifier: GPL-2.0 */
/* Conversion of text to values; nothing here talks to the kernel. */
#ifndef PVSVPNCTL_PARSE_H
#define PVSVPNCTL_PARSE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address, network byte order; @len is 4, 16, or 0 for none. */
struct addr {
	uint8_t len;
	uint8_t byte[16];
};

/* A link-local address needs the name of the interface that leads to it. */
struct remote {
	struct addr addr;
	char link[IFNAMSIZ];
};

struct subnet {
	struct addr addr;
	uint8_t prefix;
};

struct subnet_list {
	size_t count;
	struct subnet *subnet;
};

/* One line of module/transforms.h, as far as the tool needs it. */
struct transform {
	const char *name;
	uint16_t encryption;
	uint16_t key_bits;
	uint16_t attr_bits;
	uint16_t integrity;
	uint8_t extra;
	bool legacy;
};

extern const struct transform transforms[];
extern const size_t transform_count;

const struct transform *transform_by_name(const char *name);
const struct transform *transform_by_id(uint16_t encryption,
					uint16_t attr_bits,
					uint16_t integrity);
/* Bytes of key material: key, then salt or integrity key. */
size_t transform_key_bytes(const struct transform *t);

struct setting;

/* A parser of one value. Return: NULL, or the accepted values, worded to follow "expected". */
typedef const char *parse_fn(const char *text, void *value);

parse_fn parse_u32;		/* uint32_t, decimal, or hex with 0x */
parse_fn parse_u64;		/* uint64_t, the same */
parse_fn parse_port;		/* uint16_t, 1 to 65535 */
parse_fn parse_switch;		/* uint8_t, on is 1 */
parse_fn parse_mtu;		/* uint32_t, "auto" is 0 */
parse_fn parse_tfc;		/* uint32_t, "off" is 0, "mtu" PVSVPN_TFC_MTU */
parse_fn parse_addr;		/* struct addr */
parse_fn parse_remote;		/* struct remote */
parse_fn parse_dev;		/* char[IFNAMSIZ], "none" is empty */
parse_fn parse_subnets;		/* struct subnet_list, allocated */
parse_fn parse_dir;		/* uint8_t, enum pvsvpn_direction */
parse_fn parse_encap;		/* uint8_t, PVSVPN_ENCAP_* */
parse_fn parse_transform;	/* const struct transform * */
parse_fn parse_text;		/* const char * */
parse_fn parse_word;		/* bool; a keyword without a value */

/**
 * struct param - a keyword of a command, in a table from which its parsing, its request, its help
 * and its completion follow
 * @key: the keyword
 * @arg: its value in the usage line; NULL if it stands alone
 * @parse: reads the value; NULL if parse_setting() does
 * @offset: where the value goes in the command's values, in bytes
 * @attr: attribute that has the value in the request, 0 for none
 * @size: bytes of a number in that attribute, 0 if the command adds the attribute itself
 * @help: the lines of its help, with newlines between them
 * @setting: for parse_setting()
 */
struct param {
	const char *key;
	const char *arg;
	parse_fn *parse;
	size_t offset;
	uint16_t attr;
	uint16_t size;
	const char *help;
	const struct setting *setting;
};

/* The keywords of a command. A table has 32 at most. */
struct params {
	const struct param *table;
	size_t count;
	size_t needed;		/* the first ones, which must be given; they have a value */
};

/**
 * parse_params() - read the words of a command: objects, then "KEY VALUE" pairs and keywords that
 * have no value
 * @what: the command, for error lines
 * @argc: number of words in @argv
 * @argv: the words
 * @names: objects that the command names first: DEV is 1, DEV PEER 2
 * @params: keywords known to the command, or NULL for none
 * @values: where the values go; those that are not given stay as they are
 * @seen: set to bits of the keywords that were given; may be NULL
 *
 * Return: CTL_OK, or CTL_USAGE after saying why, such as what is missing.
 */
int parse_params(const char *what, int argc, char **argv, int names,
		 const struct params *params, void *values, uint32_t *seen);

#endif /* PVSVPNCTL_PARSE_H */
