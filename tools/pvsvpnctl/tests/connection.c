// SPDX-License-Identifier: GPL-2.0
/* Tests what the peer of a connection may reach. */
#include <stdlib.h>
#include <string.h>

#include "connection/connection.h"
#include "print.h"
#include "tests/tap.h"

/* @list: as in a file, with or without host bits. Return: to be freed. */
static struct subnet_list subnets(const char *list)
{
	struct subnet_list subnets = { .count = 0 };

	if (*list && parse_subnets(list, &subnets))
		ok(false, list);
	return subnets;
}

static void test_reached(const char *local, const char *own, const char *want)
{
	struct connection c = {
		.local_subnets = subnets(local),
		.tunnel_addresses = subnets(own),
	};
	struct subnet_list list = connection_reached(&c);
	char got[512] = "", text[FORMAT_MAX];

	for (size_t i = 0; i < list.count; i++) {
		strcat(got, i ? "," : "");
		strcat(got, format_subnet(text, &list.subnet[i]));
	}
	is(got, want, "what the peer may reach");
	free(list.subnet);
	free(c.local_subnets.subnet);
	free(c.tunnel_addresses.subnet);
}

int main(void)
{
	test_reached("10.1.0.0/24", "", "10.1.0.0/24");
	test_reached("10.1.0.0/24,fd00:1::/64", "", "10.1.0.0/24,fd00:1::/64");
	/* The interface's own addresses, if they are in none of the subnets */
	test_reached("10.1.0.0/24", "10.1.0.1/24", "10.1.0.0/24");
	test_reached("10.1.0.0/24", "169.254.7.1/30,fd00:7::1/64",
		     "10.1.0.0/24,169.254.7.1/32,fd00:7::1/128");
	test_reached("10.1.0.0/24", "169.254.7.1/30,169.254.7.1/24", "10.1.0.0/24,169.254.7.1/32");
	/* Everything is no limit. Everything of one family, and prefixes of the other, is one. */
	test_reached("0.0.0.0/0", "169.254.7.1/30", "");
	test_reached("0.0.0.0/0,::/0", "", "");
	test_reached("0.0.0.0/0,fd00:1::/64", "", "0.0.0.0/0,fd00:1::/64");
	return tap_end();
}
