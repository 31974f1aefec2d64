/* SPDX-License-Identifier: GPL-2.0 */
/* INI files by libinih, with the line of each section and key. */
#ifndef PVSVPNCTL_INI_H
#define PVSVPNCTL_INI_H

#include <stdbool.h>
#include <stddef.h>

/* A larger file is not one of ours: bytes */
#define INI_FILE_MAX (64 << 10)

/**
 * struct ini_key - "key = value"
 * @key: the text before the "="
 * @value: the text after the "=", without white space around it, may be ""
 * @line: where it is, from 1
 */
struct ini_key {
	char *key;
	char *value;
	unsigned int line;
};

/**
 * struct ini_section - "[Type]" or "[Type Name]"
 * @file: the file
 * @type: the first word
 * @name: the rest, "" if there is none
 * @line: where it begins, from 1
 * @keys: its keys, in the order of the file
 * @key_count: how many
 */
struct ini_section {
	const struct ini_file *file;
	char *type;
	char *name;
	unsigned int line;
	struct ini_key *keys;
	size_t key_count;
};

/**
 * struct ini_file - a file, or a text that was read already
 * @what: the command, for error lines
 * @path: of the file; a text needs one too, for error lines
 * @sections: its sections, in the order of the file
 * @section_count: how many
 */
struct ini_file {
	const char *what;
	const char *path;
	struct ini_section *sections;
	size_t section_count;
};

/**
 * ini_load() - read a file
 * @file: has @what and @path, and is empty otherwise; to be freed with ini_free(), also after a
 *	failure; must not be copied, because its sections point to it
 *
 * A section may come only once, a key several times. A value that ends in a comma continues in the
 * next line. Rejects a file that others than root and the caller can write to.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int ini_load(struct ini_file *file);

/* The same, with the text of the file in @text, to be freed, also after a failure */
int ini_load_text(struct ini_file *file, char **text);

/* The same for a text that was read already */
int ini_read_text(struct ini_file *file, const char *text);
void ini_free(struct ini_file *file);

/* The first key of that name in the section, or NULL */
const struct ini_key *ini_find(const struct ini_section *section, const char *key);

/* "FILE:LINE", for error lines, in a static buffer that is valid until the next call */
const char *ini_at(const struct ini_file *file, unsigned int line);

#endif /* PVSVPNCTL_INI_H */
