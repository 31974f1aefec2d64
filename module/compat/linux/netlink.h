/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_LINUX_NETLINK_H
#define _PVSVPN_COMPAT_LINUX_NETLINK_H

#include_next <linux/netlink.h>

/*
 * Formatted extack messages came with 6.2. The text must outlive the handler,
 * since the core copies it after the handler has returned. Here a ring holds the
 * texts. If 64 others are written at that moment, a text may be garbled, but it
 * stays terminated.
 */
#ifndef NL_SET_ERR_MSG_FMT
#define NETLINK_MAX_FMTMSG_LEN 80

char *pvsvpn_compat_extack_buf(void);

#define NL_SET_ERR_MSG_FMT(extack, fmt, args...) do {			\
	struct netlink_ext_ack *__extack = (extack);			\
									\
	if (__extack) {							\
		char *__buf = pvsvpn_compat_extack_buf();		\
									\
		scnprintf(__buf, NETLINK_MAX_FMTMSG_LEN, fmt, ##args);	\
		__extack->_msg = __buf;					\
	}								\
} while (0)

#define NL_SET_ERR_MSG_ATTR_FMT(extack, attr, fmt, args...) do {	\
	NL_SET_ERR_MSG_FMT((extack), fmt, ##args);			\
	NL_SET_BAD_ATTR((extack), (attr));				\
} while (0)
#endif

#endif /* _PVSVPN_COMPAT_LINUX_NETLINK_H */
