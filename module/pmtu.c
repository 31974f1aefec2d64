// SPDX-License-Identifier: GPL-2.0
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/gso.h>
#include <net/ip6_route.h>

#include "device.h"
#include "esp.h"
#include "output.h"
#include "peer.h"
#include "pmtu.h"
#include "sa.h"
#include "stats.h"
#include "transform.h"
#include "work.h"

/**
 * pvsvpn_pmtu_room() - compute the room between the outer headers and the trailer
 * @path_mtu: MTU of the outer path, in bytes
 * @outer_len: length of the outer headers, in bytes
 * @transform: the transform in use
 *
 * Context: any.
 * Return: bytes, up to which an inner packet may be padded; 0 if it is below one alignment unit.
 */
u32 pvsvpn_pmtu_room(u32 path_mtu, unsigned int outer_len, const struct pvsvpn_transform *transform)
{
	u32 around = outer_len + pvsvpn_esp_head_len(transform) +
		     transform->icv_len;

	if (path_mtu < around + PVSVPN_ESP_TRAILER_LEN + transform->align)
		return 0;
	return round_down(path_mtu - around, transform->align) - PVSVPN_ESP_TRAILER_LEN;
}

/* The largest inner packet that fits, at least IPV4_MIN_MTU */
static u32 inner_mtu(u32 path_mtu, unsigned int outer_len, const struct pvsvpn_transform *transform)
{
	return max_t(u32, pvsvpn_pmtu_room(path_mtu, outer_len, transform), IPV4_MIN_MTU);
}

/* The tightest transform in use; before there is an SA, the first one is the most likely. */
static const struct pvsvpn_transform *
peer_transform(const struct pvsvpn_peer *peer)
{
	return READ_ONCE(peer->tightest) ?: &pvsvpn_transforms[0];
}

static u32 transform_mtu(const struct pvsvpn_peer *peer, const struct pvsvpn_transform *transform)
{
	const struct pvsvpn_endpoint *endpoint = pvsvpn_peer_path(peer);
	u32 path_mtu = READ_ONCE(peer->path_mtu);

	if (!path_mtu)
		return PVSVPN_MTU_DEFAULT;
	return inner_mtu(path_mtu, pvsvpn_outer_len(endpoint->family, endpoint->encap), transform);
}

/**
 * pvsvpn_pmtu_tighten() - find the transform that leaves the least room for inner packets
 * @peer: the peer, whose SAs or path have changed
 *
 * It belongs to the current outbound SA, or to an SA that policies lead to. The cost does
 * not depend on the number of SAs.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_pmtu_tighten(struct pvsvpn_peer *peer)
{
	const struct pvsvpn_sa *sa = rtnl_dereference(peer->tx_sa);
	const struct pvsvpn_transform *tightest = sa ? sa->transform : NULL;
	const struct pvsvpn_transform *transform;
	unsigned int i;

	ASSERT_RTNL();
	for (i = 0; tightest && i < PVSVPN_TRANSFORMS; i++) {
		transform = &pvsvpn_transforms[i];
		if (READ_ONCE(peer->transforms[i]) &&
		    transform_mtu(peer, transform) <
		    transform_mtu(peer, tightest))
			tightest = transform;
	}
	WRITE_ONCE(peer->tightest, tightest);
}

/**
 * pvsvpn_pmtu_peer() - get the largest inner packet to a peer
 * @peer: the peer
 *
 * Context: RCU read-side critical section, or RTNL held.
 * Return: bytes; defaults stand for an unknown path or transform.
 */
u32 pvsvpn_pmtu_peer(const struct pvsvpn_peer *peer)
{
	return transform_mtu(peer, peer_transform(peer));
}

/**
 * pvsvpn_pmtu_overhead() - split the overhead behind pvsvpn_pmtu_peer() into its parts
 * @peer: the peer
 * @overhead: filled in
 *
 * Context: process, RTNL held.
 * Return: true if the overhead is derived from the path MTU; false if the path MTU is
 * unknown, or too small for any inner packet.
 */
bool pvsvpn_pmtu_overhead(const struct pvsvpn_peer *peer, struct pvsvpn_overhead *overhead)
{
	const struct pvsvpn_endpoint *endpoint = pvsvpn_peer_path(peer);
	const struct pvsvpn_transform *transform = peer_transform(peer);
	u32 outer = pvsvpn_outer_len(endpoint->family, endpoint->encap);
	u32 around;

	overhead->ip = pvsvpn_outer_len(endpoint->family, PVSVPN_ENCAP_NONE);
	overhead->udp = outer - overhead->ip;
	overhead->esp = pvsvpn_esp_head_len(transform);
	overhead->icv = transform->icv_len;
	around = outer + overhead->esp + overhead->icv + pvsvpn_pmtu_peer(peer);
	if (peer->path_mtu < around + PVSVPN_ESP_TRAILER_LEN)
		return false;
	overhead->trailer = peer->path_mtu - around;
	return true;
}

static void device_set_mtu(struct pvsvpn_device *pvs, u32 mtu)
{
	/*
	 * Below IPV6_MIN_MTU the device would lose IPv6. Packets up to that size
	 * are fragmented after encryption instead.
	 */
	mtu = clamp_t(u32, mtu, IPV6_MIN_MTU, pvs->dev->max_mtu);
	if (!pvs->mtu_auto || mtu == pvs->dev->mtu)
		return;
	pvs->mtu_busy = true;
	dev_set_mtu(pvs->dev, mtu);
	pvs->mtu_busy = false;
}

/**
 * pvsvpn_pmtu_look() - read the path MTU of a peer again
 * @peer: the peer
 *
 * Context: process, RTNL held.
 * Return: pvsvpn_pmtu_peer(), in bytes.
 */
u32 pvsvpn_pmtu_look(struct pvsvpn_peer *peer)
{
	u32 path_mtu;

	ASSERT_RTNL();
	/* If there is no route, keep the last value. */
	if (pvsvpn_output_look(pvsvpn_peer_path(peer), &path_mtu) == PVSVPN_ROUTE_FOUND)
		WRITE_ONCE(peer->path_mtu, path_mtu);
	pvsvpn_pmtu_tighten(peer);
	return pvsvpn_pmtu_peer(peer);
}

/**
 * pvsvpn_pmtu_changed() - handle a change of a peer's path or overhead
 * @peer: the peer
 *
 * The device's MTU falls at once. It rises later, after a walk over all peers, so that
 * adding one peer does not look at all of them.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_pmtu_changed(struct pvsvpn_peer *peer)
{
	struct pvsvpn_device *pvs = peer->pvs;
	u32 mtu;

	mtu = pvsvpn_pmtu_look(peer);
	/* A walk over all peers may already have passed this one. */
	pvs->mtu_least = min(pvs->mtu_least, mtu);
	if (mtu < pvs->dev->mtu)
		device_set_mtu(pvs, mtu);
	else if (mtu > pvs->dev->mtu)
		pvsvpn_work_refresh(pvs);
}

/**
 * pvsvpn_pmtu_follow() - set the device's MTU after a walk over all paths
 * @pvs: the device, with @mtu_least from that walk
 *
 * Context: process, RTNL held.
 */
void pvsvpn_pmtu_follow(struct pvsvpn_device *pvs)
{
	ASSERT_RTNL();
	device_set_mtu(pvs, pvs->mtu_least == U32_MAX ? PVSVPN_MTU_DEFAULT : pvs->mtu_least);
}

/**
 * pvsvpn_pmtu_auto() - return to the automatic MTU
 * @pvs: the device
 *
 * Context: process, RTNL held.
 */
void pvsvpn_pmtu_auto(struct pvsvpn_device *pvs)
{
	ASSERT_RTNL();
	pvs->mtu_auto = true;
	pvsvpn_work_refresh(pvs);
}

static bool packet_fits(const struct sk_buff *skb, u32 mtu)
{
	return skb_is_gso(skb) ? skb_gso_validate_network_len(skb, mtu) :
				 skb->len <= mtu;
}

static int too_big4(struct sk_buff *skb, const struct pvsvpn_settings *settings,
		    struct pvsvpn_fit *fit)
{
	if (ip_hdr(skb)->frag_off & htons(IP_DF)) {
		skb_dst_update_pmtu_no_confirm(skb, fit->mtu);
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(fit->mtu));
		return PVSVPN_DROP_TX_TOO_BIG;
	}
	if (READ_ONCE(settings->fragment) == PVSVPN_FRAGMENT_INNER)
		fit->how = PVSVPN_FITS_IN_FRAGMENTS;
	return PVSVPN_PASS;
}

static int too_big6(struct sk_buff *skb, const struct pvsvpn_fit *fit)
{
	u32 mtu = max_t(u32, fit->mtu, IPV6_MIN_MTU);

	/* The MTU of an IPv6 link is never smaller (RFC 8200 section 5). */
	if (packet_fits(skb, IPV6_MIN_MTU))
		return PVSVPN_PASS;
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	return PVSVPN_DROP_TX_TOO_BIG;
}

/**
 * pvsvpn_pmtu_check() - check whether a packet fits the path
 * @sa: outbound SA
 * @skb: inner packet, not split into segments yet
 * @dst: route to the peer
 * @outer: the outer headers
 * @fit: filled in: whether the packet fits, and how it is fragmented if not
 *
 * If the packet must not be fragmented, the sender receives an ICMP error with the right
 * size (RFC 4301 section 8.2).
 *
 * Context: softirq, RCU read-side critical section.
 * Return: PVSVPN_PASS; or PVSVPN_DROP_TX_TOO_BIG after that ICMP error was sent.
 */
int pvsvpn_pmtu_check(struct pvsvpn_sa *sa, struct sk_buff *skb,
		      const struct dst_entry *dst,
		      const struct pvsvpn_outer *outer, struct pvsvpn_fit *fit)
{
	const struct pvsvpn_settings *settings = &sa->peer->pvs->settings;
	u32 path_mtu = dst_mtu(dst);

	fit->mtu = inner_mtu(path_mtu, outer->len, sa->transform);
	fit->how = PVSVPN_FITS;
	if (unlikely(path_mtu != READ_ONCE(sa->peer->path_mtu)))
		pvsvpn_work_refresh(sa->peer->pvs);
	if (likely(READ_ONCE(settings->pmtudisc) && packet_fits(skb, fit->mtu)))
		return PVSVPN_PASS;
	fit->how = PVSVPN_FITS_FRAGMENTED;
	/* If path MTU discovery is off, fragment every packet that is too long. */
	if (!READ_ONCE(settings->pmtudisc))
		return PVSVPN_PASS;
	return skb->protocol == htons(ETH_P_IP) ?
	       too_big4(skb, settings, fit) : too_big6(skb, fit);
}
