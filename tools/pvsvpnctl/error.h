/* SPDX-License-Identifier: GPL-2.0 */
/* One line for each error: what, where, why, what to do. */
#ifndef PVSVPNCTL_ERROR_H
#define PVSVPNCTL_ERROR_H

#include <stdbool.h>

/* Exit status of the tool. */
enum {
	CTL_OK,
	CTL_FAILED,
	CTL_USAGE,
	CTL_DISABLED,		/* "status NAME" */
	CTL_DENIED,		/* needs root; 4 and 7 as in init scripts */
	CTL_WARNING,		/* "status NAME" */
	CTL_BUSY,		/* another pvsvpnctl holds the lock */
	CTL_NO_DAEMON,
};

/**
 * ctl_error() - print an error to stderr
 * @status: exit status the error leads to
 * @what: the command, "peer add"
 * @where: the object, "pvs0 site-b", or NULL
 * @todo: the remedy, or NULL if @fmt contains it
 * @fmt: the reason
 *
 * Return: @status, so that a caller can return it in turn.
 */
__attribute__((format(printf, 5, 6)))
int ctl_error(int status, const char *what, const char *where,
	      const char *todo, const char *fmt, ...);

/**
 * ctl_error_at() - put a place in front of each further error
 * @at: "FILE:LINE", must stay valid until the next call; NULL for none
 */
void ctl_error_at(const char *at);

/**
 * ctl_error_mute() - suppress errors that do not concern the user
 * @mute: begin or end; each begin needs an end
 */
void ctl_error_mute(bool mute);

/**
 * struct ctl_said - an error that was not printed
 * @where: the object, "" for none
 * @why: the reason
 * @todo: the remedy, "" if @why contains it
 */
struct ctl_said {
	char where[256];
	char why[256];
	char todo[256];
};

/**
 * ctl_error_keep() - keep further errors instead of printing them
 * @said: receives the last error; NULL: print errors again
 */
void ctl_error_keep(struct ctl_said *said);

/**
 * ctl_alloc() - realloc() that ends the program when memory runs out
 * @old: memory to enlarge, or NULL
 * @size: bytes
 */
void *ctl_alloc(void *old, unsigned long size);

/* Ends the program if memory for output has run out, which is what @failed says. */
void no_memory_if(bool failed);

#endif /* PVSVPNCTL_ERROR_H */
