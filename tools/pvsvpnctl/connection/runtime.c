// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "connection/rtnl.h"
#include "connection/runtime.h"
#include "error.h"

#define RUN_DIR "/run/pvsvpn"
#define STATE ".state"
#define LOADED ".loaded"
#define LOCK ".lock"
#define ATTEMPT ".attempt"
#define KEY ".key"

/* A change is quick, unless its process was stopped or its output blocks. */
#define LOCK_SECONDS 30
#define LOCK_PAUSE_MS 100

/* The lock that this process holds, and its connection */
static int lock_fd = -1;
static char lock_name[CONNECTION_NAME_MAX + 1];

const struct reason_text reasons[REASONS] = {
	[REASON_NONE] = { "", "", "" },
	[REASON_PEER_NOT_RESPONDING] = {
		"peer_not_responding", "the peer does not answer",
		"check PeerGateway, its route, and that UDP 500 and 4500 pass"
	},
	[REASON_IKE_POLICY_MISMATCH] = {
		"ike_policy_mismatch",
		"the peer takes another version, encryption, authentication or DH group",
		"compare the IKE policies"
	},
	[REASON_IPSEC_POLICY_MISMATCH] = {
		"ipsec_policy_mismatch",
		"the peer takes another encryption, authentication or PFS",
		"compare the IPsec policies"
	},
	[REASON_CANNOT_AUTHENTICATE] = {
		"cannot_authenticate_connection",
		"the secret, a certificate or an identity is not what the other end has",
		"compare the secret or the certificates, LocalIdentity and PeerIdentity with the peer's"
	},
	[REASON_IKE_V1_CIDR_MISMATCH] = {
		"ike_v1_id_local_remote_cidr_mismatch", "the peer has other subnets",
		"compare LocalSubnets and PeerSubnets with the peer's, which has them the other way round"
	},
	[REASON_IKE_V2_CIDR_MISMATCH] = {
		"ike_v2_local_remote_cidr_mismatch", "the peer has other subnets",
		"compare LocalSubnets and PeerSubnets with the peer's, which has them the other way round"
	},
	[REASON_NAME_NOT_RESOLVED] = {
		"name_not_resolved", "the name in PeerGateway has no address",
		"check the name, and resolv.conf(5) of this host"
	},
	[REASON_IKE_VERSION] = {
		"ike_version_not_supported", "strongSwan here, or the peer, has no such IKE version",
		"set Version in [IKEPolicy] to the other one at both ends"
	},
	[REASON_UDP_4500] = {
		"udp_4500_not_answered", "the peer answers on UDP 500 and not on UDP 4500",
		"have UDP 4500 pass both ways; with IKEv1, compare the secret, too"
	},
	[REASON_LOCAL_ADDRESS] = {
		"local_address_missing", "no interface of this host has the address LocalGateway",
		"see ip address; behind a NAT, LocalGateway is this host's own address"
	},
	[REASON_NO_ROUTE] = {
		"no_route", "this host has no route to PeerGateway",
		"see ip route get and the address of PeerGateway"
	},
	[REASON_INTERNAL_ERROR] = {
		"internal_error", "strongSwan says no more",
		"see its log (journalctl -u strongswan)"
	},
};

static const char *runtime_dir(void)
{
	const char *dir = getenv("PVSVPN_RUN_DIR");

	return dir && *dir ? dir : RUN_DIR;
}

static const char *file_path(char *path, const char *name, const char *suffix)
{
	snprintf(path, PATH_MAX, "%s/%s%s", runtime_dir(), name, suffix);
	return path;
}

static void remove_file(const char *name, const char *suffix)
{
	char path[PATH_MAX];

	unlink(file_path(path, name, suffix));
}

static bool has_file(const char *name, const char *suffix)
{
	char path[PATH_MAX];

	return !access(file_path(path, name, suffix), F_OK);
}

static int failed(const char *what, const char *path)
{
	bool denied = errno == EACCES || errno == EPERM;

	return ctl_error(denied ? CTL_DENIED : CTL_FAILED, what, path,
			 denied ? "run it as root" : "check the path and its file system",
			 "%s", strerror(errno));
}

/* Rejects a directory that others can write to: they could plant files there. */
static int check_dir(const char *what, const char *dir, const struct stat *st)
{
	if (!S_ISDIR(st->st_mode))
		return ctl_error(CTL_FAILED, what, dir, "remove it", "no directory");
	if (st->st_uid != geteuid() && geteuid())
		return ctl_error(CTL_DENIED, what, dir, "run it as root",
				 "it belongs to user %u", st->st_uid);
	if (st->st_uid != geteuid() || st->st_mode & (S_IWGRP | S_IWOTH))
		return ctl_error(CTL_FAILED, what, dir, "chown it to root, and chmod 700",
				 "others may write to it");
	return CTL_OK;
}

static int make_dir(const char *what)
{
	const char *dir = runtime_dir();
	struct stat st;

	if ((mkdir(dir, 0700) && errno != EEXIST) || lstat(dir, &st))
		return failed(what, dir);
	return check_dir(what, dir, &st);
}

int runtime_may_read(const char *what)
{
	const char *dir = runtime_dir();
	struct stat st;

	if (lstat(dir, &st))
		return errno == ENOENT ? CTL_OK : failed(what, dir);
	return check_dir(what, dir, &st);
}

/* ---- locks ---- */

static bool is_file_of(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/*
 * The holder of the lock removes the file with the connection. A process that waited for it then
 * holds the lock of a removed file, and tries again.
 */
static int lock_file(const char *path)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), error;

		if (fd < 0)
			return -1;
		error = flock(fd, LOCK_EX | LOCK_NB) ? errno : 0;
		if (!error && is_file_of(fd, path))
			return fd;
		close(fd);
		if (error && error != EINTR) {
			errno = error;
			return -1;
		}
	}
}

static int lock_until(const char *path, uint64_t deadline)
{
	int fd;

	while ((fd = lock_file(path)) < 0 && errno == EWOULDBLOCK && now_ms() < deadline)
		sleep_ms(LOCK_PAUSE_MS);
	return fd;
}

/* @name: the connection whose lock it is; NULL: the lock of the keys */
static int lock_or_say(const char *what, const char *name, const char *path, int *fd)
{
	*fd = lock_until(path, now_ms() + LOCK_SECONDS * 1000);
	if (*fd < 0 && errno == EWOULDBLOCK)
		return ctl_error(CTL_BUSY, what, name ?: path, "see what became of it (fuser -v)",
				 "another pvsvpnctl has had %s for %u s", name ? path : "it",
				 LOCK_SECONDS);
	return *fd < 0 ? failed(what, path) : CTL_OK;
}

int runtime_lock(const char *what, const char *name)
{
	char path[PATH_MAX];
	int ret = make_dir(what) ?:
		  lock_or_say(what, name, file_path(path, name, LOCK), &lock_fd);

	if (!ret)
		snprintf(lock_name, sizeof(lock_name), "%s", name);
	return ret;
}

void runtime_unlock(void)
{
	struct runtime runtime;

	if (lock_fd < 0)
		return;
	if (!runtime_load(lock_name, &runtime)) {
		remove_file(lock_name, ATTEMPT);
		remove_file(lock_name, LOCK);
	}
	close(lock_fd);
	lock_fd = -1;
}

int runtime_attempt(const char *name, uint64_t deadline)
{
	char path[PATH_MAX];
	int fd = lock_until(file_path(path, name, ATTEMPT), deadline);

	/* Continues without a lock: at worst, there are two attempts at once. */
	if (fd < 0 && errno != EWOULDBLOCK)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd;
}

int runtime_keys_lock(const char *what, int *fd)
{
	char path[PATH_MAX];

	return make_dir(what) ?: lock_or_say(what, NULL, file_path(path, "keys", ""), fd);
}

/* ---- files ---- */

/* Writes the file atomically, for root only. */
static int write_file(const char *what, const char *name, const char *suffix, const char *text)
{
	char new[PATH_MAX], path[PATH_MAX];
	bool written;
	FILE *out;
	int fd;

	file_path(path, name, suffix);
	snprintf(new, sizeof(new), "%s/.new-%d", runtime_dir(), getpid());
	/* A killed process with the same PID may have left a file. */
	unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return failed(what, new);
	written = fputs(text, out) >= 0;
	written = !fclose(out) && written;
	if (!written || rename(new, path)) {
		int ret = failed(what, path);

		unlink(new);
		return ret;
	}
	return CTL_OK;
}

/* A file of somebody else is none of ours. It is not waited for: it may be a FIFO. */
static FILE *open_file(const char *name, const char *suffix)
{
	char path[PATH_MAX];
	int fd = open(file_path(path, name, suffix),
		      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return fdopen(fd, "r");
	close(fd);
	return NULL;
}

static void read_line(const char *line, struct runtime *runtime)
{
	char value[64], netns[NETNS_NAME_MAX];

	if (sscanf(line, "interface %15s", value) == 1)
		strcpy(runtime->ifname, value);
	if (sscanf(line, "netns %127[^\n]", netns) == 1)
		strcpy(runtime->netns, netns);
	if (sscanf(line, "encap %63s", value) == 1)
		runtime->encap_udp = !strcmp(value, "udp");
	if (sscanf(line, "key %40s", value) == 1)
		strcpy(runtime->key, value);
	if (sscanf(line, "reason %63s", value) != 1)
		return;
	for (int i = 1; i < REASONS; i++)
		if (!strcmp(value, reasons[i].name))
			runtime->reason = i;
}

void runtime_alias(char *alias, const char *name)
{
	snprintf(alias, ALIAS_MAX, "pvsvpn connection %s", name);
}

bool runtime_find_link(const char *name, char *ifname)
{
	char alias[ALIAS_MAX];

	runtime_alias(alias, name);
	return link_find_alias(alias, ifname);
}

bool runtime_load(const char *name, struct runtime *runtime)
{
	char line[NETNS_NAME_MAX + 16];
	FILE *in = open_file(name, STATE);

	memset(runtime, 0, sizeof(*runtime));
	while (in && fgets(line, sizeof(line), in))
		read_line(line, runtime);
	if (in)
		fclose(in);
	runtime->lost = !*runtime->ifname;
	return !runtime->lost || runtime_find_link(name, runtime->ifname);
}

int runtime_enter(const char *what, const char *name)
{
	struct runtime runtime;

	if (!runtime_load(name, &runtime) || !*runtime.netns)
		return CTL_OK;
	if (!*netns_name())
		return netns_enter(runtime.netns);
	if (!strcmp(netns_name(), runtime.netns))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, name, "leave -n out",
			 "it is up in network namespace %s", runtime.netns);
}

int runtime_save(const char *what, const char *name, const struct runtime *runtime)
{
	char text[256 + NETNS_NAME_MAX];

	snprintf(text, sizeof(text), "interface %s\nnetns %s\nencap %s\nkey %s\nreason %s\n",
		 runtime->ifname, runtime->netns, runtime->encap_udp ? "udp" : "auto",
		 runtime->key, reasons[runtime->reason].name);
	return write_file(what, name, STATE, text);
}

void runtime_remove(const char *name)
{
	remove_file(name, STATE);
	remove_file(name, LOADED);
}

size_t runtime_names(char ***names)
{
	return names_with_suffix(runtime_dir(), STATE, names);
}

int runtime_key_note(const char *what, const char *key)
{
	return write_file(what, key, KEY, "");
}

bool runtime_key_is_ours(const char *key)
{
	return has_file(key, KEY);
}

void runtime_key_forget(const char *key)
{
	remove_file(key, KEY);
}

size_t runtime_keys(char ***keys)
{
	return names_with_suffix(runtime_dir(), KEY, keys);
}

int runtime_save_loaded(const char *what, const char *name, const char *text)
{
	return write_file(what, name, LOADED, text);
}

bool runtime_has_loaded(const char *name)
{
	return has_file(name, LOADED);
}

bool runtime_loaded_is(const char *name, const char *text)
{
	FILE *in = open_file(name, LOADED);
	char *old = NULL;
	size_t size = 0;
	bool same = in && getdelim(&old, &size, '\0', in) > 0 && !strcmp(old, text);

	if (in)
		fclose(in);
	free(old);
	return same;
}
