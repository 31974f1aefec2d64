/* SPDX-License-Identifier: GPL-2.0 */
/* Tables for people, by libsmartcols. If memory runs out, the program ends with an error line. */
#ifndef PVSVPNCTL_TABLE_H
#define PVSVPNCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table;

struct column {
	const char *name;
	bool right;		/* aligned to the right */
};

struct table *table_new(const struct column *columns, size_t count);

/* Fills the next cell, from left to right, and begins a new line when one is full. */
__attribute__((format(printf, 2, 3)))
void table_cell(struct table *table, const char *fmt, ...);

/* Prints each line behind @indent, and frees the table. */
void table_print(struct table *table, const char *indent);

#endif /* PVSVPNCTL_TABLE_H */
