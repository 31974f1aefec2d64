/* SPDX-License-Identifier: GPL-2.0 */
/* The values of a connection's keys. Policies have their own words (policy.h). */
#ifndef PVSVPNCTL_VALUES_H
#define PVSVPNCTL_VALUES_H

#include <stdbool.h>

#include "connection/connection.h"

bool is_connection_name(const char *text);
/* Whether sysctl, the file system or every host already uses the name */
bool is_reserved_ifname(const char *ifname);

/* Removes white space around @text, in place. */
char *without_blanks(char *text);

/* Each writes to a member of struct connection. */
parse_fn parse_gateway;		/* struct gateway */
parse_fn parse_name;
parse_fn parse_ifname;
parse_fn parse_bool;
parse_fn parse_prefixes;
parse_fn parse_mode;
parse_fn parse_encapsulation;
parse_fn parse_establish_mode;
parse_fn parse_action;
parse_fn parse_interval;
parse_fn parse_threshold;
parse_fn parse_window;
parse_fn parse_sources;		/* struct addr[2], of IPv4 and of IPv6 */
parse_fn parse_metric;
parse_fn parse_table;
parse_fn parse_if_id;
parse_fn parse_conf_mtu;
parse_fn parse_mss;
parse_fn parse_path;
parse_fn parse_proof;

#endif /* PVSVPNCTL_VALUES_H */
