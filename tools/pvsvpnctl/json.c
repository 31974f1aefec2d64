// SPDX-License-Identifier: GPL-2.0
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "print.h"

static struct json_object *made(struct json_object *json)
{
	no_memory_if(!json);
	return json;
}

struct json_object *json_new(void)
{
	return made(json_object_new_object());
}

struct json_object *json_list(void)
{
	return made(json_object_new_array());
}

static struct json_object *text_new(const char *value)
{
	char *text = strdup(value);
	struct json_object *json;

	no_memory_if(!text);
	json = made(json_object_new_string(clean_text(text)));
	free(text);
	return json;
}

void json_add(struct json_object *json, const char *key, struct json_object *value)
{
	no_memory_if(json_object_object_add(json, key, value));
}

void json_add_text(struct json_object *json, const char *key, const char *value)
{
	json_add(json, key, text_new(value));
}

void json_add_lines(struct json_object *json, const char *key, const char *value)
{
	json_add(json, key, made(json_object_new_string(value)));
}

void json_add_text_or_null(struct json_object *json, const char *key, const char *value)
{
	json_add(json, key, *value ? text_new(value) : NULL);
}

void json_add_uint(struct json_object *json, const char *key, uint64_t value)
{
	json_add(json, key, made(json_object_new_uint64(value)));
}

void json_add_uint_or_null(struct json_object *json, const char *key, uint64_t value, uint64_t none)
{
	json_add(json, key, value == none ? NULL : made(json_object_new_uint64(value)));
}

void json_add_bool(struct json_object *json, const char *key, bool value)
{
	json_add(json, key, made(json_object_new_boolean(value)));
}

void json_add_addr(struct json_object *json, const char *key, const struct addr *addr)
{
	char text[FORMAT_MAX];

	json_add(json, key, addr->len ? text_new(format_addr(text, addr)) : NULL);
}

void json_append(struct json_object *list, struct json_object *value)
{
	no_memory_if(json_object_array_add(list, value));
}

void json_append_text(struct json_object *list, const char *value)
{
	json_append(list, text_new(value));
}

void json_add_traffic(struct json_object *json, const struct traffic *traffic)
{
	json_add_uint(json, "rx_packets", traffic->rx_packets);
	json_add_uint(json, "rx_bytes", traffic->rx_bytes);
	json_add_uint(json, "tx_packets", traffic->tx_packets);
	json_add_uint(json, "tx_bytes", traffic->tx_bytes);
}

void json_add_drops(struct json_object *json, const struct drops *drops,
		    enum drop_scope scope, bool zero)
{
	struct json_object *object = json_new();

	for (size_t i = 0; i < PVSVPN_DROP_MAX; i++)
		if (drops->value[i] || (zero && i < (size_t)scope))
			json_add_uint(object, drop_reasons[i].name, drops->value[i]);
	for (size_t i = 0; i < drops->new_count; i++)
		if (drops->new[i].value || zero)
			json_add_uint(object, drops->new[i].name, drops->new[i].value);
	json_add(json, "drops", object);
}

static void print_as(struct json_object *json, int flags)
{
	const char *text = json_object_to_json_string_ext(json, flags |
							  JSON_C_TO_STRING_NOSLASHESCAPE);

	no_memory_if(!text);
	puts(text);
	json_object_put(json);
}

void json_print(struct json_object *json)
{
	print_as(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

void json_print_list(const char *key, struct json_object *list)
{
	struct json_object *json = json_new();

	json_add(json, key, list);
	json_print(json);
}

void json_print_line(struct json_object *json)
{
	print_as(json, JSON_C_TO_STRING_SPACED);
}

void json_free(struct json_object *json)
{
	json_object_put(json);
}
