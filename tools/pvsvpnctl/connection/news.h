/* SPDX-License-Identifier: GPL-2.0 */
/* Events of strongSwan's daemon: they report changes before the next look at it. */
#ifndef PVSVPNCTL_NEWS_H
#define PVSVPNCTL_NEWS_H

#include <stdbool.h>

#include "connection/connection.h"
#include "connection/runtime.h"
#include "connection/vici.h"

/**
 * struct news - news of a connection
 * @concerned: an SA was added, removed or rekeyed, or an attempt has failed
 * @reason: why that attempt failed; REASON_NONE if unknown
 */
struct news {
	bool concerned;
	enum reason reason;
};

/**
 * news_listen() - subscribe to the daemon's events about SAs
 *
 * Return: a connection to the daemon for news_read(), or NULL, without an error line.
 */
struct vici *news_listen(void);

/**
 * news_listen_alerts() - turn alerts about failed attempts on or off
 * @vici: from news_listen()
 * @on: turn them on
 *
 * Anybody can make attempts fail, and every listener receives every alert. strongSwan has alerts
 * since 6.0.3. An older one logs an error each time that it is asked for them.
 *
 * Return: whether the daemon has alerts.
 */
bool news_listen_alerts(struct vici *vici, bool on);

/**
 * news_read() - read the events that have arrived
 * @vici: from news_listen(); it may be broken afterwards, see vici_broken()
 * @c: the connection
 * @news: receives the news of @c
 *
 * Return: false on a flood of events; the caller must then close @vici.
 */
bool news_read(struct vici *vici, const struct connection *c, struct news *news);

/**
 * news_take() - evaluate one event
 * @event: its name
 * @message: its content
 * @c: the connection
 * @news: receives the news of @c
 *
 * Until the peer has sent its identity, the daemon has no name for the attempt. Such an attempt
 * belongs to the connection if it comes from the connection's peer.
 */
void news_take(const char *event, struct vici_reader *message, const struct connection *c,
	       struct news *news);

#endif /* PVSVPNCTL_NEWS_H */
