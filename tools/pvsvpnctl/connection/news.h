/* SPDX-License-Identifier: GPL-2.0 */
/* What strongSwan's daemon tells by itself, so that nobody has to wait for the next look at it. */
#ifndef PVSVPNCTL_NEWS_H
#define PVSVPNCTL_NEWS_H

#include <stdbool.h>

#include "connection/connection.h"
#include "connection/runtime.h"
#include "connection/vici.h"

/**
 * struct news - what was told of a connection
 * @concerned: an SA has come, gone or been renewed, or an attempt has failed
 * @reason: why that attempt failed; REASON_NONE if it is not told
 */
struct news {
	bool concerned;
	enum reason reason;
};

/**
 * news_listen() - have the daemon tell of its SAs
 *
 * Return: a connection to the daemon for news_read(), or NULL. Why not, is not said.
 */
struct vici *news_listen(void);

/**
 * news_listen_alerts() - have it tell of attempts that fail, too, or no more
 * @vici: of news_listen()
 * @on: whether to tell
 *
 * Anybody can make attempts fail, and each is told to each who listens. strongSwan knows that since
 * 6.0.3. An older one writes into its log that it does not, each time that it is asked.
 *
 * Return: whether it knows.
 */
bool news_listen_alerts(struct vici *vici, bool on);

/**
 * news_read() - read what has been told
 * @vici: of news_listen(); it may be broken then, see vici_broken()
 * @c: the connection
 * @news: what is told of @c is added
 *
 * Return: false where it is more than anybody needs to know; then @vici is to be closed.
 */
bool news_read(struct vici *vici, const struct connection *c, struct news *news);

/**
 * news_take() - one event
 * @event: its name
 * @message: its content
 * @c: the connection
 * @news: what it tells of @c is added
 *
 * While the peer has not said who it is, the daemon has no name for the attempt. Then it is the
 * connection's if it comes from the connection's peer.
 */
void news_take(const char *event, struct vici_reader *message, const struct connection *c,
	       struct news *news);

#endif /* PVSVPNCTL_NEWS_H */
