/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pvsvpn

#if !defined(_PVSVPN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PVSVPN_TRACE_H

#include <linux/tracepoint.h>

#include "device.h"
#include "event.h"
#include "events.h"
#include "peer.h"
#include "sa.h"
#include "stats.h"

/* Export the numbers behind the names in the format file. */
#define PVSVPN_TRACE_ENUM(symbol, ...)	TRACE_DEFINE_ENUM(symbol);
PVSVPN_DROP_LIST(PVSVPN_TRACE_ENUM)
PVSVPN_EVENT_LIST(PVSVPN_TRACE_ENUM)

#define PVSVPN_TRACE_NAME(symbol, name, ...)	{ symbol, name },

/* A packet was dropped; peer and spi are 0 if unknown. */
TRACE_EVENT(pvsvpn_drop,
	TP_PROTO(const struct pvsvpn_device *pvs, const struct pvsvpn_peer *peer,
		 const struct pvsvpn_sa *sa, unsigned int len, int reason),
	TP_ARGS(pvs, peer, sa, len, reason),
	TP_STRUCT__entry(
		__array(char, dev, IFNAMSIZ)
		__field(int, ifindex)
		__field(u32, peer)
		__field(u32, spi)
		__field(unsigned int, len)
		__field(int, reason)
	),
	TP_fast_assign(
		memcpy(__entry->dev, pvs->dev->name, IFNAMSIZ);
		__entry->ifindex = pvs->dev->ifindex;
		__entry->peer = peer ? peer->id : 0;
		__entry->spi = sa ? ntohl(sa->spi) : 0;
		__entry->len = len;
		__entry->reason = reason;
	),
	TP_printk("dev=%s ifindex=%d peer=%u spi=0x%08x len=%u reason=%s",
		  __entry->dev, __entry->ifindex, __entry->peer, __entry->spi,
		  __entry->len,
		  __print_symbolic(__entry->reason,
				   PVSVPN_DROP_LIST(PVSVPN_TRACE_NAME)
				   { -1, NULL }))
);

/*
 * An event of a peer or an SA; dir and spi are 0 for a peer, peer is 0 for a state
 * that was not adopted.
 */
TRACE_EVENT(pvsvpn_event,
	TP_PROTO(const struct pvsvpn_event *event),
	TP_ARGS(event),
	TP_STRUCT__entry(
		__array(char, dev, IFNAMSIZ)
		__field(int, ifindex)
		__field(u32, peer)
		__field(u32, spi)
		__field(u8, dir)
		__field(int, type)
		__array(char, reason, 24)
	),
	TP_fast_assign(
		memcpy(__entry->dev, event->pvs->dev->name, IFNAMSIZ);
		__entry->ifindex = event->pvs->dev->ifindex;
		__entry->peer = event->peer ? event->peer->id : 0;
		__entry->spi = ntohl(event->spi);
		__entry->dir = event->dir;
		__entry->type = event->type;
		strscpy(__entry->reason, event->reason, sizeof(__entry->reason));
	),
	TP_printk("dev=%s ifindex=%d peer=%u spi=0x%08x dir=%s type=%s reason=%s",
		  __entry->dev, __entry->ifindex, __entry->peer, __entry->spi,
		  __entry->dir == PVSVPN_DIRECTION_OUT ? "out" : "in",
		  __print_symbolic(__entry->type,
				   PVSVPN_EVENT_LIST(PVSVPN_TRACE_NAME)
				   { -1, NULL }),
		  __entry->reason)
);

#endif /* _PVSVPN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
