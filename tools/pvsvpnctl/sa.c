// SPDX-License-Identifier: GPL-2.0
/* sa add, del: the security associations of a peer. */
#include <stdio.h>

#include "command.h"
#include "error.h"
#include "key.h"
#include "nl.h"

static const char * const names[] = {
	[PVSVPN_A_SA_IFNAME] = "device",
	[PVSVPN_A_SA_PEER] = "peer",
	[PVSVPN_A_SA_DIR] = "dir",
	[PVSVPN_A_SA_SPI] = "spi",
	[PVSVPN_A_SA_TRANSFORM] = "transform",
	[PVSVPN_A_SA_LEGACY] = "legacy",
	[PVSVPN_A_SA_KEY] = "key",
	[PVSVPN_A_SA_REPLAY_WINDOW] = "replay-window",
	[PVSVPN_A_SA_ESN] = "esn",
	[PVSVPN_A_SA_SEQ] = "seq",
	[PVSVPN_A_SA_SOFT_PACKETS] = "soft-packets",
	[PVSVPN_A_SA_HARD_PACKETS] = "hard-packets",
	[PVSVPN_A_SA_SOFT_BYTES] = "soft-bytes",
	[PVSVPN_A_SA_HARD_BYTES] = "hard-bytes",
	[PVSVPN_A_SA_SOFT_SECONDS] = "soft-seconds",
	[PVSVPN_A_SA_HARD_SECONDS] = "hard-seconds",
	[PVSVPN_A_SA_SOFT_USE_SECONDS] = "soft-use-seconds",
	[PVSVPN_A_SA_HARD_USE_SECONDS] = "hard-use-seconds",
};

/* Lifetimes are named after their attributes. */
static const uint16_t limits[] = {
	PVSVPN_A_SA_SOFT_PACKETS, PVSVPN_A_SA_HARD_PACKETS,
	PVSVPN_A_SA_SOFT_BYTES, PVSVPN_A_SA_HARD_BYTES,
	PVSVPN_A_SA_SOFT_SECONDS, PVSVPN_A_SA_HARD_SECONDS,
	PVSVPN_A_SA_SOFT_USE_SECONDS, PVSVPN_A_SA_HARD_USE_SECONDS,
};

#define LIMITS (sizeof(limits) / sizeof(limits[0]))

/* The first two name an SA; the first four are needed to add one. */
enum {
	DIR, SPI, TRANSFORM, KEY_FILE, LEGACY, REPLAY_WINDOW, ESN, SEQ, LIMIT,
	PARAMS = LIMIT + LIMITS
};

struct sa_config {
	uint8_t dir;
	uint32_t spi;
	const struct transform *transform;
	const char *key_file;
	bool legacy;
	uint32_t replay_window;
	bool esn;
	uint64_t seq;
	uint64_t limit[LIMITS];
	struct param params[PARAMS];
};

static void init_config(struct sa_config *config)
{
	*config = (struct sa_config) {
		.params = {
			[DIR] = { "dir", parse_dir, &config->dir },
			[SPI] = { "spi", parse_u32, &config->spi },
			[TRANSFORM] = { "transform", parse_transform,
					&config->transform },
			[KEY_FILE] = { "key-file", parse_text,
				       &config->key_file },
			[LEGACY] = { "legacy", parse_word, &config->legacy },
			[REPLAY_WINDOW] = { "replay-window", parse_u32,
					    &config->replay_window },
			[ESN] = { "esn", parse_word, &config->esn },
			[SEQ] = { "seq", parse_u64, &config->seq },
		},
	};
	for (size_t i = 0; i < LIMITS; i++)
		config->params[LIMIT + i] = (struct param) {
			.key = names[limits[i]],
			.parse = parse_u64,
			.value = &config->limit[i],
		};
}

/* The first @known parameters are allowed, the first @needed are required. */
static int parse_config(const char *what, int argc, char **argv,
			struct sa_config *config, int known, int needed)
{
	int ret;

	init_config(config);
	ret = parse_names(what, argc, argv, 2);
	if (!ret)
		ret = parse_params(what, argc - 2, argv + 2, config->params,
				   known);
	for (int i = 0; !ret && i < needed; i++)
		if (!config->params[i].seen)
			ret = ctl_error(CTL_USAGE, what, argv[1],
					"--help shows all that is needed",
					"%s is missing", config->params[i].key);
	return ret;
}

static void put_new(struct nl *nl, const struct sa_config *config,
		    const struct key *key)
{
	struct nlattr *nest = nl_nest(nl, PVSVPN_A_SA_TRANSFORM);

	nl_put_u16(nl, PVSVPN_A_TRANSFORM_ENCRYPTION,
		   config->transform->encryption);
	nl_put_u16(nl, PVSVPN_A_TRANSFORM_KEY_LENGTH,
		   config->transform->attr_bits);
	nl_put_u16(nl, PVSVPN_A_TRANSFORM_INTEGRITY,
		   config->transform->integrity);
	nl_nest_end(nl, nest);
	if (config->legacy)
		nl_put(nl, PVSVPN_A_SA_LEGACY, 0, NULL);
	nl_lock(nl);
	nl_put(nl, PVSVPN_A_SA_KEY, key->len, key->byte);
	if (config->params[REPLAY_WINDOW].seen)
		nl_put_u32(nl, PVSVPN_A_SA_REPLAY_WINDOW,
			   config->replay_window);
	nl_put_u8(nl, PVSVPN_A_SA_ESN, config->esn);
	if (config->params[SEQ].seen)
		nl_put_u64(nl, PVSVPN_A_SA_SEQ, config->seq);
	for (size_t i = 0; i < LIMITS; i++)
		if (config->params[LIMIT + i].seen)
			nl_put_u64(nl, limits[i], config->limit[i]);
}

/* argv[0] is the device, argv[1] the peer; @key is NULL to delete. */
static int call(const char *what, uint8_t cmd, char **argv,
		const struct sa_config *config, const struct key *key)
{
	struct nl *nl = nl_open(what);
	char where[128];
	int ret;

	if (!nl)
		return CTL_FAILED;
	nl_msg(nl, cmd, NLM_F_ACK);
	nl_put_text(nl, PVSVPN_A_SA_IFNAME, argv[0]);
	nl_put_text(nl, PVSVPN_A_SA_PEER, argv[1]);
	nl_put_u8(nl, PVSVPN_A_SA_DIR, config->dir);
	nl_put_u32(nl, PVSVPN_A_SA_SPI, config->spi);
	if (key)
		put_new(nl, config, key);
	ret = nl_call(nl, NULL, NULL);
	snprintf(where, sizeof(where), "%s %s spi 0x%08x", argv[0], argv[1],
		 config->spi);
	if (ret)
		ret = nl_failed(nl, ret, where, names,
				sizeof(names) / sizeof(names[0]));
	nl_close(nl);
	return ret;
}

static int run_add(const struct options *options, int argc, char **argv)
{
	struct sa_config config;
	struct key key;
	int ret;

	(void)options;
	ret = parse_config("sa add", argc, argv, &config, PARAMS,
			   KEY_FILE + 1);
	if (!ret)
		ret = key_read("sa add", config.key_file, config.transform,
			       &key);
	if (ret)
		return ret;
	ret = call("sa add", PVSVPN_CMD_SA_NEW, argv, &config, &key);
	key_wipe(&key);
	return ret;
}

static int run_del(const struct options *options, int argc, char **argv)
{
	struct sa_config config;
	int ret;

	(void)options;
	ret = parse_config("sa del", argc, argv, &config, SPI + 1, SPI + 1);
	if (!ret)
		ret = call("sa del", PVSVPN_CMD_SA_DEL, argv, &config, NULL);
	return ret;
}

const struct command command_sa_add = {
	.name = "sa add",
	.args = "DEV PEER dir in|out spi 0xNNNNNNNN transform NAME key-file FILE|- [legacy] [replay-window N] [esn] [seq N] [soft-packets N] [hard-packets N] [soft-bytes N] [hard-bytes N] [soft-seconds N] [hard-seconds N] [soft-use-seconds N] [hard-use-seconds N]",
	.help = "Adds an SA to a peer. A new outbound SA becomes the current one.\n\n"
		"  dir in|out       what arrives from the peer, or what leaves for it\n"
		"  spi N            Security Parameters Index, 0x100 or higher\n"
		"  transform NAME   cipher suite, see below\n"
		"  key-file FILE|-  hex digits: the key, then its salt or the integrity key;\n"
		"                   - reads standard input.\n"
		"                   A file must not be open to group or others (chmod 600)\n"
		"  legacy           allows SHA-1 and 3DES, for a peer that has nothing better\n"
		"  replay-window N  anti-replay window in packets, 32 to 4096 (dir in)\n"
		"  esn              sequence numbers of 64 bits, where the peer has them too\n"
		"  seq N            takes an SA over: last number sent, or highest accepted\n"
		"  hard-packets N, hard-bytes N, hard-seconds N, hard-use-seconds N\n"
		"                   when the SA ends: by packets, bytes of inner packets, seconds\n"
		"                   since it was added or since its first packet\n"
		"  soft-packets N, ...\n"
		"                   when an event says that it soon will\n",
	.more_help = list_transforms,
	.run = run_add,
};

const struct command command_sa_del = {
	.name = "sa del",
	.args = "DEV PEER spi 0xNNNNNNNN dir in|out",
	.help = "Removes an SA. Was it the current outbound one, the newest that remains takes over.\n",
	.run = run_del,
};
