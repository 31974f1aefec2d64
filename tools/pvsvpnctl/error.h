/* SPDX-License-Identifier: GPL-2.0 */
/* One line for everything that goes wrong: what, where, why, what to do. */
#ifndef PVSVPNCTL_ERROR_H
#define PVSVPNCTL_ERROR_H

#include <stdbool.h>

/* Exit status of the tool. */
enum {
	CTL_OK,
	CTL_FAILED,
	CTL_USAGE,
	CTL_DISABLED,		/* "status NAME" */
	CTL_DENIED,		/* root may; as init scripts have it, and so is 7 */
	CTL_WARNING,		/* "status NAME" */
	CTL_BUSY,		/* another pvsvpnctl is at it */
	CTL_NO_DAEMON,
};

/**
 * ctl_error() - say on stderr what went wrong
 * @status: exit status the error leads to
 * @what: the command, "peer add"
 * @where: the object, "pvs0 site-b", or NULL
 * @todo: the remedy, or NULL where @fmt holds it already
 * @fmt: the reason
 *
 * Return: @status, so that a caller can return it in turn.
 */
__attribute__((format(printf, 5, 6)))
int ctl_error(int status, const char *what, const char *where,
	      const char *todo, const char *fmt, ...);

/**
 * ctl_error_at() - put a place in front of each error from now on
 * @at: "FILE:LINE", to stay until the next call; NULL for none
 */
void ctl_error_at(const char *at);

/**
 * ctl_error_mute() - say nothing for a while, as what fails is not the user's concern
 * @mute: begin, or end; each beginning wants its end
 */
void ctl_error_mute(bool mute);

/**
 * struct ctl_said - an error that was not printed
 * @where: the object, "" for none
 * @why: the reason
 * @todo: the remedy, "" where @why holds it
 */
struct ctl_said {
	char where[256];
	char why[256];
	char todo[256];
};

/**
 * ctl_error_keep() - keep errors from now on instead of printing them
 * @said: the last one goes there; NULL to print them again
 */
void ctl_error_keep(struct ctl_said *said);

/**
 * ctl_alloc() - realloc() that ends the program when memory runs out
 * @old: what to enlarge, or NULL
 * @size: bytes
 */
void *ctl_alloc(void *old, unsigned long size);

#endif /* PVSVPNCTL_ERROR_H */
