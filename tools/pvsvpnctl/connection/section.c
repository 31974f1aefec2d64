// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/policy.h"
#include "connection/section.h"
#include "connection/values.h"
#include "connection/write.h"
#include "error.h"
#include "json.h"

void section_print_keys(const char *type, const struct conf_key *keys)
{
	printf("\n[%s]\n", type);
	for (; keys->key; keys++)
		printf("  %s\n", keys->key);
}

bool section_is(const struct ini_section *section, const char *type, const char *name)
{
	return !strcmp(section->type, type) && !strcmp(section->name, name);
}

const struct ini_section *section_find(const struct ini_file *file, const char *type,
				       const char *name)
{
	for (size_t i = 0; i < file->section_count; i++)
		if (section_is(&file->sections[i], type, name))
			return &file->sections[i];
	return NULL;
}

unsigned int section_line(const struct ini_section *in, const char *name)
{
	const struct ini_key *key = name ? ini_find(in, name) : NULL;

	return key ? key->line : in->line;
}

int refuse(const struct ini_section *in, const char *key, const char *todo, const char *fmt, ...)
{
	va_list args;
	char *why;

	va_start(args, fmt);
	if (vasprintf(&why, fmt, args) < 0)
		why = NULL;
	va_end(args);
	ctl_error(CTL_FAILED, in->file->what, ini_at(in->file, section_line(in, key)), todo, "%s",
		  why ?: "out of memory");
	free(why);
	return CTL_FAILED;
}

/* Suggests a key that differs only in capitals, if there is one. */
static int unknown_key(const struct ini_section *in, const struct ini_key *key,
		       const struct conf_key *keys)
{
	char todo[96] = "pvsvpn.conf(5) has all of them";

	for (; keys->key; keys++)
		if (!strcasecmp(keys->key, key->key))
			snprintf(todo, sizeof(todo), "it is written %s", keys->key);
	return ctl_error(CTL_FAILED, in->file->what, ini_at(in->file, key->line), todo,
			 "[%s] has no key \"%.64s\"", in->type, key->key);
}

/* Each line adds to a list. For other keys, a second line would be ambiguous. */
static bool is_list(const struct conf_key *conf)
{
	return conf->parse == parse_prefixes || conf->parse == parse_sources ||
	       parse_adds_algorithms(conf->parse);
}

static int read_key(const struct ini_section *in, const struct ini_key *key,
		    const struct conf_key *keys, void *object)
{
	const struct conf_key *conf = keys;
	const char *at = ini_at(in->file, key->line), *expected;

	while (conf->key && strcmp(conf->key, key->key))
		conf++;
	if (ini_find(in, key->key) != key && !is_list(conf))
		return ctl_error(CTL_FAILED, in->file->what, at, "give it once",
				 "the key was there before");
	if (!conf->key)
		return unknown_key(in, key, keys);
	expected = conf->parse(key->value, (char *)object + conf->offset);
	if (!expected)
		return CTL_OK;
	return ctl_error(CTL_FAILED, in->file->what, at, NULL,
			 "%s: \"%.64s\" is not valid; expected %s", key->key, key->value, expected);
}

int section_read(const struct ini_section *in, const struct conf_key *keys, void *object)
{
	int ret = CTL_OK;

	for (size_t i = 0; i < in->key_count && !ret; i++)
		ret = read_key(in, &in->keys[i], keys, object);
	return ret;
}

/* The text of a value, to be freed; "" if a file need not have it */
static char *value_text(const struct conf_key *conf, const void *object)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	no_memory_if(!out);
	conf->write(out, (const char *)object + conf->offset);
	no_memory_if(fclose(out));
	return text;
}

void section_print(FILE *out, const struct conf_key *keys, const void *object)
{
	for (; keys->key; keys++) {
		char *text = keys->write ? value_text(keys, object) : NULL;

		/* Behind a blank, these would begin a comment. */
		if (text && *text)
			fprintf(out, "%s =%s%s\n", keys->key, strchr("#;", *text) ? "" : " ", text);
		free(text);
	}
}

/* ---- JSON ---- */

/* PeerGateway is peer_gateway, IKEPolicy is ike_policy. @name has room for twice the key. */
static void json_name(char *name, const char *key)
{
	for (const char *c = key; *c; c++) {
		bool ipsec = c - key == 1 && !strncmp(key, "IPsec", 5);

		if (c > key && isupper((unsigned char)*c) && !ipsec &&
		    (islower((unsigned char)c[-1]) || islower((unsigned char)c[1])))
			*name++ = '_';
		*name++ = tolower((unsigned char)*c);
	}
	*name = '\0';
}

static struct json_object *json_texts(char *text)
{
	struct json_object *list = json_list();
	char *word;

	if (!*text)
		return list;
	while ((word = strsep(&text, ",")))
		json_append_text(list, without_blanks(word));
	return list;
}

void section_add_json(struct json_object *json, const struct conf_key *keys, const void *object)
{
	for (; keys->key; keys++) {
		const char *value = (const char *)object + keys->offset;
		char name[2 * 32], *text;

		if (!keys->write)
			continue;
		json_name(name, keys->key);
		text = value_text(keys, object);
		if (is_list(keys))
			json_add(json, name, json_texts(text));
		else if (keys->write == write_number)
			json_add_uint_or_null(json, name, *(const uint32_t *)value, 0);
		else if (keys->write == write_bool)
			json_add_bool(json, name, *(const bool *)value);
		else
			json_add_text_or_null(json, name, text);
		free(text);
	}
}
