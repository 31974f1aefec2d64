/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_LINUX_SYSCTL_H
#define _PVSVPN_COMPAT_LINUX_SYSCTL_H

#include <linux/version.h>
#include_next <linux/sysctl.h>

/* Handlers may not change the table since 6.11. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
typedef struct ctl_table pvsvpn_compat_ctl_table;
#else
typedef const struct ctl_table pvsvpn_compat_ctl_table;
#endif

#endif /* _PVSVPN_COMPAT_LINUX_SYSCTL_H */
