// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "connection/presets.h"
#include "connection/values.h"
#include "error.h"

/* The Makefile defines it. */
#ifndef PRESETDIR
#define PRESETDIR "/usr/local/share/pvsvpn/presets"
#endif

/* The first line of the installed files */
#define LICENCE "# SPDX-"

const char *preset_dir(void)
{
	const char *dir = getenv("PVSVPN_PRESET_DIR");

	return dir && *dir ? dir : PRESETDIR;
}

size_t preset_names(char ***names)
{
	return names_with_suffix(preset_dir(), ".conf", names);
}

int preset_load(const char *what, const char *name, struct policies *policies)
{
	struct stat st;
	char *path;
	int ret;

	*policies = (struct policies){ .path = NULL };
	no_memory_if(asprintf(&path, "%s/%s.conf", preset_dir(), name) < 0);
	if (!is_connection_name(name) || lstat(path, &st))
		ret = ctl_error(CTL_FAILED, what, name, "pvsvpnctl policy list presets has them all",
				"no such preset in %s", preset_dir());
	else
		ret = policies_load(what, path, policies);
	if (!ret && !policies->file.section_count)
		ret = ctl_error(CTL_FAILED, what, path, "put policies into it",
				"it has no policy");
	free(path);
	return ret;
}

const char *preset_text(const struct policies *preset)
{
	const char *text = preset->text;

	if (strncmp(text, LICENCE, strlen(LICENCE)))
		return text;
	text = strchrnul(text, '\n');
	return text + !!*text;
}
