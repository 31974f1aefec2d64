/* SPDX-License-Identifier: GPL-2.0 */
/* The outer addresses of peers and of adopted SAs, and which peer is at an address. */
#ifndef _PVSVPN_ENDPOINT_H
#define _PVSVPN_ENDPOINT_H

#include <linux/if.h>
#include <linux/rhashtable-types.h>
#include <net/dst_cache.h>
#include <net/xfrm.h>

struct pvsvpn_device;
struct pvsvpn_peer;
struct pvsvpn_peer_config;
struct pvsvpn_udp_port;

/**
 * struct pvsvpn_endpoint - outer addresses of a peer or an adopted SA; replaced as a whole
 * @node: entry in the table by (namespace, remote address), for the endpoint of a peer
 * @peer: its peer, which lives as long as the endpoint can be found
 * @rcu: frees it after a grace period, because the packet path may still read it
 * @family: AF_INET or AF_INET6
 * @encap: PVSVPN_ENCAP_NONE or PVSVPN_ENCAP_UDP
 * @link: name of the interface or VRF through which @remote is reached, in the namespace where
 *	the device was created; empty for any. Not an index: a recreated interface gets another
 * @local: our address; if unspecified, the route to @remote selects it
 * @remote: the peer's address
 * @sport: our port with PVSVPN_ENCAP_UDP, else 0
 * @dport: the peer's port with PVSVPN_ENCAP_UDP, else 0
 * @mark: mark of outer packets and their route lookup; 0 for the device's fwmark
 * @udp: receiver at @sport with PVSVPN_ENCAP_UDP, else NULL; RTNL
 * @dst_cache: per-CPU route to @remote. Here and not in the peer, so that a lookup
 *	in progress while the endpoint is replaced fills the old cache
 */
struct pvsvpn_endpoint {
	struct rhlist_head node;
	struct pvsvpn_peer *peer;
	struct rcu_head rcu;
	u16 family;
	u8 encap;
	char link[IFNAMSIZ];
	xfrm_address_t local;
	xfrm_address_t remote;
	__be16 sport;
	__be16 dport;
	u32 mark;
	struct pvsvpn_udp_port *udp;
	struct dst_cache dst_cache;
};

struct pvsvpn_endpoint *
pvsvpn_endpoint_new(struct pvsvpn_peer *peer, const struct pvsvpn_peer_config *config);
void pvsvpn_endpoint_stop(struct pvsvpn_endpoint *endpoint);
void pvsvpn_endpoint_replace(struct pvsvpn_endpoint *endpoint);
struct pvsvpn_endpoint *
pvsvpn_endpoint_add(struct pvsvpn_peer *peer, const struct pvsvpn_peer_config *config);
bool pvsvpn_endpoint_differs(const struct pvsvpn_endpoint *endpoint,
			     const struct pvsvpn_peer_config *config);
void pvsvpn_endpoint_unlist(struct pvsvpn_endpoint *endpoint);
void pvsvpn_endpoint_remove(struct pvsvpn_endpoint *endpoint);
void pvsvpn_endpoint_free(struct pvsvpn_endpoint *endpoint);
struct pvsvpn_peer *pvsvpn_endpoint_find(struct net *net,
					 const struct pvsvpn_device *pvs,
					 u16 family,
					 const xfrm_address_t *remote);
struct pvsvpn_peer *
pvsvpn_endpoint_match(const struct pvsvpn_device *pvs, const struct pvsvpn_peer_config *config);
int pvsvpn_endpoint_link(const struct pvsvpn_endpoint *endpoint);
u32 pvsvpn_endpoint_mark(const struct pvsvpn_endpoint *endpoint);
int pvsvpn_endpoint_init(void);
void pvsvpn_endpoint_exit(void);

/**
 * pvsvpn_endpoint_is_at() - check whether an endpoint has a remote address and port
 * @endpoint: the endpoint
 * @remote: the address, of the endpoint's family
 * @port: the port
 *
 * Context: any; the caller must keep the endpoint alive.
 * Return: true if it has both.
 */
static inline bool pvsvpn_endpoint_is_at(const struct pvsvpn_endpoint *endpoint,
					 const xfrm_address_t *remote,
					 __be16 port)
{
	return endpoint->dport == port &&
	       xfrm_addr_equal(&endpoint->remote, remote, endpoint->family);
}

#endif /* _PVSVPN_ENDPOINT_H */
