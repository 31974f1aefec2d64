/* SPDX-License-Identifier: GPL-2.0 */
/* Files that decide where packets go, and who may connect */
#ifndef PVSVPNCTL_PRIVATE_FILE_H
#define PVSVPNCTL_PRIVATE_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/**
 * trusted_file_open() - open a file that others cannot change
 * @what: the command, for error lines
 * @path: of the file
 * @content: the word for what is in it
 * @private: others must not be able to read it either
 * @fd: the descriptor, to be closed
 *
 * Return: CTL_OK; CTL_DENIED or CTL_FAILED after saying why not.
 */
int trusted_file_open(const char *what, const char *path, const char *content, bool private,
		      int *fd);

/* Checks that others cannot write to it. Return: CTL_OK, or CTL_FAILED after saying who can. */
int shared_file_check(const char *what, const char *path, const struct stat *st);

#endif /* PVSVPNCTL_PRIVATE_FILE_H */
