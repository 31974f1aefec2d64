// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "connection/values.h"
#include "error.h"
#include "print.h"

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

/* The names of the files NAME@suffix; @good: names that a connection may have, else the others */
static size_t list_names(const char *path, const char *suffix, bool good, char ***names)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	*names = NULL;
	while (dir && (entry = readdir(dir))) {
		char *name = entry->d_name, *dot = strrchr(name, '.');

		/* Skips hidden files, which editors leave. */
		if (!dot || *name == '.' || strcmp(dot, suffix))
			continue;
		*dot = '\0';
		if (is_connection_name(name) != good || !strcmp(name, POLICIES))
			continue;
		*names = ctl_alloc(*names, (count + 1) * sizeof(**names));
		(*names)[count++] = strcpy(ctl_alloc(NULL, strlen(name) + 1), name);
	}
	if (dir)
		closedir(dir);
	return count;
}

size_t connection_bad_names(char ***names)
{
	return list_names(connection_dir(), ".conf", false, names);
}

int connection_check_names(const char *what)
{
	char **names;
	size_t count = connection_bad_names(&names);

	for (size_t i = 0; i < count; i++)
		ctl_error(CTL_FAILED, what, connection_dir(), "give it another name",
			  "%s.conf is not read: a connection's name has 1 to 47 letters, digits, - and _",
			  clean_text(names[i]));
	connection_names_free(names, count);
	return count ? CTL_FAILED : CTL_OK;
}

size_t names_with_suffix(const char *path, const char *suffix, char ***names)
{
	size_t count = list_names(path, suffix, true, names);

	if (count)
		qsort(*names, count, sizeof(**names), compare_names);
	return count;
}

size_t connection_names(char ***names)
{
	return names_with_suffix(connection_dir(), ".conf", names);
}

void connection_names_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}
