/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of a device that are a number, or a word for a number. */
#ifndef PVSVPNCTL_SETTING_H
#define PVSVPNCTL_SETTING_H

#include <stdbool.h>
#include <stdint.h>

#include "parse.h"

/* The order of the table, of "set --help" and of the output of show */
enum setting_index {
	SETTING_FWMARK, SETTING_TTL, SETTING_DSCP, SETTING_ECN,
	SETTING_PRIORITY, SETTING_PMTUDISC, SETTING_FRAGMENT,
	SETTING_MSS_CLAMP, SETTING_INNER_MARK, SETTING_IF_ID_IN, SETTING_IF_ID_OUT, SETTINGS
};

struct setting_word {
	const char *text;
	uint32_t value;
};

struct setting {
	const char *name;	/* with dashes; JSON has underscores */
	int attr;		/* PVSVPN_A_DEVICE_* */
	uint32_t usual;		/* value of a new device */
	bool hex;
	bool number;		/* parse_setting() takes numbers, too */
	parse_fn *parse;	/* NULL: parse_setting() */
	const char *expected;
	struct setting_word words[3];
};

extern const struct setting settings[SETTINGS];

/* Reads a word of the setting, or a number that is not another way to write a word. */
const char *parse_setting(const struct setting *setting, const char *text, uint32_t *value);
/* Formats @value as "set" takes it; @text has FORMAT_MAX bytes. */
const char *format_setting(char *text, const struct setting *setting, uint32_t value);
/* Return: the word that @value stands for, NULL if it is a number. */
const struct setting_word *setting_word(const struct setting *setting, uint32_t value);

#endif /* PVSVPNCTL_SETTING_H */
