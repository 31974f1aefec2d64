// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "connection/subnet.h"

struct subnet subnet_masked(const struct subnet *subnet)
{
	struct subnet masked = *subnet;

	for (unsigned int i = 0; i < subnet->addr.len; i++) {
		int left = subnet->prefix - i * 8;

		if (left <= 0)
			masked.addr.byte[i] = 0;
		else if (left < 8)
			masked.addr.byte[i] &= 0xff << (8 - left);
	}
	return masked;
}

bool subnet_holds(const struct subnet *subnet, const struct addr *addr)
{
	struct subnet other = { .addr = *addr, .prefix = subnet->prefix };
	struct subnet a = subnet_masked(subnet), b = subnet_masked(&other);

	return a.addr.len == addr->len &&
	       !memcmp(a.addr.byte, b.addr.byte, addr->len);
}

bool subnets_equal(const struct subnet *a, const struct subnet *b)
{
	return a->prefix == b->prefix && a->addr.len == b->addr.len &&
	       !memcmp(a->addr.byte, b->addr.byte, a->addr.len);
}

bool subnets_overlap(const struct subnet *a, const struct subnet *b)
{
	return a->prefix < b->prefix ? subnet_holds(a, &b->addr) :
				       subnet_holds(b, &a->addr);
}

bool subnet_list_has(const struct subnet_list *list, const struct subnet *subnet)
{
	for (size_t i = 0; i < list->count; i++)
		if (subnets_equal(&list->subnet[i], subnet))
			return true;
	return false;
}

bool subnet_list_has_family(const struct subnet_list *list, uint8_t addr_len)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->subnet[i].addr.len == addr_len)
			return true;
	return false;
}

const struct subnet *subnet_list_find(const struct subnet_list *list, const struct addr *addr)
{
	for (size_t i = 0; i < list->count; i++)
		if (subnet_holds(&list->subnet[i], addr))
			return &list->subnet[i];
	return NULL;
}

/* Uses of an address. No special prefix has OF_GATEWAY: none can be an outer address. */
enum { NOTHING = 0, OF_HOST = 1, IN_TUNNEL = 2, OF_GATEWAY = 4 };

/* Prefixes with a meaning of their own (RFC 6890), and the uses of their addresses */
static const struct {
	struct subnet subnet;
	unsigned int can_be;
} special[] = {
	{ { { 4, { 0 } }, 8 }, NOTHING },
	{ { { 4, { 127 } }, 8 }, OF_HOST },
	{ { { 4, { 224 } }, 4 }, IN_TUNNEL },
	{ { { 4, { 255, 255, 255, 255 } }, 32 }, NOTHING },
	{ { { 16, { 0 } }, 128 }, NOTHING },
	{ { { 16, { [15] = 1 } }, 128 }, OF_HOST },
	{ { { 16, { [10] = 0xff, 0xff } }, 96 }, NOTHING },
	{ { { 16, { 0xfe, 0x80 } }, 10 }, OF_HOST | IN_TUNNEL },
	{ { { 16, { 0xff } }, 8 }, IN_TUNNEL },
};

/* Return: whether all of @subnet is in a special prefix whose addresses cannot be all of @wanted. */
static bool is_special(const struct subnet *subnet, unsigned int wanted)
{
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if ((special[i].can_be & wanted) != wanted &&
		    special[i].subnet.prefix <= subnet->prefix &&
		    subnet_holds(&special[i].subnet, &subnet->addr))
			return true;
	return false;
}

bool addr_is_of_host(const struct addr *addr)
{
	const struct subnet host = { *addr, addr->len * 8 };

	return !is_special(&host, OF_HOST);
}

bool subnet_fits_tunnel(const struct subnet *subnet)
{
	return !is_special(subnet, IN_TUNNEL);
}

/* Neither a file nor a route can say on which link a link-local address is. */
bool addr_is_of_gateway(const struct addr *addr)
{
	const struct subnet host = { *addr, addr->len * 8 };

	return !is_special(&host, OF_GATEWAY);
}
