// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connection/identity.h"

/**
 * struct meaning - an identity as the daemon understands it
 * @kind: its type
 * @len: how many bytes it has
 * @byte: an address; or a text, in small letters where capitals make no difference
 */
struct meaning {
	enum identity_kind kind;
	size_t len;
	uint8_t byte[IDENTITY_MAX + 1];
};

static const struct identity_type identity_types[] = {
	{ "fqdn", "hostname", "fqdn:", 0 },
	{ "ipv4", "ipv4_address", "", 4 },
	{ "ipv6", "ipv6_address", "", 16 },
	{ "email", "user_fqdn", "email:", 0 },
	{ "key_id", "keyid", "keyid:", 0 },
};

/* The words of strongSwan in front of an identity that one peer can have */
static const struct {
	const char *prefix;
	enum identity_kind kind;
} notations[] = {
	{ "fqdn:", KIND_FQDN },
	{ "dns:", KIND_FQDN },
	{ "email:", KIND_EMAIL },
	{ "rfc822:", KIND_EMAIL },
	{ "userfqdn:", KIND_EMAIL },
	{ "keyid:", KIND_KEY_ID },
};

/* The others: a subnet or a range means many peers, and the rest takes raw bytes. */
static const char * const bad_notations[] = {
	"ipv4:", "ipv6:", "ipv4net:", "ipv6net:", "ipv4range:", "ipv6range:", "asn1dn:", "asn1gn:",
	"xmppaddr:",
};

#define BLANKS " \t"

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncasecmp(text, prefix, strlen(prefix));
}

/* ---- from the file ---- */

/*
 * strongSwan takes a subnet or a range for each address in it. The text behind the / may be no
 * number: strongSwan then takes it for 0.
 */
static bool is_many_addresses(const char *text)
{
	char first[IDENTITY_MAX + 1];
	size_t len = strcspn(text, "/-");
	struct addr from, to;

	snprintf(first, sizeof(first), "%.*s", (int)len, text);
	if (!text[len] || parse_addr(first, &from))
		return false;
	return text[len] == '/' || (!parse_addr(text + len + 1, &to) && to.len == from.len);
}

static bool means_anybody(const char *text)
{
	static const struct addr zero;
	struct addr addr;

	if (!parse_addr(text, &addr))
		return !memcmp(addr.byte, zero.byte, sizeof(zero.byte));
	return !strcmp(text, "%any") || !strcmp(text, "%any6") || strchr(text, '*') ||
	       is_many_addresses(text);
}

/* These stand in other files too, between quotation marks. */
const char *parse_identity(const char *text, void *value)
{
	static const char expected[] =
		"a name, address or e-mail address of at most 255 printable characters without \" and \\";
	size_t len = strlen(text);

	if (!len || len > IDENTITY_MAX)
		return expected;
	for (const char *c = text; *c; c++)
		if (*c == '"' || *c == '\\' || !isprint((unsigned char)*c))
			return expected;
	strcpy(value, text);
	return NULL;
}

const char *parse_identity_type(const char *text, void *value)
{
	const struct identity_type **type = value;

	*type = NULL;
	if (!strcmp(text, "auto"))
		return NULL;
	for (size_t i = 0; i < sizeof(identity_types) / sizeof(identity_types[0]); i++)
		if (!strcmp(text, identity_types[i].word) || !strcmp(text, identity_types[i].alias))
			*type = &identity_types[i];
	return *type ? NULL : "auto, fqdn, ipv4, ipv6, email or key_id";
}

const char *identity_text(char *text, const struct identity *identity)
{
	snprintf(text, IDENTITY_TEXT_MAX, "%s%s", identity->type ? identity->type->prefix : "",
		 identity->text);
	return text;
}

/* ---- what it means ---- */

static void set_text(struct meaning *meaning, enum identity_kind kind, const char *text)
{
	meaning->kind = kind;
	meaning->len = strlen(text);
	for (size_t i = 0; i < meaning->len; i++)
		meaning->byte[i] = kind == KIND_KEY_ID ? text[i] : tolower((unsigned char)text[i]);
}

#define HEX "0123456789abcdefABCDEF"

/* strongSwan takes "0x" in front, too. */
static const char *digits_of(const char *text)
{
	return text + (!strncmp(text, "0x", 2) ? 2 : 0);
}

static bool is_hex(const char *text)
{
	text = digits_of(text);
	return strspn(text, HEX ":") == strlen(text) && strpbrk(text, HEX);
}

static uint8_t digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Colons between the bytes do not count. An odd digit stands alone in the first byte. */
static void set_hex(struct meaning *meaning, enum identity_kind kind, const char *text)
{
	size_t count = 0, digits = 0;

	text = digits_of(text);
	for (const char *c = text; *c; c++)
		digits += *c != ':';
	meaning->kind = kind;
	meaning->len = (digits + 1) / 2;
	memset(meaning->byte, 0, meaning->len);
	for (const char *c = text; *c; c++) {
		size_t at = (count + digits % 2) / 2;

		if (*c == ':')
			continue;
		meaning->byte[at] = meaning->byte[at] << 4 | digit(*c);
		count++;
	}
}

/*
 * Splits strongSwan's notation off. @hex: hexadecimal digits follow.
 *
 * Return: the value behind it, or NULL if @text has no notation.
 */
static const char *notation_value(const char *text, enum identity_kind *kind, bool *hex)
{
	for (size_t i = 0; i < sizeof(notations) / sizeof(notations[0]); i++) {
		if (!has_prefix(text, notations[i].prefix))
			continue;
		text += strlen(notations[i].prefix);
		*kind = notations[i].kind;
		*hex = *text == '#';
		return text + *hex;
	}
	if (*text != '@' || strchr(text, '='))
		return NULL;
	text++;
	*hex = *text == '#';
	*kind = *text == '@' ? KIND_EMAIL : KIND_FQDN;
	if (*hex)
		*kind = KIND_KEY_ID;
	return text + (*text == '#' || *text == '@');
}

/* How the values of a part of a subject are compared (RFC 5280 section 7.1) */
enum compare { IF_PRINTABLE = 0, IGNORE_CASE, EXACTLY };

/* Names of parts that strongSwan takes for one, or whose values it compares in another way */
static const struct {
	const char *name;
	const char *same;
	enum compare compare;
} parts[] = {
	{ "e", "e", IGNORE_CASE }, { "email", "e", IGNORE_CASE }, { "emailaddress", "e", IGNORE_CASE },
	{ "un", "un", EXACTLY }, { "unstructuredname", "un", EXACTLY },
	{ "unstructuredaddress", "ua", IF_PRINTABLE }, { "employeenumber", "en", IF_PRINTABLE },
};

static size_t trim(const char **text, size_t len)
{
	for (; len && strchr(BLANKS, **text); len--)
		(*text)++;
	while (len && strchr(BLANKS, (*text)[len - 1]))
		len--;
	return len;
}

static void append(struct meaning *meaning, const char *text, size_t len)
{
	memcpy(meaning->byte + meaning->len, text, len);
	meaning->len += len;
}

static enum compare add_part_name(struct meaning *meaning, const char *name, size_t len)
{
	enum compare compare = IF_PRINTABLE;
	char text[IDENTITY_MAX + 1];
	const char *known = text;

	len = trim(&name, len);
	for (size_t i = 0; i < len; i++)
		text[i] = tolower((unsigned char)name[i]);
	text[len] = '\0';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!strcmp(text, parts[i].name)) {
			known = parts[i].same;
			compare = parts[i].compare;
		}
	}
	append(meaning, known, strlen(known));
	return compare;
}

/* Capitals make no difference in a PrintableString (X.680 section 41.4). */
static void add_part_value(struct meaning *meaning, const char *value, size_t len,
			   enum compare compare)
{
	bool fold = compare != EXACTLY;
	char text[IDENTITY_MAX + 1];

	len = trim(&value, len);
	for (size_t i = 0; i < len && compare == IF_PRINTABLE; i++)
		fold &= isalnum((unsigned char)value[i]) || strchr(" '()+,-./:=?", value[i]);
	for (size_t i = 0; i < len; i++)
		text[i] = fold ? tolower((unsigned char)value[i]) : value[i];
	append(meaning, text, len);
}

/* "C=DE, CN=gw" and "/C=DE/CN=gw" are the same subject. */
static void set_subject(struct meaning *meaning, const char *text)
{
	const char separator[] = { *text == '/' ? '/' : ',', '\0' };

	meaning->kind = KIND_SUBJECT;
	meaning->len = 0;
	while (*text) {
		size_t len = strcspn(text, separator), name = strcspn(text, "=");

		if (name < len) {
			enum compare compare = add_part_name(meaning, text, name);

			append(meaning, "=", 1);
			add_part_value(meaning, text + name + 1, len - name - 1, compare);
			append(meaning, ",", 1);
		}
		text += len + !!text[len];
	}
}

static bool set_addr(struct meaning *meaning, const char *text)
{
	struct addr addr;

	if (parse_addr(text, &addr))
		return false;
	meaning->kind = addr.len == 4 ? KIND_IPV4 : KIND_IPV6;
	meaning->len = addr.len;
	memcpy(meaning->byte, addr.byte, addr.len);
	return true;
}

/* As strongSwan guesses the type of a text */
static void understand(struct meaning *meaning, const struct identity *identity)
{
	char text[IDENTITY_TEXT_MAX];
	const char *value;
	enum identity_kind kind;
	bool hex;

	identity_text(text, identity);
	value = notation_value(text, &kind, &hex);
	if (value && hex)
		set_hex(meaning, kind, value);
	else if (value)
		set_text(meaning, kind, value);
	else if (strchr(text, '='))
		set_subject(meaning, text);
	else if (strchr(text, '@'))
		set_text(meaning, KIND_EMAIL, text);
	else if (!set_addr(meaning, text))
		set_text(meaning, strchr(text, ':') ? KIND_KEY_ID : KIND_FQDN, text);
}

bool identity_is_same(const struct identity *a, const struct identity *b)
{
	struct meaning ours, theirs;

	understand(&ours, a);
	understand(&theirs, b);
	return ours.kind == theirs.kind && ours.len == theirs.len &&
	       !memcmp(ours.byte, theirs.byte, ours.len);
}

/* ---- what is refused ---- */

/* "{2}:gw" names the type by its number; "{}:gw" has the number 0. */
static bool has_number(const char *text)
{
	char *end;

	if (*text != '{')
		return false;
	strtoul(text + 1, &end, 0);
	return !strncmp(end, "}:", 2);
}

static const char *guessed_why_not(const char *text)
{
	for (size_t i = 0; i < sizeof(bad_notations) / sizeof(bad_notations[0]); i++)
		if (has_prefix(text, bad_notations[i]))
			return "strongSwan takes raw bytes behind that word; give the name or address alone";
	return has_number(text) ? "leave the number out, and give the type by its key" : NULL;
}

static const char *typed_why_not(const struct identity *identity)
{
	const struct identity_type *type = identity->type;
	struct addr addr;

	if (type->addr_len)
		return parse_addr(identity->text, &addr) || addr.len != type->addr_len ?
		       "not an address of that family" : NULL;
	if (!strcmp(type->word, "email") && !strchr(identity->text, '@'))
		return "an e-mail address has an @";
	if (!strcmp(type->word, "fqdn") && strchr(identity->text, '@'))
		return "a DNS name has no @";
	return NULL;
}

/* From version 6.0.2 on, strongSwan takes "fqdn:^...$" for a regular expression. */
static bool is_pattern(const char *value)
{
	size_t len = value ? strlen(value) : 0;

	return len && *value == '^' && value[len - 1] == '$';
}

const char *identity_why_not(const struct identity *identity)
{
	const char *why = identity->type ? typed_why_not(identity) :
			  guessed_why_not(identity->text);
	char text[IDENTITY_TEXT_MAX];
	const char *value;
	enum identity_kind kind;
	bool hex;

	value = notation_value(identity_text(text, identity), &kind, &hex);
	if (!why && (!value || kind != KIND_KEY_ID) &&
	    (means_anybody(identity->text) || is_pattern(value)))
		return "strongSwan takes it for anybody's; give one name or address";
	if (why || !value)
		return why;
	if (hex && kind != KIND_KEY_ID)
		return "only a key ID can be in hexadecimal digits";
	if (hex && !is_hex(value))
		return "hexadecimal digits follow the #";
	return *value ? NULL : "it is empty";
}

const char *identity_name(const struct identity *identity, enum identity_kind *kind)
{
	enum identity_kind noted;
	struct meaning meaning;
	bool hex;

	understand(&meaning, identity);
	*kind = meaning.kind;
	return (identity->type ? NULL : notation_value(identity->text, &noted, &hex)) ?:
	       identity->text;
}
