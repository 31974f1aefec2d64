// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "connection/interface.h"
#include "connection/rules.h"
#include "connection/subnet.h"
#include "print.h"

/* Before Linux' own rule for the main table, 32766, and behind what operators begin with */
enum { TO_THE_PEER = 31700, WITHOUT_DEFAULT, UNMARKED };

/* Three of each family */
#define RULES 6

static const uint8_t addr_lens[] = { 4, 16 };

static size_t rules_of(const struct connection *c, struct rule *rules)
{
	uint32_t number = connection_number(c->name);
	size_t count = 0;

	for (int i = 0; i < 2; i++) {
		uint8_t len = addr_lens[i], family = len == 4 ? AF_INET : AF_INET6;

		if (!connection_takes_all(c, len))
			continue;
		if (c->peer_gateway.len == len)
			rules[count++] = (struct rule){
				.family = family, .priority = TO_THE_PEER, .table = TABLE_MAIN,
				.to = { .addr = c->peer_gateway, .prefix = len * 8 },
			};
		rules[count++] = (struct rule){
			.family = family, .priority = WITHOUT_DEFAULT, .table = TABLE_MAIN,
			.not_default = true,
		};
		rules[count++] = (struct rule){
			.family = family, .priority = UNMARKED, .table = number, .not_mark = number,
		};
	}
	return count;
}

static bool is_there(const struct view *view, const struct rule *rule)
{
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct rule *there = &view->rules[i];

		if (there->family == rule->family && there->priority == rule->priority &&
		    there->table == rule->table && there->not_mark == rule->not_mark &&
		    subnets_equal(&there->to, &rule->to))
			return true;
	}
	return false;
}

bool rules_differ(const struct view *view, const struct connection *c, char *text)
{
	struct rule rules[RULES];
	size_t count = rules_of(c, rules);

	for (size_t i = 0; i < count && !view->without_routes; i++) {
		if (is_there(view, &rules[i]))
			continue;
		snprintf(text, DIFFERENCE_MAX, "somebody has removed the rule of priority %u",
			 rules[i].priority);
		return true;
	}
	return false;
}

/* The network itself, so that one text has a family */
static struct subnet everything(uint8_t addr_len)
{
	return (struct subnet){ .addr.len = addr_len };
}

int rules_mend(const struct view *view, const struct connection *c)
{
	struct rule rules[RULES];
	size_t count = rules_of(c, rules);
	int ret = 0;

	for (int i = 0; i < 2 && !ret; i++) {
		struct subnet all = everything(addr_lens[i]);

		if (connection_takes_all(c, addr_lens[i]) && !c->withdraw_routes)
			ret = route_add_unreachable(&all, connection_number(c->name));
	}
	for (size_t i = 0; i < count && !ret; i++)
		if (!is_there(view, &rules[i]))
			ret = rule_add(&rules[i]);
	return ret;
}

/* ---- undoing it ---- */

/* The last rule of a family says whose the others are. */
static bool is_of_another(const struct rule *rules, size_t count, const struct rule *rule,
			  uint32_t number)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].family == rule->family && rules[i].not_mark &&
		    rules[i].not_mark != number)
			return true;
	return false;
}

void rules_remove(const char *name)
{
	uint32_t number = connection_number(name);
	struct rule *rules;
	size_t count;

	if (!rules_load(&rules, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &rules[i];
		struct subnet all = everything(rule->family == AF_INET ? 4 : 16);

		if (rule->not_mark ? rule->not_mark != number :
		    is_of_another(rules, count, rule, number))
			continue;
		rule_delete(rule);
		if (rule->not_mark)
			route_delete_unreachable(&all, number);
	}
	free(rules);
}
