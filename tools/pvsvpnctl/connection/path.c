// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection/path.h"

#define IKE_PORT 500

union socket_addr {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

static socklen_t to_socket_addr(union socket_addr *to, const struct addr *addr, uint16_t port)
{
	memset(to, 0, sizeof(*to));
	if (addr->len == 4) {
		to->ip4.sin_family = AF_INET;
		to->ip4.sin_port = htons(port);
		memcpy(&to->ip4.sin_addr, addr->byte, addr->len);
		return sizeof(to->ip4);
	}
	to->ip6.sin6_family = AF_INET6;
	to->ip6.sin6_port = htons(port);
	memcpy(&to->ip6.sin6_addr, addr->byte, addr->len);
	return sizeof(to->ip6);
}

static bool is_addr(const struct sockaddr *sockaddr, const struct addr *addr)
{
	const union socket_addr *other = (const union socket_addr *)sockaddr;

	if (!sockaddr)
		return false;
	if (addr->len == 4)
		return sockaddr->sa_family == AF_INET &&
		       !memcmp(&other->ip4.sin_addr, addr->byte, addr->len);
	return sockaddr->sa_family == AF_INET6 &&
	       !memcmp(&other->ip6.sin6_addr, addr->byte, addr->len);
}

/* Return: whether an interface has the address, also in a VRF; true if that is not known. */
static bool is_of_interface(const struct addr *addr)
{
	struct ifaddrs *list;
	bool found = false;

	if (getifaddrs(&list))
		return true;
	for (const struct ifaddrs *one = list; one && !found; one = one->ifa_next)
		found = is_addr(one->ifa_addr, addr);
	freeifaddrs(list);
	return found;
}

/* Return: whether any address can be bound, as gateways with VRRP have it. */
static bool binds_all(const struct addr *addr)
{
	const char *path = addr->len == 4 ? "/proc/sys/net/ipv4/ip_nonlocal_bind" :
					    "/proc/sys/net/ipv6/ip_nonlocal_bind";
	FILE *in = fopen(path, "re");
	bool on = in && getc(in) != '0';

	if (in)
		fclose(in);
	return on;
}

/* A route of type local makes an address ours as well. */
static bool can_bind(const struct addr *addr)
{
	union socket_addr here;
	socklen_t len = to_socket_addr(&here, addr, 0);
	int fd = socket(here.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool can = fd < 0 || !bind(fd, &here.any, len) || errno != EADDRNOTAVAIL;

	if (fd >= 0)
		close(fd);
	return can;
}

static bool is_here(const struct addr *addr)
{
	return is_of_interface(addr) || (!binds_all(addr) && can_bind(addr));
}

/* connect() of a UDP socket looks the route up and sends nothing. */
static bool has_route(const struct connection *c)
{
	const struct addr *peer = &c->peer_gateway.addr;
	uint32_t mark = connection_mark(c);
	union socket_addr to;
	socklen_t len = to_socket_addr(&to, peer, IKE_PORT);
	int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found = true;

	if (fd < 0)
		return true;
	/* The tunnel's own packets have it where rules send everything else into the tunnel. */
	if (connection_takes_all(c, peer->len))
		setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	if (c->local_gateway.len == peer->len) {
		union socket_addr from;
		socklen_t from_len = to_socket_addr(&from, &c->local_gateway, 0);

		/* Rules may depend on the source. Without it, the main table is asked. */
		(void)!bind(fd, &from.any, from_len);
	}
	/* EACCES and EINVAL: a route that prohibits it, or drops it */
	if (connect(fd, &to.any, len))
		found = errno != ENETUNREACH && errno != EHOSTUNREACH && errno != EACCES &&
			errno != EINVAL;
	close(fd);
	return found;
}

enum reason path_reason(const struct connection *c)
{
	if (c->local_gateway.len && !is_here(&c->local_gateway))
		return REASON_LOCAL_ADDRESS;
	if (c->peer_gateway.addr.len && !has_route(c))
		return REASON_NO_ROUTE;
	return REASON_NONE;
}
