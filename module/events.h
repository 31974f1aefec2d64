/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of the events, shared by the module (tracepoint) and the tool (monitor). This
 * header includes nothing. The YAML specification describes each event.
 *
 * EVENT(symbol, name)
 *   symbol  the enumerator of the uAPI
 *   name    name in the YAML specification
 */
#ifndef _PVSVPN_EVENTS_H
#define _PVSVPN_EVENTS_H

#define PVSVPN_EVENT_LIST(EVENT)						\
	EVENT(PVSVPN_EVENT_TYPE_PEER_NEW, "peer-new")				\
	EVENT(PVSVPN_EVENT_TYPE_PEER_DEL, "peer-del")				\
	EVENT(PVSVPN_EVENT_TYPE_PEER_UP, "peer-up")				\
	EVENT(PVSVPN_EVENT_TYPE_PEER_DOWN, "peer-down")				\
	EVENT(PVSVPN_EVENT_TYPE_SA_NEW, "sa-new")				\
	EVENT(PVSVPN_EVENT_TYPE_SA_DEL, "sa-del")				\
	EVENT(PVSVPN_EVENT_TYPE_SA_EXPIRED, "sa-expired")			\
	EVENT(PVSVPN_EVENT_TYPE_SA_SOFT_EXPIRED, "sa-soft-expired")		\
	EVENT(PVSVPN_EVENT_TYPE_ENDPOINT_CHANGED, "endpoint-changed")		\
	EVENT(PVSVPN_EVENT_TYPE_SA_REPLAY_BURST, "sa-replay-burst")		\
	EVENT(PVSVPN_EVENT_TYPE_SA_REFUSED, "sa-refused")			\
	EVENT(PVSVPN_EVENT_TYPE_POLICY_REFUSED, "policy-refused")

#endif /* _PVSVPN_EVENTS_H */
