// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/pvsvpn.h>

#include "print.h"
#include "setting.h"

static const char *parse_setting(enum setting_index index, const char *text,
				 uint32_t *value, bool numbers,
				 const char *expected)
{
	const struct setting_word *word = settings[index].words;

	for (; word->text; word++) {
		if (strcmp(word->text, text))
			continue;
		*value = word->value;
		return NULL;
	}
	/* Rejects a number that stands for a word. */
	if (!numbers || parse_u32(text, value) ||
	    setting_is_word(&settings[index], *value))
		return expected;
	return NULL;
}

static const char *parse_ttl(const char *text, void *value)
{
	return parse_setting(SETTING_TTL, text, value, true,
			     "1 to 255, auto or inherit");
}

static const char *parse_dscp(const char *text, void *value)
{
	return parse_setting(SETTING_DSCP, text, value, true,
			     "0 to 63, or inherit");
}

static const char *parse_ecn(const char *text, void *value)
{
	return parse_setting(SETTING_ECN, text, value, false, "on or off");
}

static const char *parse_priority(const char *text, void *value)
{
	return parse_setting(SETTING_PRIORITY, text, value, true,
			     "a number, or inherit");
}

static const char *parse_pmtudisc(const char *text, void *value)
{
	return parse_setting(SETTING_PMTUDISC, text, value, false,
			     "on or off");
}

static const char *parse_fragment(const char *text, void *value)
{
	return parse_setting(SETTING_FRAGMENT, text, value, false,
			     "inner (before encryption) or outer (after it)");
}

static const char *parse_mss_clamp(const char *text, void *value)
{
	return parse_setting(SETTING_MSS_CLAMP, text, value, true,
			     "a number of bytes, auto or off");
}

static const char *parse_inner_mark(const char *text, void *value)
{
	return parse_setting(SETTING_INNER_MARK, text, value, true,
			     "a number, clear or inherit");
}

#define ON_OFF { { "on", 1 }, { "off", 0 } }

const struct setting settings[SETTINGS] = {
	[SETTING_FWMARK] = {
		"fwmark", PVSVPN_A_DEVICE_FWMARK, 0, true, parse_u32, {}
	},
	[SETTING_TTL] = {
		"ttl", PVSVPN_A_DEVICE_TTL, PVSVPN_TTL_AUTO, false, parse_ttl,
		{ { "auto", PVSVPN_TTL_AUTO }, { "inherit", PVSVPN_TTL_INHERIT } }
	},
	[SETTING_DSCP] = {
		"dscp", PVSVPN_A_DEVICE_DSCP, PVSVPN_DSCP_INHERIT, false,
		parse_dscp, { { "inherit", PVSVPN_DSCP_INHERIT } }
	},
	[SETTING_ECN] = {
		"ecn", PVSVPN_A_DEVICE_ECN, 1, false, parse_ecn, ON_OFF
	},
	[SETTING_PRIORITY] = {
		"priority", PVSVPN_A_DEVICE_PRIORITY, PVSVPN_PRIORITY_INHERIT,
		true, parse_priority, { { "inherit", PVSVPN_PRIORITY_INHERIT } }
	},
	[SETTING_PMTUDISC] = {
		"pmtudisc", PVSVPN_A_DEVICE_PMTUDISC, 1, false, parse_pmtudisc,
		ON_OFF
	},
	[SETTING_FRAGMENT] = {
		"fragment", PVSVPN_A_DEVICE_FRAGMENT, PVSVPN_FRAGMENT_INNER,
		false, parse_fragment,
		{ { "inner", PVSVPN_FRAGMENT_INNER },
		  { "outer", PVSVPN_FRAGMENT_OUTER } }
	},
	[SETTING_MSS_CLAMP] = {
		"mss-clamp", PVSVPN_A_DEVICE_MSS_CLAMP, PVSVPN_MSS_CLAMP_AUTO,
		false, parse_mss_clamp,
		{ { "auto", PVSVPN_MSS_CLAMP_AUTO }, { "off", PVSVPN_MSS_CLAMP_OFF } }
	},
	[SETTING_INNER_MARK] = {
		"inner-mark", PVSVPN_A_DEVICE_INNER_MARK, PVSVPN_INNER_MARK_CLEAR,
		true, parse_inner_mark,
		{ { "clear", PVSVPN_INNER_MARK_CLEAR },
		  { "inherit", PVSVPN_INNER_MARK_INHERIT } }
	},
	[SETTING_IF_ID_IN] = {
		"if-id-in", PVSVPN_A_DEVICE_IF_ID_IN, 0, false, parse_u32, {}
	},
	[SETTING_IF_ID_OUT] = {
		"if-id-out", PVSVPN_A_DEVICE_IF_ID_OUT, 0, false, parse_u32, {}
	},
};

bool setting_is_word(const struct setting *setting, uint32_t value)
{
	const struct setting_word *word = setting->words;

	for (; word->text; word++)
		if (word->value == value)
			return true;
	return false;
}

const char *format_setting(char *text, const struct setting *setting,
			   uint32_t value)
{
	const struct setting_word *word = setting->words;

	for (; word->text; word++)
		if (word->value == value)
			return word->text;
	snprintf(text, FORMAT_MAX, setting->hex ? "0x%" PRIx32 : "%" PRIu32,
		 value);
	return text;
}
