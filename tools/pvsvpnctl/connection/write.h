/* SPDX-License-Identifier: GPL-2.0 */
/* Writers of the values of keys, for section_print(). values.h and policy.h have the parsers. */
#ifndef PVSVPNCTL_WRITE_H
#define PVSVPNCTL_WRITE_H

#include "connection/section.h"

write_fn write_text;		/* char[] */
write_fn write_path;		/* char *, one that is relative is nothing */
write_fn write_number;		/* uint32_t, 0 is nothing */
write_fn write_bool;
write_fn write_addr;
write_fn write_gateway;		/* struct gateway */
write_fn write_identity_type;	/* const struct identity_type *, NULL is nothing */
write_fn write_prefixes;	/* struct subnet_list */
write_fn write_sources;		/* struct addr[2] */
write_fn write_mode;
write_fn write_proof;
write_fn write_encapsulation;
write_fn write_mtu;
write_fn write_mss;
write_fn write_table;		/* 0 is nothing */
write_fn write_action;
write_fn write_algorithms;	/* struct algorithm_list, an empty one is nothing */

#endif /* PVSVPNCTL_WRITE_H */
