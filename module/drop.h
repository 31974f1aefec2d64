/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All reasons for which pvsvpn drops a packet.
 *
 * The counters, `ethtool -S`, the tracepoint, `pvsvpnctl stats` and
 * Documentation/counters.rst all use this list. It includes nothing, so that
 * pvsvpnctl can compile it too.
 *
 * PVSVPN_DROP(symbol, name, link, core, text)
 *   symbol  the enumerator
 *   name    name that users see; its meaning never changes after a release
 *   link    column of `ip -s link` that also counts it: RX_ERRORS, RX_DROPPED,
 *           TX_ERRORS, TX_DROPPED, CORE if the core already counts it, or NONE
 *           if no user data is lost
 *   core    reason passed to kfree_skb_reason()
 *   text    what happened, then what to do about it
 *
 * The order sets the scope: the first block is counted for SA, peer and device,
 * the second for peer and device, the third for the device alone.
 */
#ifndef _PVSVPN_DROP_H
#define _PVSVPN_DROP_H

#define PVSVPN_DROP_LIST_SA(PVSVPN_DROP)				\
	PVSVPN_DROP(PVSVPN_DROP_RX_TRUNCATED, "rx_truncated", RX_ERRORS, \
		SKB_DROP_REASON_HDR_TRUNC, \
		"ESP packet shorter than header, IV, trailer and ICV, or not a multiple of 4 bytes; look for a middlebox that cuts packets") \
	PVSVPN_DROP(PVSVPN_DROP_RX_ENCAP, "rx_encap", RX_ERRORS, SKB_DROP_REASON_NOT_SPECIFIED, \
		"ESP in UDP from a peer with encap none, or plain ESP from one with encap udp; both ends must agree") \
	PVSVPN_DROP(PVSVPN_DROP_RX_EXPIRED, "rx_expired", RX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"a hard lifetime of the SA is over; the peer still sends with it, so give both ends a new one") \
	PVSVPN_DROP(PVSVPN_DROP_RX_SEQ_ZERO, "rx_seq_zero", RX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"sequence number 0, which no sender with anti-replay uses; the sender is broken or forged") \
	PVSVPN_DROP(PVSVPN_DROP_RX_REPLAYED, "rx_replayed", RX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"sequence number already received; a duplicating path, or a replay attack") \
	PVSVPN_DROP(PVSVPN_DROP_RX_TOO_OLD, "rx_too_old", RX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"sequence number left of the replay window; if the path reorders (QoS), raise replay-window") \
	PVSVPN_DROP(PVSVPN_DROP_RX_ICV, "rx_icv", RX_ERRORS, SKB_DROP_REASON_NOT_SPECIFIED, \
		"integrity check failed; keys or transforms differ between the ends, or the packet was altered") \
	PVSVPN_DROP(PVSVPN_DROP_RX_PADDING, "rx_padding", RX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"ESP padding is not 1, 2, 3, ... or longer than the packet; the sender is broken") \
	PVSVPN_DROP(PVSVPN_DROP_RX_NEXT_HEADER, "rx_next_header", RX_ERRORS, \
		SKB_DROP_REASON_IP_NOPROTO, \
		"ESP next header is neither IPv4 nor IPv6; the peer must use tunnel mode") \
	PVSVPN_DROP(PVSVPN_DROP_RX_DUMMY, "rx_dummy", NONE, SKB_DROP_REASON_NOT_SPECIFIED, \
		"ESP dummy packet (next header 59): a keepalive, or sent to hide traffic; harmless") \
	PVSVPN_DROP(PVSVPN_DROP_RX_MALFORMED, "rx_malformed", RX_ERRORS, SKB_DROP_REASON_IP_INHDR, \
		"inner IP header is cut short or contradicts its length; the sender is broken") \
	PVSVPN_DROP(PVSVPN_DROP_RX_SOURCE, "rx_source", RX_ERRORS, SKB_DROP_REASON_XFRM_POLICY, \
		"inner source address is not in the peer's subnets; correct the subnets at either end") \
	PVSVPN_DROP(PVSVPN_DROP_RX_DESTINATION, "rx_destination", RX_ERRORS, \
		SKB_DROP_REASON_XFRM_POLICY, \
		"inner destination address is not in the peer's local-subnets; correct them, or the subnets at the other end") \
	PVSVPN_DROP(PVSVPN_DROP_RX_SELECTOR, "rx_selector", RX_ERRORS, \
		SKB_DROP_REASON_XFRM_POLICY, \
		"the selector of the XFRM state that carried the packet does not cover it (RFC 4301); ip xfrm state, then the daemon's") \
	PVSVPN_DROP(PVSVPN_DROP_RX_MULTICAST, "rx_multicast", RX_DROPPED, \
		SKB_DROP_REASON_XFRM_POLICY, \
		"multicast or broadcast that neither local-subnets nor the state's selector cover, such as the other end's own IGMP; harmless") \
	PVSVPN_DROP(PVSVPN_DROP_RX_LINK_LOCAL, "rx_link_local", RX_DROPPED, \
		SKB_DROP_REASON_XFRM_POLICY, \
		"IPv6 link-local or unspecified inner source that subnets or selectors do not cover: the other end's own MLD and neighbour discovery; harmless") \
	PVSVPN_DROP(PVSVPN_DROP_RX_POLICY, "rx_policy", RX_ERRORS, SKB_DROP_REASON_XFRM_POLICY, \
		"no traffic selector of the child SA that carried the packet covers it; compare ip xfrm policy, dir in and fwd, with the far end's") \
	PVSVPN_DROP(PVSVPN_DROP_RX_BLOCKED, "rx_blocked", RX_DROPPED, SKB_DROP_REASON_XFRM_POLICY, \
		"an XFRM policy with the device's if_id blocks the packet; ip xfrm policy, dir in and fwd, action block or another template") \
	PVSVPN_DROP(PVSVPN_DROP_RX_ECN, "rx_ecn", RX_ERRORS, SKB_DROP_REASON_NOT_SPECIFIED, \
		"outer header says congestion, inner is not ECN-capable (RFC 6040); a router marks what it must drop") \
	PVSVPN_DROP(PVSVPN_DROP_RX_DOWN, "rx_down", RX_DROPPED, SKB_DROP_REASON_DEV_READY, \
		"the device is down; ip link set DEV up")		\
	PVSVPN_DROP(PVSVPN_DROP_RX_CRYPTO, "rx_crypto", RX_ERRORS, SKB_DROP_REASON_NOT_SPECIFIED, \
		"the crypto driver failed or its queue is full; see the driver in pvsvpnctl show") \
	PVSVPN_DROP(PVSVPN_DROP_RX_NOMEM, "rx_nomem", RX_DROPPED, SKB_DROP_REASON_NOMEM, \
		"out of memory on receive")				\
	PVSVPN_DROP(PVSVPN_DROP_RX_BACKLOG, "rx_backlog", CORE, SKB_DROP_REASON_FULL_RING, \
		"receive queue of the device is full; the host cannot keep up (net.core.netdev_max_backlog)") \
	PVSVPN_DROP(PVSVPN_DROP_TX_SEQ_EXHAUSTED, "tx_seq_exhausted", TX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"the SA has used all sequence numbers; add a new SA")	\
	PVSVPN_DROP(PVSVPN_DROP_TX_EXPIRED, "tx_expired", TX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"a hard lifetime of the SA is over; add a new SA")	\
	PVSVPN_DROP(PVSVPN_DROP_TX_SELECTOR, "tx_selector", TX_ERRORS, \
		SKB_DROP_REASON_XFRM_POLICY, \
		"the selector of the XFRM state of the outbound SA does not cover the packet; ip xfrm state, then the daemon's") \
	PVSVPN_DROP(PVSVPN_DROP_TX_CRYPTO, "tx_crypto", TX_ERRORS, SKB_DROP_REASON_NOT_SPECIFIED, \
		"the crypto driver failed or its queue is full; see the driver in pvsvpnctl show") \
	PVSVPN_DROP(PVSVPN_DROP_TX_OUTPUT, "tx_output", TX_ERRORS, SKB_DROP_REASON_NOT_SPECIFIED, \
		"the stack refused the ESP packet; look at nft/iptables OUTPUT and at the outer interface")

#define PVSVPN_DROP_LIST_PEER(PVSVPN_DROP)				\
	PVSVPN_DROP(PVSVPN_DROP_RX_UNKNOWN_SPI, "rx_unknown_spi", RX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"ESP from the peer with an SPI that neither pvsvpn nor stock IPsec knows; the ends disagree on their SAs") \
	PVSVPN_DROP(PVSVPN_DROP_RX_ICMP, "rx_icmp", RX_ERRORS, SKB_DROP_REASON_NOT_SPECIFIED, \
		"ICMP error about ESP that we did not send just now, so not believed; forged, or very late") \
	PVSVPN_DROP(PVSVPN_DROP_TX_NO_SA, "tx_no_sa", TX_ERRORS, SKB_DROP_REASON_NOT_SPECIFIED, \
		"the peer has no usable outbound SA; pvsvpnctl sa add ... dir out") \
	PVSVPN_DROP(PVSVPN_DROP_TX_NO_POLICY, "tx_no_policy", TX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"no traffic selector that the two ends have agreed on covers the packet; ip xfrm policy, then the daemon's") \
	PVSVPN_DROP(PVSVPN_DROP_TX_BLOCKED, "tx_blocked", TX_DROPPED, SKB_DROP_REASON_XFRM_POLICY, \
		"an XFRM policy with the device's if_id blocks the packet; ip xfrm policy, dir out, action block or no template of ESP in tunnel mode") \
	PVSVPN_DROP(PVSVPN_DROP_TX_SOURCE, "tx_source", TX_ERRORS, SKB_DROP_REASON_XFRM_POLICY, \
		"inner source address is not in the peer's local-subnets, so the other end would not take the packet; correct them, or the source") \
	PVSVPN_DROP(PVSVPN_DROP_TX_NO_ROUTE, "tx_no_route", TX_ERRORS, \
		SKB_DROP_REASON_IP_OUTNOROUTES, \
		"no route to the peer's remote address, or local is no address of this host; ip route get REMOTE from LOCAL") \
	PVSVPN_DROP(PVSVPN_DROP_TX_LOOP, "tx_loop", TX_ERRORS, SKB_DROP_REASON_NOT_SPECIFIED, \
		"the route to the peer's remote address leads back into the tunnel; add a more specific route to REMOTE") \
	PVSVPN_DROP(PVSVPN_DROP_TX_TOO_BIG, "tx_too_big", TX_ERRORS, SKB_DROP_REASON_PKT_TOO_BIG, \
		"larger than the path carries and not to be fragmented; the sender was told the right size") \
	PVSVPN_DROP(PVSVPN_DROP_TX_NOMEM, "tx_nomem", TX_DROPPED, SKB_DROP_REASON_NOMEM, \
		"out of memory on transmit")				\
	PVSVPN_DROP(PVSVPN_DROP_TX_GSO, "tx_gso", TX_ERRORS, SKB_DROP_REASON_SKB_GSO_SEG, \
		"a large packet could not be split into segments or its checksum not computed")

#define PVSVPN_DROP_LIST_DEVICE(PVSVPN_DROP)				\
	PVSVPN_DROP(PVSVPN_DROP_TX_NO_PEER, "tx_no_peer", TX_ERRORS, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"no peer's subnets hold the inner destination; pvsvpnctl peer set ... subnets") \
	PVSVPN_DROP(PVSVPN_DROP_TX_MULTICAST, "tx_multicast", TX_DROPPED, \
		SKB_DROP_REASON_NOT_SPECIFIED, \
		"multicast or broadcast that no peer's subnets, local-subnets or selectors cover, such as this host's own MLD; harmless") \
	PVSVPN_DROP(PVSVPN_DROP_TX_PROTOCOL, "tx_protocol", TX_DROPPED, \
		SKB_DROP_REASON_INVALID_PROTO, \
		"neither IPv4 nor IPv6; only IP goes into the tunnel")	\
	PVSVPN_DROP(PVSVPN_DROP_TX_MALFORMED, "tx_malformed", TX_ERRORS, \
		SKB_DROP_REASON_HDR_TRUNC, \
		"inner IP header is cut short")

#define PVSVPN_DROP_LIST(PVSVPN_DROP)					\
	PVSVPN_DROP_LIST_SA(PVSVPN_DROP)				\
	PVSVPN_DROP_LIST_PEER(PVSVPN_DROP)				\
	PVSVPN_DROP_LIST_DEVICE(PVSVPN_DROP)

#define PVSVPN_DROP_ENUM(symbol, name, link, core, text) symbol,
enum pvsvpn_drop {
	PVSVPN_DROP_LIST_SA(PVSVPN_DROP_ENUM)
	PVSVPN_DROP_SA_MAX,
	__PVSVPN_DROP_PEER_FIRST = PVSVPN_DROP_SA_MAX - 1,
	PVSVPN_DROP_LIST_PEER(PVSVPN_DROP_ENUM)
	PVSVPN_DROP_PEER_MAX,
	__PVSVPN_DROP_DEVICE_FIRST = PVSVPN_DROP_PEER_MAX - 1,
	PVSVPN_DROP_LIST_DEVICE(PVSVPN_DROP_ENUM)
	PVSVPN_DROP_MAX,
};
#undef PVSVPN_DROP_ENUM

#endif /* _PVSVPN_DROP_H */
