// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <unistd.h>

#include "connection/connection.h"
#include "connection/keys.h"
#include "connection/strongswan.h"
#include "error.h"

static bool is_held(const char *key)
{
	struct runtime runtime;
	char **names;
	size_t count = runtime_names(&names);
	bool held = false;

	for (size_t i = 0; i < count && !held; i++)
		held = runtime_load(names[i], &runtime) && !strcmp(runtime.key, key);
	connection_names_free(names, count);
	return held;
}

/* Notes a key as ours before it is loaded. The caller must hold the lock of all keys. */
static int note(struct vici *daemon, const char *key)
{
	bool there;
	int ret;

	if (runtime_key_is_ours(key))
		return CTL_OK;
	ret = strongswan_has_key(daemon, key, &there);
	return ret || there ? ret : runtime_key_note("up", key);
}

int keys_hold(struct vici *daemon, const char *name, const struct runtime *runtime)
{
	int fd, ret;

	if (!*runtime->key)
		return runtime_save("up", name, runtime);
	ret = runtime_keys_lock("up", &fd);
	if (ret)
		return ret;
	ret = note(daemon, runtime->key) ?: runtime_save("up", name, runtime);
	close(fd);
	return ret;
}

void keys_sweep(struct vici *daemon)
{
	char **keys;
	size_t count;
	int fd;

	if (!daemon || vici_broken(daemon) || runtime_keys_lock("down", &fd))
		return;
	count = runtime_keys(&keys);
	for (size_t i = 0; i < count; i++)
		if (!is_held(keys[i]) && !strongswan_remove_key(daemon, keys[i]))
			runtime_key_forget(keys[i]);
	connection_names_free(keys, count);
	close(fd);
}
