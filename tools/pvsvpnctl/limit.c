// SPDX-License-Identifier: GPL-2.0
#include "limit.h"

#define LIMIT(_kind, _member, _hard, _unit) \
	{ .name = #_kind "_" #_member, .hard = _hard, .unit = _unit, \
	  .offset = offsetof(struct sa, _kind._member) }

const struct limit limits[LIMITS] = {
	LIMIT(hard, seconds, true, LIMIT_SECONDS),
	LIMIT(hard, use_seconds, true, LIMIT_USE_SECONDS),
	LIMIT(hard, packets, true, LIMIT_PACKETS),
	LIMIT(hard, bytes, true, LIMIT_BYTES),
	LIMIT(soft, seconds, false, LIMIT_SECONDS),
	LIMIT(soft, use_seconds, false, LIMIT_USE_SECONDS),
	LIMIT(soft, packets, false, LIMIT_PACKETS),
	LIMIT(soft, bytes, false, LIMIT_BYTES),
};

uint64_t limit_of(const struct limit *limit, const struct sa *sa)
{
	return *(const uint64_t *)((const char *)sa + limit->offset);
}

bool limit_is_time(const struct limit *limit)
{
	return limit->unit == LIMIT_SECONDS || limit->unit == LIMIT_USE_SECONDS;
}

static uint64_t used_of(const struct limit *limit, const struct sa *sa)
{
	switch (limit->unit) {
	case LIMIT_SECONDS:
		return sa->age_ms;
	case LIMIT_USE_SECONDS:
		/* Its clock starts with the first packet. */
		return sa->use_age_ms == NEVER ? 0 : sa->use_age_ms;
	case LIMIT_PACKETS:
		return sa->packets;
	case LIMIT_BYTES:
		return sa->bytes;
	}
	return 0;
}

uint64_t limit_left(const struct limit *limit, const struct sa *sa)
{
	uint64_t value = limit_of(limit, sa), used = used_of(limit, sa);

	if (limit_is_time(limit))
		value *= 1000;
	return value > used ? value - used : 0;
}
