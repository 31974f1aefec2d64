// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/pvsvpn.h>

#include "print.h"
#include "setting.h"

#define ON_OFF "on or off", { { "on", 1 }, { "off", 0 } }

const struct setting settings[SETTINGS] = {
	[SETTING_FWMARK] = {
		"fwmark", PVSVPN_A_DEVICE_FWMARK, 0, true, true, parse_u32, NULL, {}
	},
	[SETTING_TTL] = {
		"ttl", PVSVPN_A_DEVICE_TTL, PVSVPN_TTL_AUTO, false, true, NULL,
		"1 to 255, auto or inherit",
		{ { "auto", PVSVPN_TTL_AUTO }, { "inherit", PVSVPN_TTL_INHERIT } }
	},
	[SETTING_DSCP] = {
		"dscp", PVSVPN_A_DEVICE_DSCP, PVSVPN_DSCP_INHERIT, false, true, NULL,
		"0 to 63, or inherit", { { "inherit", PVSVPN_DSCP_INHERIT } }
	},
	[SETTING_ECN] = {
		"ecn", PVSVPN_A_DEVICE_ECN, 1, false, false, NULL, ON_OFF
	},
	[SETTING_PRIORITY] = {
		"priority", PVSVPN_A_DEVICE_PRIORITY, PVSVPN_PRIORITY_INHERIT, true, true, NULL,
		"a number, or inherit", { { "inherit", PVSVPN_PRIORITY_INHERIT } }
	},
	[SETTING_PMTUDISC] = {
		"pmtudisc", PVSVPN_A_DEVICE_PMTUDISC, 1, false, false, NULL, ON_OFF
	},
	[SETTING_FRAGMENT] = {
		"fragment", PVSVPN_A_DEVICE_FRAGMENT, PVSVPN_FRAGMENT_INNER, false, false, NULL,
		"inner (before encryption) or outer (after it)",
		{ { "inner", PVSVPN_FRAGMENT_INNER }, { "outer", PVSVPN_FRAGMENT_OUTER } }
	},
	[SETTING_MSS_CLAMP] = {
		"mss-clamp", PVSVPN_A_DEVICE_MSS_CLAMP, PVSVPN_MSS_CLAMP_AUTO, false, true,
		NULL, "a number of bytes, auto or off",
		{ { "auto", PVSVPN_MSS_CLAMP_AUTO }, { "off", PVSVPN_MSS_CLAMP_OFF } }
	},
	[SETTING_INNER_MARK] = {
		"inner-mark", PVSVPN_A_DEVICE_INNER_MARK, PVSVPN_INNER_MARK_CLEAR, true, true, NULL,
		"a number, clear or inherit",
		{ { "clear", PVSVPN_INNER_MARK_CLEAR }, { "inherit", PVSVPN_INNER_MARK_INHERIT } }
	},
	[SETTING_IF_ID_IN] = {
		"if-id-in", PVSVPN_A_DEVICE_IF_ID_IN, 0, false, true, parse_u32, NULL, {}
	},
	[SETTING_IF_ID_OUT] = {
		"if-id-out", PVSVPN_A_DEVICE_IF_ID_OUT, 0, false, true, parse_u32, NULL, {}
	},
};

const struct setting_word *setting_word(const struct setting *setting, uint32_t value)
{
	for (const struct setting_word *word = setting->words; word->text; word++)
		if (word->value == value)
			return word;
	return NULL;
}

const char *parse_setting(const struct setting *setting, const char *text, uint32_t *value)
{
	for (const struct setting_word *word = setting->words; word->text; word++)
		if (!strcmp(word->text, text)) {
			*value = word->value;
			return NULL;
		}
	/* Rejects a number that stands for a word. */
	if (!setting->number || parse_u32(text, value) || setting_word(setting, *value))
		return setting->expected;
	return NULL;
}

const char *format_setting(char *text, const struct setting *setting, uint32_t value)
{
	const struct setting_word *word = setting_word(setting, value);

	if (word)
		return word->text;
	snprintf(text, FORMAT_MAX, setting->hex ? "0x%" PRIx32 : "%" PRIu32, value);
	return text;
}
