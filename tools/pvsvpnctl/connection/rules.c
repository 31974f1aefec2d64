// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "connection/interface.h"
#include "connection/rules.h"
#include "connection/subnet.h"

/* Linux' rule for the main table has priority 32766. */
enum { TO_THE_PEER = 31700, WITHOUT_DEFAULT, UNMARKED };

/* Three of each family */
#define RULES 6

/* After any other route of the table */
#define METRIC_LAST UINT32_MAX

static const uint8_t addr_lens[] = { 4, 16 };

static size_t rules_of(const struct connection *c, struct rule *rules)
{
	size_t count = 0;

	for (int i = 0; i < 2; i++) {
		uint8_t len = addr_lens[i], family = len == 4 ? AF_INET : AF_INET6;

		if (!connection_takes_all(c, len))
			continue;
		if (c->peer_gateway.addr.len == len)
			rules[count++] = (struct rule){
				.family = family, .priority = TO_THE_PEER, .local = true,
				.to = { .addr = c->peer_gateway.addr, .prefix = len * 8 },
				.table = TABLE_MAIN,
			};
		rules[count++] = (struct rule){
			.family = family, .priority = WITHOUT_DEFAULT, .table = TABLE_MAIN,
			.not_default = true,
		};
		rules[count++] = (struct rule){
			.family = family, .priority = UNMARKED,
			.table = connection_number(c->name), .not_mark = connection_mark(c),
		};
	}
	return count;
}

static bool is_there(const struct view *view, const struct rule *rule)
{
	for (size_t i = 0; i < view->rules.count; i++) {
		const struct rule *there = &view->rules.rule[i];

		if (there->family == rule->family && there->priority == rule->priority &&
		    there->local == rule->local && there->table == rule->table &&
		    there->not_mark == rule->not_mark && subnets_equal(&there->to, &rule->to))
			return true;
	}
	return false;
}

static struct route unreachable(const char *name, uint8_t addr_len)
{
	return (struct route){
		.to = { .addr.len = addr_len }, .table = connection_number(name),
		.metric = METRIC_LAST, .unreachable = true,
	};
}

/* WithdrawRoutes means that packets may take another way. */
static bool wants_unreachable(const struct connection *c, uint8_t addr_len)
{
	return connection_takes_all(c, addr_len) && !c->withdraw_routes;
}

bool rules_differ(const struct view *view, const struct connection *c, char *text)
{
	struct rule rules[RULES];
	size_t count = rules_of(c, rules);

	if (view->without_routes)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_there(view, &rules[i]))
			continue;
		snprintf(text, DIFFERENCE_MAX, "somebody has removed the rule of priority %u",
			 rules[i].priority);
		return true;
	}
	for (int i = 0; i < 2; i++) {
		struct route route = unreachable(c->name, addr_lens[i]);

		if (!wants_unreachable(c, addr_lens[i]) || view_has_route(view, &route))
			continue;
		snprintf(text, DIFFERENCE_MAX, "somebody has removed the unreachable route of table %u",
			 route.table);
		return true;
	}
	return false;
}

int rules_mend(const struct view *view, const struct connection *c)
{
	struct rule rules[RULES];
	size_t count = rules_of(c, rules);
	int ret = 0;

	for (int i = 0; i < 2; i++) {
		struct route route = unreachable(c->name, addr_lens[i]);

		/*
		 * The route outlives the interface. @view has no routes if the interface is gone,
		 * so replace it.
		 */
		if (wants_unreachable(c, addr_lens[i]) && !view_has_route(view, &route))
			ret = route_add(&route, true) ?: ret;
	}
	for (size_t i = 0; i < count; i++)
		if (!is_there(view, &rules[i]))
			ret = rule_add(&rules[i]) ?: ret;
	return ret;
}

/* ---- removal ---- */

/*
 * The rules of a family that lead to the main table have the same priorities for all connections.
 * They belong to the connection that has the rule for its own table, or are left over.
 */
static bool has_another(const struct rule_list *list, uint8_t family, uint32_t number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->rule[i].family == family && list->rule[i].not_mark &&
		    list->rule[i].table != number)
			return true;
	return false;
}

void rules_remove(const char *name)
{
	uint32_t number = connection_number(name);
	struct rule_list list;

	if (!rules_load(&list))
		list.count = 0;
	for (size_t i = 0; i < list.count; i++)
		if (list.rule[i].not_mark ? list.rule[i].table == number :
		    !has_another(&list, list.rule[i].family, number))
			rule_delete(&list.rule[i]);
	free(list.rule);
	for (int i = 0; i < 2; i++) {
		struct route route = unreachable(name, addr_lens[i]);

		route_delete(&route);
	}
}
