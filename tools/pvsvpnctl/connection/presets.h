/* SPDX-License-Identifier: GPL-2.0 */
/* Files of policies that are installed with the tool, for the gateways of clouds */
#ifndef PVSVPNCTL_PRESETS_H
#define PVSVPNCTL_PRESETS_H

#include "connection/policies.h"

/* The directory of the files: $PVSVPN_PRESET_DIR, or where "make install" puts them */
const char *preset_dir(void);

/**
 * preset_names() - the names of all presets, in order
 * @names: to be freed with connection_names_free()
 *
 * Return: how many there are.
 */
size_t preset_names(char ***names);

/**
 * preset_load() - read a preset
 * @what: the command, for error lines
 * @name: of the preset
 * @policies: as in policies_load()
 *
 * Return: CTL_OK, or CTL_FAILED after saying why not.
 */
int preset_load(const char *what, const char *name, struct policies *policies);

/* The text of a preset that goes into policies.conf: without the line of its licence */
const char *preset_text(const struct policies *preset);

#endif /* PVSVPNCTL_PRESETS_H */
