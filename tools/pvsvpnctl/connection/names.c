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

/* Return: the next file name, without @suffix, valid until the next call; NULL at the end. */
static char *next_name(DIR *dir, const char *suffix)
{
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *dot = strrchr(entry->d_name, '.');

		/* Skips hidden files, which editors leave. */
		if (!dot || *entry->d_name == '.' || strcmp(dot, suffix))
			continue;
		*dot = '\0';
		return entry->d_name;
	}
	if (dir)
		closedir(dir);
	return NULL;
}

static void add_name(char ***names, size_t *count, const char *name)
{
	*names = ctl_alloc(*names, (*count + 1) * sizeof(**names));
	(*names)[(*count)++] = strcpy(ctl_alloc(NULL, strlen(name) + 1), name);
}

size_t connection_bad_names(char ***names)
{
	DIR *dir = opendir(connection_dir());
	size_t count = 0;
	char *name;

	*names = NULL;
	while ((name = next_name(dir, ".conf")))
		if (!is_connection_name(name))
			add_name(names, &count, name);
	return count;
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
	DIR *dir = opendir(path);
	size_t count = 0;
	char *name;

	*names = NULL;
	while ((name = next_name(dir, suffix))) {
		if (!is_connection_name(name) || !strcmp(name, POLICIES))
			continue;
		add_name(names, &count, name);
	}
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
