// SPDX-License-Identifier: GPL-2.0
/* The workqueues, and how a device asks for a refresh. */
#include "device.h"
#include "work.h"

/*
 * A refresh walks all peers. When thousands of peers are added, or a thousand devices
 * go up, each of them requests a refresh; the delay combines these requests.
 */
#define REFRESH_DELAY	(HZ / 5)

/* Frees SAs and refreshes devices; destroyed only after both have ended. */
struct workqueue_struct *pvsvpn_wq;

/*
 * Checks XFRM's states and policies. Any user can keep many of these works busy, so they
 * must not delay the works in pvsvpn_wq.
 */
struct workqueue_struct *pvsvpn_adopt_wq;

/**
 * pvsvpn_work_refresh() - schedule a check of the peers' SAs and paths
 * @pvs: the device
 *
 * Context: any; the caller must keep the device alive.
 */
void pvsvpn_work_refresh(struct pvsvpn_device *pvs)
{
	dev_hold(pvs->dev);
	if (!queue_delayed_work(pvsvpn_wq, &pvs->refresh, REFRESH_DELAY))
		dev_put(pvs->dev);
}

/**
 * pvsvpn_work_init() - create the workqueues
 *
 * Context: process.
 * Return: 0, or -ENOMEM.
 */
int __init pvsvpn_work_init(void)
{
	pvsvpn_wq = alloc_workqueue("pvsvpn", WQ_UNBOUND, 0);
	if (!pvsvpn_wq)
		return -ENOMEM;
	pvsvpn_adopt_wq = alloc_workqueue("pvsvpn_adopt", WQ_UNBOUND, 0);
	if (pvsvpn_adopt_wq)
		return 0;
	destroy_workqueue(pvsvpn_wq);
	return -ENOMEM;
}

/**
 * pvsvpn_work_exit() - wait for all work, after the last device is gone
 *
 * On return no peer, SA or request of any device is left.
 *
 * Context: process.
 */
void pvsvpn_work_exit(void)
{
	destroy_workqueue(pvsvpn_adopt_wq);
	destroy_workqueue(pvsvpn_wq);
}
