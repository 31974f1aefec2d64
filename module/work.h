/* SPDX-License-Identifier: GPL-2.0 */
/* The workqueues, and how a device asks for a refresh. */
#ifndef _PVSVPN_WORK_H
#define _PVSVPN_WORK_H

#include <linux/workqueue.h>

struct pvsvpn_device;

extern struct workqueue_struct *pvsvpn_wq;
extern struct workqueue_struct *pvsvpn_adopt_wq;

void pvsvpn_work_refresh(struct pvsvpn_device *pvs);
int pvsvpn_work_init(void);
void pvsvpn_work_exit(void);

#endif /* _PVSVPN_WORK_H */
