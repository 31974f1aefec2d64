/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of the events, shared by the module (tracepoint) and the tool (monitor). This
 * header includes nothing. The YAML specification describes each event.
 *
 * EVENT(symbol, name)
 *   symbol  PVSVPN_EVENT_TYPE_<symbol> of the uAPI
 *   name    name in the YAML specification
 */
#ifndef _PVSVPN_EVENTS_H
#define _PVSVPN_EVENTS_H

#define PVSVPN_EVENT_LIST(EVENT)			\
	EVENT(PEER_NEW, "peer-new")			\
	EVENT(PEER_DEL, "peer-del")			\
	EVENT(PEER_UP, "peer-up")			\
	EVENT(PEER_DOWN, "peer-down")			\
	EVENT(SA_NEW, "sa-new")				\
	EVENT(SA_DEL, "sa-del")				\
	EVENT(SA_EXPIRED, "sa-expired")			\
	EVENT(SA_SOFT_EXPIRED, "sa-soft-expired")	\
	EVENT(ENDPOINT_CHANGED, "endpoint-changed")	\
	EVENT(SA_REPLAY_BURST, "sa-replay-burst")	\
	EVENT(SA_REFUSED, "sa-refused")			\
	EVENT(POLICY_REFUSED, "policy-refused")

#endif /* _PVSVPN_EVENTS_H */
