// SPDX-License-Identifier: GPL-2.0
/* up and down: a connection by its file. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "connection/connection.h"
#include "connection/link.h"
#include "connection/run.h"
#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "error.h"
#include "print.h"
#include "setting.h"

/* How long the peer has, unless the command says otherwise: seconds */
#define UP_TIMEOUT 30

/* Words of one command at most */
#define WORDS 24

/* What "up" writes on its interface, so that "down" removes no other */
static void alias_text(char *text, size_t size, const char *name)
{
	snprintf(text, size, "pvsvpn connection %s", name);
}

/* An "up" that was killed may not have come to write it. */
static bool is_ours(const char *ifname, const char *name)
{
	struct runtime runtime;
	struct link link;
	char alias[96];

	alias_text(alias, sizeof(alias), name);
	if (!link_find(ifname, &link) || strcmp(link.kind, "pvsvpn"))
		return false;
	return !strcmp(link.alias, alias) ||
	       (!*link.alias && runtime_load(name, &runtime) &&
		!strcmp(runtime.ifname, ifname));
}

/* ---- one step each, shown before it is done ---- */

static void show_step(char **argv)
{
	putchar('#');
	for (; *argv; argv++)
		printf(strchr(*argv, ' ') ? " '%s'" : " %s", *argv);
	putchar('\n');
}

/* @words are separated by single spaces; they are cut. */
static int split(char *words, char **argv)
{
	int argc = 0;

	while (argc < WORDS - 1 && (argv[argc] = strsep(&words, " ")))
		argc++;
	argv[argc] = NULL;
	return argc;
}

/* ip ... */
__attribute__((format(printf, 1, 2)))
static int ip(const char *fmt, ...)
{
	char words[512], *argv[WORDS], *output;
	va_list args;
	int ret = CTL_OK;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	split(words, argv);
	show_step(argv);
	if (run((const char * const *)argv, &output, NULL, NULL)) {
		char *why = run_last_line(output);

		ret = ctl_error(CTL_FAILED, "up", argv[1], "see the command above it",
				"%s", *why ? why : "ip(8) of iproute2 has failed");
	}
	free(output);
	return ret;
}

/* A command of this tool */
__attribute__((format(printf, 2, 3)))
static int ctl(const struct command *command, const char *fmt, ...)
{
	char *words, *argv[WORDS];
	static const struct options options;
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&words, fmt, args);
	va_end(args);
	if (ret < 0)
		return CTL_FAILED;
	printf("# pvsvpnctl %s %s\n", command->name, words);
	ret = command->run(&options, split(words, argv), argv);
	free(words);
	return ret;
}

/* ---- the interface ---- */

static int add_link(const struct connection *c)
{
	char alias[96];
	/* An alias has spaces. */
	char *argv[] = { "ip", "link", "set", "dev", (char *)c->ifname, "alias", alias, NULL };
	int ret = ip("ip link add dev %s type pvsvpn", c->ifname);

	if (ret)
		return ret;
	alias_text(alias, sizeof(alias), c->name);
	show_step(argv);
	return run((const char * const *)argv, NULL, NULL, NULL) ?
		ctl_error(CTL_FAILED, "up", c->ifname, "see ip(8)", "no alias to be set") :
		CTL_OK;
}

static int set_link(const struct connection *c)
{
	char mtu[FORMAT_MAX] = "auto", mss[FORMAT_MAX];

	if (c->mtu)
		snprintf(mtu, sizeof(mtu), "%u", c->mtu);
	return ctl(&command_set, "%s if-id %u mtu %s mss-clamp %s", c->ifname,
		   connection_if_id(c), mtu,
		   format_setting(mss, &settings[SETTING_MSS_CLAMP], c->mss));
}

static void print_list(FILE *out, const char *key, const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i ? "," : key, format_subnet(text, &list->subnet[i]));
}

/* The daemon's SAs find it by its address; what passes has to be in its subnets. */
static int add_peer(const struct connection *c)
{
	struct subnet_list reached = connection_reached(c);
	char remote[FORMAT_MAX], local[FORMAT_MAX], *subnets;
	FILE *out;
	size_t size;
	int ret;

	out = open_memstream(&subnets, &size);
	if (!out)
		return CTL_FAILED;
	print_list(out, " subnets ", &c->peer_subnets);
	print_list(out, " local-subnets ", &reached);
	fclose(out);
	ret = ctl(&command_peer_add, "%s %s remote %s%s%s%s", c->ifname, c->name,
		  format_addr(remote, &c->peer_gateway),
		  c->local_gateway.len ? " local " : "",
		  c->local_gateway.len ? format_addr(local, &c->local_gateway) : "",
		  subnets);
	free(reached.subnet);
	free(subnets);
	return ret;
}

static int add_addresses(const struct connection *c)
{
	char text[FORMAT_MAX];
	int ret = CTL_OK;

	for (size_t i = 0; i < c->tunnel_addresses.count && !ret; i++)
		ret = ip("ip address add %s dev %s",
			 format_subnet(text, &c->tunnel_addresses.subnet[i]), c->ifname);
	return ret;
}

static int add_route(const struct connection *c, const struct subnet *subnet)
{
	char text[FORMAT_MAX], source[FORMAT_MAX + 8] = "", metric[24] = "", addr[FORMAT_MAX];

	if (c->route_source.len == subnet->addr.len)
		snprintf(source, sizeof(source), " src %s", format_addr(addr, &c->route_source));
	if (c->route_metric)
		snprintf(metric, sizeof(metric), " metric %u", c->route_metric);
	return ip("ip route add %s dev %s table %u%s%s", format_subnet(text, subnet),
		  c->ifname, c->route_table, metric, source);
}

/* While the device has no carrier, the kernel passes its routes over. */
static int withdraw_routes(const struct connection *c)
{
	static const char * const families[] = { "ipv4", "ipv6" };
	char path[128];

	for (int i = 0; i < 2; i++) {
		FILE *out;

		snprintf(path, sizeof(path),
			 "/proc/sys/net/%s/conf/%s/ignore_routes_with_linkdown",
			 families[i], c->ifname);
		printf("# echo 1 > %s\n", path);
		out = fopen(path, "we");
		/* A host without IPv6 has no such file. */
		if (!out && i)
			continue;
		if (!out || fputs("1", out) < 0 || fclose(out))
			return ctl_error(CTL_FAILED, "up", path, "run it as root",
					 "cannot be written");
	}
	return CTL_OK;
}

static int add_routes(const struct connection *c)
{
	int ret = CTL_OK;

	if (c->withdraw_routes)
		ret = withdraw_routes(c);
	for (size_t i = 0; c->routes && i < c->peer_subnets.count && !ret; i++)
		ret = add_route(c, &c->peer_subnets.subnet[i]);
	return ret;
}

static int make_device(const struct connection *c)
{
	/* The peer before the if_id, or else SAs that are there make one of their own. */
	return add_link(c) ?: add_peer(c) ?: set_link(c) ?: add_addresses(c) ?:
	       /* By one command ip brings it up first: it would have a link-local address. */
	       ip("ip link set dev %s addrgenmode none", c->ifname) ?:
	       ip("ip link set dev %s up", c->ifname) ?: add_routes(c);
}

/* ---- up ---- */

static int check_free(const struct connection *c)
{
	struct link link;

	if (!link_find(c->ifname, &link) || is_ours(c->ifname, c->name))
		return CTL_OK;
	return ctl_error(CTL_FAILED, "up", c->name, "choose another with Interface",
			 "interface %s is there and was not made by up", c->ifname);
}

static void undo(const char *name, const char *ifname)
{
	strongswan_remove(name);
	if (is_ours(ifname, name))
		ip("ip link delete dev %s", ifname);
	runtime_remove(name);
}

/* Nothing of it is left when it fails. */
static int configure(const struct connection *c, const struct secret *secret)
{
	struct runtime runtime;
	int ret;

	/* What a run before this one had begun and not ended */
	if (runtime_load(c->name, &runtime))
		undo(c->name, runtime.ifname);
	runtime.reason = REASON_NONE;
	strcpy(runtime.ifname, c->ifname);
	ret = runtime_save("up", c->name, &runtime);
	if (!ret)
		ret = make_device(c);
	if (!ret)
		ret = strongswan_write("up", c, secret);
	if (!ret)
		ret = strongswan_load("up");
	if (ret) {
		undo(c->name, c->ifname);
		ctl_error_mute(true);
		strongswan_load("up");
		ctl_error_mute(false);
	}
	return ret;
}

static bool is_configured(const struct connection *c)
{
	struct runtime runtime;

	return runtime_load(c->name, &runtime) && !strcmp(runtime.ifname, c->ifname) &&
	       is_ours(c->ifname, c->name) && strongswan_has(c->name);
}

static bool child_is_up(const char *name, struct negotiated *n)
{
	return strongswan_ask(name, n) && !strcmp(n->child_state, "INSTALLED");
}

/* The daemon is at it already: another attempt would be one too many. */
static enum reason wait_for_child(const struct connection *c, unsigned int seconds)
{
	struct negotiated n;

	for (;;) {
		if (child_is_up(c->name, &n))
			return REASON_NONE;
		if (!*n.ike_state || !seconds--)
			return REASON_PEER_NOT_RESPONDING;
		sleep(1);
	}
}

static int reach_peer(const struct connection *c, unsigned int seconds)
{
	struct runtime runtime = { .reason = REASON_NONE };
	struct negotiated n;
	char addr[FORMAT_MAX];

	strcpy(runtime.ifname, c->ifname);
	if (!child_is_up(c->name, &n)) {
		if (!c->initiate) {
			printf("%s waits for its peer\n", c->name);
			return CTL_OK;
		}
		printf("connecting to %s by IKEv%u, for at most %u s\n",
		       format_addr(addr, &c->peer_gateway), c->ike.version, seconds);
		fflush(stdout);
		runtime.reason = *n.ike_state && strcmp(n.ike_state, "ESTABLISHED") ?
			wait_for_child(c, seconds) : strongswan_initiate(c, seconds);
	}
	if (runtime_save("up", c->name, &runtime))
		return CTL_FAILED;
	if (runtime.reason)
		return ctl_error(CTL_FAILED, "up", c->name, reason_todo(runtime.reason),
				 "%s", reason_name(runtime.reason));
	printf("%s is up\n", c->name);
	return CTL_OK;
}

/* Configured, and loaded into the daemon. @again: what was taken down meanwhile stays so. */
static int ready(const struct connection *c, bool again)
{
	struct runtime runtime;
	struct secret secret;
	int ret = secret_load("up", c, &secret);

	if (!ret)
		ret = strongswan_check("up", c);
	if (!ret)
		ret = runtime_lock("up");
	if (!ret && again && !runtime_load(c->name, &runtime))
		ret = ctl_error(CTL_FAILED, "up", c->name, "start it again", "it was taken down");
	if (!ret)
		ret = check_free(c);
	if (!ret && is_configured(c))
		ret = strongswan_same(c, &secret) ? strongswan_load("up") :
			ctl_error(CTL_FAILED, "up", c->name, "first pvsvpnctl down, then up",
				  "its file has changed since it was brought up");
	else if (!ret)
		ret = configure(c, &secret);
	secret_wipe(&secret);
	runtime_unlock();
	return ret;
}

/* ---- keep ---- */

/* What sd_notify(3) does; nothing where no service manager has started us. */
static void tell_manager(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, path);
	/* A name of the abstract kind */
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   offsetof(struct sockaddr_un, sun_path) + strlen(path)) < 0)
		perror("up: NOTIFY_SOCKET");
	close(fd);
}

/* The first attempt has ended, well or not: what waits for the connection need not longer. */
static void tell_state(const struct connection *c, bool is_up)
{
	struct runtime runtime = { .reason = REASON_NONE };
	char text[512];

	if (!is_up)
		runtime_load(c->name, &runtime);
	if (runtime.reason)
		snprintf(text, sizeof(text), "READY=1\nSTATUS=%s: %s; %s", c->name,
			 reason_name(runtime.reason), reason_todo(runtime.reason));
	else
		snprintf(text, sizeof(text), "READY=1\nSTATUS=%s %s", c->name,
			 is_up ? "is up" : "waits for its peer");
	tell_manager(text);
}

/*
 * Whether nobody will, if we do not. strongSwan asks a silent peer for ever, but one that
 * has refused once, never again.
 */
static bool is_forsaken(const struct connection *c, const struct negotiated *n, bool was_up)
{
	/* With Action = clear, what was up and is no longer is to be let be. */
	if (!c->initiate || (was_up && !c->dpd_restart))
		return false;
	return !*n->child_state &&
	       (!*n->ike_state || !strcmp(n->ike_state, "ESTABLISHED"));
}

/* Until "down" */
static void keep(const struct connection *c, unsigned int seconds, unsigned int interval)
{
	struct negotiated n;
	struct runtime runtime;
	bool is_up = child_is_up(c->name, &n), was_up = false;

	while (runtime_load(c->name, &runtime)) {
		tell_state(c, is_up);
		fflush(stdout);
		sleep(interval);
		was_up |= is_up;
		is_up = child_is_up(c->name, &n);
		if (!is_up && is_forsaken(c, &n, was_up))
			is_up = !ready(c, true) && !reach_peer(c, seconds);
	}
}

static int run_up(const struct options *options, int argc, char **argv)
{
	uint32_t seconds = UP_TIMEOUT, interval = 0;
	struct param params[] = {
		{ .key = "timeout", .parse = parse_u32, .value = &seconds },
		{ .key = "keep", .parse = parse_u32, .value = &interval },
	};
	struct connection c;
	int ret;

	(void)options;
	if (!argc)
		return ctl_error(CTL_USAGE, "up", "NAME", "pvsvpnctl status lists them",
				 "name missing");
	ret = parse_params("up", argc - 1, argv + 1, params, 2);
	if (ret)
		return ret;
	ret = connection_load("up", argv[0], &c);
	if (!ret)
		ret = connection_check_others("up", &c);
	if (!ret)
		ret = ready(&c, false);
	if (!ret) {
		ret = reach_peer(&c, seconds);
		if (interval) {
			keep(&c, seconds, interval);
			ret = CTL_OK;
		}
	}
	connection_free(&c);
	return ret;
}

const struct command command_up = {
	.name = "up",
	.args = "NAME [timeout SECONDS] [keep SECONDS]",
	.help = "Brings a connection up as /etc/pvsvpn/NAME.conf says: makes the interface, loads the\n"
		"connection into strongSwan, adds the routes, and waits for the peer. If the peer does\n"
		"not agree it says why, and the connection stays configured. Harmless when it is up.\n\n"
		"  timeout SECONDS  how long to wait for the peer, 30 by default\n"
		"  keep SECONDS     stay until down, and try again so long after an attempt that has failed,\n"
		"                   and when the peer has ended it: for pvsvpn@NAME.service\n",
	.run = run_up,
};

/* ---- down ---- */

/* A daemon that is not there holds nothing that could be taken away. */
static int leave_daemon(const char *name)
{
	int ret;

	strongswan_remove(name);
	if (!strongswan_answers()) {
		printf("strongSwan does not answer, so it is not told\n");
		return CTL_OK;
	}
	/* Without its configuration, what is ended is not begun again. */
	ret = strongswan_load("down");
	strongswan_terminate(name);
	return ret;
}

static int down(const char *name)
{
	struct runtime runtime;
	int ret = runtime_lock("down");

	if (ret)
		return ret;
	if (!runtime_load(name, &runtime)) {
		printf("%s is not up\n", name);
		return CTL_OK;
	}
	ret = leave_daemon(name);
	undo(name, runtime.ifname);
	runtime_unlock();
	if (!ret)
		printf("%s is down\n", name);
	return ret;
}

static int run_down(const struct options *options, int argc, char **argv)
{
	(void)options;
	if (argc != 1)
		return ctl_error(CTL_USAGE, "down", argc ? argv[1] : "NAME",
				 "pvsvpnctl status lists them",
				 argc ? "too many words" : "name missing");
	if (strchr(argv[0], '/') || strlen(argv[0]) > CONNECTION_NAME_MAX)
		return ctl_error(CTL_USAGE, "down", argv[0], "pvsvpnctl status lists them",
				 "no name of a connection");
	return down(argv[0]);
}

const struct command command_down = {
	.name = "down",
	.args = "NAME",
	.help = "Undoes what up has done: ends the SAs, takes the connection out of strongSwan, and\n"
		"removes the interface with its addresses and routes. The file may be gone already.\n",
	.run = run_down,
};
