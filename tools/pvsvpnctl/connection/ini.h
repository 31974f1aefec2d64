/* SPDX-License-Identifier: GPL-2.0 */
/* INI files by libinih, with the line of each section and key. */
#ifndef PVSVPNCTL_INI_H
#define PVSVPNCTL_INI_H

#include <stdbool.h>
#include <stddef.h>

/* A larger file is not one of ours: bytes */
#define INI_FILE_MAX (64 << 10)

/**
 * struct ini_section - "[Type]" or "[Type Name]"
 * @type: the first word
 * @name: the rest, "" if there is none
 * @line: where it begins, from 1
 */
struct ini_section {
	char *type;
	char *name;
	unsigned int line;
};

/**
 * struct ini_key - "key = value"
 * @section: index of its section
 * @key: the text before the "="
 * @value: the text after the "=", without white space around it, may be ""
 * @line: where it is, from 1
 */
struct ini_key {
	size_t section;
	char *key;
	char *value;
	unsigned int line;
};

struct ini_file {
	const char *path;
	struct ini_section *sections;
	size_t section_count;
	struct ini_key *keys;
	size_t key_count;
};

/**
 * ini_load() - read a file
 * @what: the command, for error lines
 * @path: of the file, valid as long as @file is used
 * @file: to be freed with ini_free(), also after a failure
 *
 * A section may come only once, a key several times. A value that ends in a comma continues in the
 * next line. Rejects a file that others than root and the caller can write to.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int ini_load(const char *what, const char *path, struct ini_file *file);

/* The same for a text that was read already; @path is for error lines, and must stay valid. */
int ini_read_text(const char *what, const char *path, const char *text, struct ini_file *file);
void ini_free(struct ini_file *file);

/**
 * ini_find() - find the first key of a name in a section
 * @file: the file
 * @section: index of the section
 * @key: its name
 *
 * Return: the key, or NULL.
 */
const struct ini_key *ini_find(const struct ini_file *file, size_t section,
			       const char *key);

/**
 * ini_at() - "FILE:LINE", for error lines
 * @file: the file
 * @line: line number
 *
 * Return: a static buffer, valid until the next call.
 */
const char *ini_at(const struct ini_file *file, unsigned int line);

#endif /* PVSVPNCTL_INI_H */
