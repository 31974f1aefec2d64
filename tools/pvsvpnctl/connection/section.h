/* SPDX-License-Identifier: GPL-2.0 */
/* Sections of a file whose keys are in a table */
#ifndef PVSVPNCTL_SECTION_H
#define PVSVPNCTL_SECTION_H

#include <stdio.h>

#include "connection/ini.h"
#include "parse.h"

struct json_object;

/* Writes a value as a parse_fn reads it; nothing if a file need not have it. */
typedef void write_fn(FILE *out, const void *value);

/**
 * struct conf_key - a key that a section may have; a table ends with an empty one
 * @key: the key
 * @parse: reads its value
 * @write: writes it; NULL if another key has the same value
 * @offset: where the value goes in the object of the section, in bytes
 */
struct conf_key {
	const char *key;
	parse_fn *parse;
	write_fn *write;
	size_t offset;
};

/* Prints the keys of a section, for help. */
void section_print_keys(const char *type, const struct conf_key *keys);

bool section_is(const struct ini_section *section, const char *type, const char *name);
/* The section of that type and name, or NULL */
const struct ini_section *section_find(const struct ini_file *file, const char *type,
				       const char *name);

/* The line of a key, or of its section if the key is not given or NULL */
unsigned int section_line(const struct ini_section *in, const char *key);

/* Prints an error at section_line(). Return: CTL_FAILED. */
__attribute__((format(printf, 4, 5)))
int refuse(const struct ini_section *in, const char *key, const char *todo, const char *fmt, ...);

/**
 * section_read() - read the keys of a section
 * @in: the section
 * @keys: the keys that it may have
 * @object: receives the values
 *
 * Return: CTL_OK, or CTL_FAILED after saying which key is not valid.
 */
int section_read(const struct ini_section *in, const struct conf_key *keys, void *object);

/* Prints the keys and their values, as section_read() reads them. */
void section_print(FILE *out, const struct conf_key *keys, const void *object);

/**
 * section_add_json() - add the keys and their values to a JSON object
 * @json: the object
 * @keys: the keys; PeerGateway becomes peer_gateway
 * @object: has the values
 */
void section_add_json(struct json_object *json, const struct conf_key *keys, const void *object);

#endif /* PVSVPNCTL_SECTION_H */
