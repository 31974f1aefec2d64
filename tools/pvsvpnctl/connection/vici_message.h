/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of VICI, strongSwan's interface for programs: a tree of sections, values and lists,
 * written as a sequence of elements (README.md of strongSwan's plugin vici).
 */
#ifndef PVSVPNCTL_VICI_MESSAGE_H
#define PVSVPNCTL_VICI_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The longest name, and the longest value: bytes */
#define VICI_NAME_MAX 255
#define VICI_VALUE_MAX 65535

/* The numbers are those of the protocol. */
enum vici_type {
	VICI_SECTION = 1,
	VICI_SECTION_END = 2,
	VICI_VALUE = 3,
	VICI_LIST = 4,
	VICI_ITEM = 5,
	VICI_LIST_END = 6,
};

/**
 * struct vici_message - a message that is being written
 * @data: its elements
 * @len: bytes that are used
 * @size: bytes that there is room for
 *
 * An empty message is all zero. Each function ends the program when memory runs out.
 */
struct vici_message {
	uint8_t *data;
	size_t len;
	size_t size;
};

/* Reserves @len bytes for a secret in an empty message, with memory_lock(). */
void vici_reserve_locked(struct vici_message *message, size_t len);

void vici_section(struct vici_message *message, const char *name);
void vici_section_end(struct vici_message *message);

/* The text is cut after VICI_VALUE_MAX bytes. */
__attribute__((format(printf, 3, 4)))
void vici_value(struct vici_message *message, const char *name, const char *fmt, ...);

/* Any bytes, VICI_VALUE_MAX at most */
void vici_bytes(struct vici_message *message, const char *name, const void *bytes, size_t len);

void vici_list(struct vici_message *message, const char *name);
void vici_item(struct vici_message *message, const char *text);
void vici_item_bytes(struct vici_message *message, const void *bytes, size_t len);
void vici_list_end(struct vici_message *message);

/* Wipes and frees the message, which may hold a secret. */
void vici_message_free(struct vici_message *message);

/**
 * struct vici_reader - a message that is being read
 * @at: the next element
 * @end: the end of the last element
 * @depth: how many sections are open
 * @list: name of the open list, "" for none
 * @in_list: a list is open
 */
struct vici_reader {
	const uint8_t *at;
	const uint8_t *end;
	unsigned int depth;
	char list[VICI_NAME_MAX + 1];
	bool in_list;
};

/**
 * struct vici_element - one element of a message
 * @type: its kind
 * @depth: how many sections are around it; a section is not around itself
 * @name: of a section, a value or a list; an item has the name of its list
 * @value: of a value or an item, without a NUL at its end
 * @len: bytes of @value
 */
struct vici_element {
	enum vici_type type;
	unsigned int depth;
	char name[VICI_NAME_MAX + 1];
	const uint8_t *value;
	size_t len;
};

void vici_reader_init(struct vici_reader *reader, const void *data, size_t len);

/**
 * vici_read() - read the next element
 * @reader: the message
 * @element: filled in; its value points into the message
 *
 * Return: 1, 0 at the end of the message, -1 if the message is not valid.
 */
int vici_read(struct vici_reader *reader, struct vici_element *element);

/**
 * vici_element_text() - copy a value as text
 * @element: a value or an item
 * @text: filled in, with a NUL at its end; without control characters
 * @size: bytes that there is room for; the rest is cut
 *
 * Return: @text.
 */
char *vici_element_text(const struct vici_element *element, char *text, size_t size);

/**
 * vici_print() - write a message in the syntax of swanctl.conf(5)
 * @out: where to
 * @message: the message; if it is not valid, only the elements before the fault are printed
 * @indent: tabs in front of each line
 */
void vici_print(FILE *out, const struct vici_message *message, unsigned int indent);

#endif /* PVSVPNCTL_VICI_MESSAGE_H */
