/* SPDX-License-Identifier: GPL-2.0 */
/* Changes of the files in the directory of connections */
#ifndef PVSVPNCTL_CONFIG_FILE_H
#define PVSVPNCTL_CONFIG_FILE_H

#include <sys/types.h>

/* Makes the directory if there is none. Return: CTL_OK, or an exit status after saying why not. */
int config_make_dir(const char *what);

/**
 * config_lock() - keep other pvsvpnctl from changing files there
 * @what: the command, for error lines
 * @fd: the lock, to be closed
 *
 * Waits for some seconds.
 *
 * Return: CTL_OK; CTL_BUSY, CTL_DENIED or CTL_FAILED after saying why.
 */
int config_lock(const char *what, int *fd);

/**
 * config_write() - write a whole file, or leave it as it was; the caller holds config_lock()
 * @what: the command, for error lines
 * @path: of the file; a symbolic link stays one
 * @text: its new content
 * @mode: for a new file; one that exists keeps its mode and owner
 *
 * A new file takes the place of the old one, so other hard links keep the old text.
 *
 * Return: CTL_OK; CTL_DENIED or CTL_FAILED after saying why.
 */
int config_write(const char *what, const char *path, const char *text, mode_t mode);

#endif /* PVSVPNCTL_CONFIG_FILE_H */
