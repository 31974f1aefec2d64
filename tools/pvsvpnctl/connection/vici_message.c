// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "connection/vici_message.h"
#include "error.h"
#include "memory.h"
#include "print.h"

/* ---- writing ---- */

/* The message may hold a secret: its old memory is wiped, which realloc() would not do. */
static uint8_t *make_room(struct vici_message *message, size_t len)
{
	if (message->size - message->len < len) {
		struct vici_message old = *message;

		message->size = 2 * (old.size + len);
		message->data = ctl_alloc(NULL, message->size);
		if (old.len)
			memcpy(message->data, old.data, old.len);
		vici_message_free(&old);
	}
	message->len += len;
	return message->data + message->len - len;
}

void vici_reserve_locked(struct vici_message *message, size_t len)
{
	make_room(message, len);
	message->len -= len;
	memory_lock(message->data, message->size);
}

static void put(struct vici_message *message, const void *bytes, size_t len)
{
	if (len)
		memcpy(make_room(message, len), bytes, len);
}

static void put_byte(struct vici_message *message, uint8_t byte)
{
	put(message, &byte, 1);
}

static void put_name(struct vici_message *message, enum vici_type type, const char *name)
{
	size_t len = strnlen(name, VICI_NAME_MAX);

	put_byte(message, type);
	put_byte(message, len);
	put(message, name, len);
}

static void put_bytes(struct vici_message *message, const void *bytes, size_t len)
{
	if (len > VICI_VALUE_MAX)
		len = VICI_VALUE_MAX;
	put_byte(message, len >> 8);
	put_byte(message, len & 0xff);
	put(message, bytes, len);
}

void vici_section(struct vici_message *message, const char *name)
{
	put_name(message, VICI_SECTION, name);
}

void vici_section_end(struct vici_message *message)
{
	put_byte(message, VICI_SECTION_END);
}

void vici_bytes(struct vici_message *message, const char *name, const void *bytes, size_t len)
{
	put_name(message, VICI_VALUE, name);
	put_bytes(message, bytes, len);
}

void vici_value(struct vici_message *message, const char *name, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		exit(ctl_error(CTL_FAILED, "memory", NULL, "free some", "out of memory"));
	vici_bytes(message, name, text, len);
	free(text);
}

void vici_list(struct vici_message *message, const char *name)
{
	put_name(message, VICI_LIST, name);
}

void vici_item_bytes(struct vici_message *message, const void *bytes, size_t len)
{
	put_byte(message, VICI_ITEM);
	put_bytes(message, bytes, len);
}

void vici_item(struct vici_message *message, const char *text)
{
	vici_item_bytes(message, text, strlen(text));
}

void vici_list_end(struct vici_message *message)
{
	put_byte(message, VICI_LIST_END);
}

void vici_message_free(struct vici_message *message)
{
	if (message->data)
		explicit_bzero(message->data, message->size);
	free(message->data);
	*message = (struct vici_message){ 0 };
}

/* ---- reading ---- */

void vici_reader_init(struct vici_reader *reader, const void *data, size_t len)
{
	*reader = (struct vici_reader){ .at = data, .end = (const uint8_t *)data + len };
}

static size_t left(const struct vici_reader *reader)
{
	return reader->end - reader->at;
}

static bool read_name(struct vici_reader *reader, char *name)
{
	size_t len;

	if (!left(reader))
		return false;
	len = *reader->at++;
	/* A name with a NUL in it would look like another name to us. */
	if (len > left(reader) || memchr(reader->at, '\0', len))
		return false;
	memcpy(name, reader->at, len);
	name[len] = '\0';
	reader->at += len;
	return true;
}

static bool read_bytes(struct vici_reader *reader, struct vici_element *element)
{
	if (left(reader) < 2)
		return false;
	element->len = reader->at[0] << 8 | reader->at[1];
	reader->at += 2;
	if (element->len > left(reader))
		return false;
	element->value = reader->at;
	reader->at += element->len;
	return true;
}

/* Lists hold only items, and items are only in lists. read_content() refuses unknown types. */
static bool belongs_here(const struct vici_reader *reader, enum vici_type type)
{
	bool of_list = type == VICI_ITEM || type == VICI_LIST_END;

	return of_list == reader->in_list && (type != VICI_SECTION_END || reader->depth);
}

static bool read_content(struct vici_reader *reader, struct vici_element *element)
{
	switch (element->type) {
	case VICI_SECTION:
		reader->depth++;
		return read_name(reader, element->name);
	case VICI_SECTION_END:
		element->depth = --reader->depth;
		return true;
	case VICI_VALUE:
		return read_name(reader, element->name) && read_bytes(reader, element);
	case VICI_LIST:
		reader->in_list = true;
		if (!read_name(reader, reader->list))
			return false;
		strcpy(element->name, reader->list);
		return true;
	case VICI_ITEM:
		strcpy(element->name, reader->list);
		return read_bytes(reader, element);
	case VICI_LIST_END:
		strcpy(element->name, reader->list);
		reader->in_list = false;
		return true;
	}
	return false;
}

int vici_read(struct vici_reader *reader, struct vici_element *element)
{
	if (!left(reader))
		return reader->depth || reader->in_list ? -1 : 0;
	*element = (struct vici_element){ .type = *reader->at++, .depth = reader->depth };
	if (!belongs_here(reader, element->type) || !read_content(reader, element)) {
		/* A caller that reads again gets the same result. */
		reader->at = reader->end;
		reader->depth = 1;
		return -1;
	}
	return 1;
}

char *vici_element_text(const struct vici_element *element, char *text, size_t size)
{
	size_t len = element->len < size - 1 ? element->len : size - 1;

	if (len)
		memcpy(text, element->value, len);
	text[len] = '\0';
	return clean_text(text);
}

/* ---- printing ---- */

/* Quotes a value that swanctl.conf(5) would otherwise read as something else. */
static void print_value(FILE *out, const struct vici_element *element)
{
	char text[VICI_VALUE_MAX + 1];
	const char *mark = "";

	vici_element_text(element, text, sizeof(text));
	if (!*text || strpbrk(text, "{}#=,: \t"))
		mark = element->type == VICI_ITEM ? "" : "\"";
	fprintf(out, "%s%s%s", mark, text, mark);
}

static void print_element(FILE *out, const struct vici_element *element, unsigned int indent,
			  bool *first)
{
	if (element->type != VICI_ITEM && element->type != VICI_LIST_END)
		while (indent--)
			fputc('\t', out);
	switch (element->type) {
	case VICI_SECTION:
		fprintf(out, "%s {\n", element->name);
		break;
	case VICI_SECTION_END:
		fputs("}\n", out);
		break;
	case VICI_VALUE:
		fprintf(out, "%s = ", element->name);
		print_value(out, element);
		fputc('\n', out);
		break;
	case VICI_LIST:
		fprintf(out, "%s = ", element->name);
		*first = true;
		break;
	case VICI_ITEM:
		fputs(*first ? "" : ",", out);
		print_value(out, element);
		*first = false;
		break;
	case VICI_LIST_END:
		fputc('\n', out);
		break;
	}
}

void vici_print(FILE *out, const struct vici_message *message, unsigned int indent)
{
	struct vici_element element;
	struct vici_reader reader;
	bool first = true;

	vici_reader_init(&reader, message->data, message->len);
	while (vici_read(&reader, &element) > 0)
		print_element(out, &element, indent + element.depth, &first);
}
