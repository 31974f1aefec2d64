/* SPDX-License-Identifier: GPL-2.0 */
/* The steps from a connection to its export */
#ifndef PVSVPNCTL_EXPORT_MAKE_H
#define PVSVPNCTL_EXPORT_MAKE_H

#include "export/export.h"

/**
 * struct exporting - an export that is being made
 * @what: the command, for error lines
 * @name: of the connection
 * @vendor: for which vendor
 * @address: address of this end as the far end sees it, or none: that of LocalGateway
 * @left_out: receives a line for each word that the vendor does not have
 */
struct exporting {
	const char *what;
	const char *name;
	enum vendor_index vendor;
	struct addr address;
	FILE *left_out;
};

/**
 * export_make() - see a connection from its far end, with what the vendor has
 * @e: the export
 * @c: the connection
 * @x: filled in but for the secret; its lists stay @c's
 *
 * Return: CTL_OK, or CTL_FAILED after saying what the vendor does not have.
 */
int export_make(const struct exporting *e, const struct connection *c, struct export *x);

#endif /* PVSVPNCTL_EXPORT_MAKE_H */
