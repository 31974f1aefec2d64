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

#include "connection/runtime.h"
#include "error.h"

#define RUN_DIR "/run/pvsvpn"
#define STATE ".state"

static int lock_fd = -1;

static const struct {
	const char *name;
	const char *todo;
} reasons[REASONS] = {
	[REASON_NONE] = { "", "" },
	[REASON_PEER_NOT_RESPONDING] = {
		"peer_not_responding",
		"check PeerGateway, its route, and that UDP 500 and 4500 pass"
	},
	[REASON_IKE_POLICY_MISMATCH] = {
		"ike_policy_mismatch",
		"the peer takes another version, encryption, authentication or DH group: compare the IKE policies"
	},
	[REASON_IPSEC_POLICY_MISMATCH] = {
		"ipsec_policy_mismatch",
		"the peer takes another encryption, authentication or PFS: compare the IPsec policies"
	},
	[REASON_CANNOT_AUTHENTICATE] = {
		"cannot_authenticate_connection",
		"compare the secret, LocalIdentity and PeerIdentity with the peer's"
	},
	[REASON_IKE_V1_CIDR_MISMATCH] = {
		"ike_v1_id_local_remote_cidr_mismatch",
		"compare LocalSubnets and PeerSubnets with the peer's, which has them the other way round"
	},
	[REASON_IKE_V2_CIDR_MISMATCH] = {
		"ike_v2_local_remote_cidr_mismatch",
		"compare LocalSubnets and PeerSubnets with the peer's, which has them the other way round"
	},
	[REASON_INTERNAL_ERROR] = {
		"internal_error",
		"see the log of strongSwan (journalctl -u strongswan)"
	},
};

const char *reason_name(enum reason reason)
{
	return reasons[reason].name;
}

const char *reason_todo(enum reason reason)
{
	return reasons[reason].todo;
}

const char *runtime_dir(void)
{
	const char *dir = getenv("PVSVPN_RUN_DIR");

	return dir && *dir ? dir : RUN_DIR;
}

static const char *state_path(char *path, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s" STATE, runtime_dir(), name);
	return path;
}

static int failed(const char *what, const char *path)
{
	return ctl_error(CTL_FAILED, what, path, "run it as root", "%s",
			 strerror(errno));
}

int runtime_lock(const char *what)
{
	char path[PATH_MAX];

	if (mkdir(runtime_dir(), 0700) && errno != EEXIST)
		return failed(what, runtime_dir());
	snprintf(path, sizeof(path), "%s/swanctl", runtime_dir());
	if (mkdir(path, 0700) && errno != EEXIST)
		return failed(what, path);
	snprintf(path, sizeof(path), "%s/lock", runtime_dir());
	lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock_fd < 0 || flock(lock_fd, LOCK_EX))
		return failed(what, path);
	return CTL_OK;
}

void runtime_unlock(void)
{
	if (lock_fd >= 0)
		close(lock_fd);
	lock_fd = -1;
}

int runtime_write(const char *what, const char *file, const char *text)
{
	char new[PATH_MAX], path[PATH_MAX];
	bool written;
	FILE *out;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", runtime_dir(), file);
	/* Not all who write hold the lock. */
	snprintf(new, sizeof(new), "%s/.new-%d", runtime_dir(), getpid());
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return failed(what, new);
	written = fputs(text, out) >= 0;
	written = !fclose(out) && written;
	if (!written || rename(new, path))
		return failed(what, path);
	return CTL_OK;
}

bool runtime_load(const char *name, struct runtime *runtime)
{
	char path[PATH_MAX], reason[64] = "";
	FILE *in = fopen(state_path(path, name), "re");
	bool good;

	memset(runtime, 0, sizeof(*runtime));
	if (!in)
		return false;
	good = fscanf(in, "interface %15s\nreason %63s", runtime->ifname, reason) >= 1;
	fclose(in);
	for (int i = 1; i < REASONS; i++)
		if (!strcmp(reason, reasons[i].name))
			runtime->reason = i;
	return good;
}

int runtime_save(const char *what, const char *name, const struct runtime *runtime)
{
	char file[CONNECTION_NAME_MAX + sizeof(STATE)], text[128];

	snprintf(file, sizeof(file), "%s" STATE, name);
	snprintf(text, sizeof(text), "interface %s\nreason %s\n", runtime->ifname,
		 reason_name(runtime->reason));
	return runtime_write(what, file, text);
}

void runtime_remove(const char *name)
{
	char path[PATH_MAX];

	unlink(state_path(path, name));
}

size_t runtime_names(char ***names)
{
	return names_with_suffix(runtime_dir(), STATE, names);
}
