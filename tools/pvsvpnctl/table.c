// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libsmartcols/libsmartcols.h>

#include "error.h"
#include "table.h"

struct table {
	struct libscols_table *lib;
	struct libscols_line *line;
	size_t columns;
	size_t filled;		/* cells of @line */
};

struct table *table_new(const struct column *columns, size_t count)
{
	struct table *table = ctl_alloc(NULL, sizeof(*table));

	*table = (struct table){ .lib = scols_new_table(), .columns = count, .filled = count };
	no_memory_if(!table->lib);
	/* Never cuts a line to the width of the terminal. */
	scols_table_set_termforce(table->lib, SCOLS_TERMFORCE_NEVER);
	for (size_t i = 0; i < count; i++)
		no_memory_if(!scols_table_new_column(table->lib, columns[i].name, 0,
						     columns[i].right ? SCOLS_FL_RIGHT : 0));
	return table;
}

void table_cell(struct table *table, const char *fmt, ...)
{
	va_list args;
	char *text;

	if (table->filled == table->columns) {
		table->line = scols_table_new_line(table->lib, NULL);
		no_memory_if(!table->line);
		table->filled = 0;
	}
	va_start(args, fmt);
	no_memory_if(vasprintf(&text, fmt, args) < 0);
	va_end(args);
	no_memory_if(scols_line_refer_data(table->line, table->filled++, text));
}

void table_print(struct table *table, const char *indent)
{
	char *text, *rest, *line;

	no_memory_if(scols_print_table_to_string(table->lib, &text));
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			printf("%s%s\n", indent, line);
	free(text);
	scols_unref_table(table->lib);
	free(table);
}
