/* fuzz-limit: any bytes as the file of a quota, and as what --limit says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/limit-file.h"
#include "net/limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

static bool same_days(const struct fl_limit_state *a,
		      const struct fl_limit_state *b)
{
	for (int i = 0; i < FL_LIMIT_DAYS; i++) {
		if (a->days[i].day != b->days[i].day ||
		    a->days[i].used != b->days[i].used)
			return false;
	}
	return true;
}

/* What is read can be written, and is read as the same. */
static void as_file(const char *bytes, size_t size)
{
	struct fl_limit_state state, again;
	char line[FL_LIMIT_LINE];

	if (!fl_limit_parse(bytes, size, &state))
		return;
	fl_limit_print(&state, line);
	CHECK(fl_limit_parse(line, sizeof(line), &again));
	CHECK(again.number == state.number && again.boot == state.boot &&
	      again.next_ns == state.next_ns && again.slice == state.slice &&
	      same_days(&again, &state) &&
	      strcmp(again.provider, state.provider) == 0 &&
	      strcmp(again.zone, state.zone) == 0 &&
	      strcmp(again.key, state.key) == 0);
}

/* The checksum stops what a fuzzer makes: let it fill the fields, too. */
static void as_state(const uint8_t *data, size_t size)
{
	struct fl_limit_state state = { .provider = "p" }, again;
	char line[FL_LIMIT_LINE];
	size_t most = offsetof(struct fl_limit_state, zone);

	memcpy(&state, data, size < most ? size : most);
	state.number &= INT64_MAX;
	state.next_ns &= INT64_MAX;
	state.slice &= INT64_MAX / 4;
	fl_limit_print(&state, line);
	CHECK(fl_limit_parse(line, sizeof(line), &again));
	CHECK(again.number == state.number && again.next_ns == state.next_ns &&
	      memcmp(again.slices, state.slices, sizeof(state.slices)) == 0 &&
	      same_days(&again, &state));
}

static void as_text(const char *bytes, size_t size)
{
	struct fl_limits limits = { .per_second = 1 };
	struct fl_error err = { .code = FL_OK };
	char *text = malloc(size + 1);

	CHECK(text);
	memcpy(text, bytes, size);
	text[size] = '\0';
	if (fl_limits_read(text, "yahoo", &limits, &err) < 0)
		CHECK(err.code == FL_ERR_USAGE && *err.text);
	CHECK(limits.per_second <= FL_LIMIT_MOST &&
	      limits.per_day <= FL_LIMIT_MOST);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_file((const char *)data, size);
	as_state(data, size);
	as_text((const char *)data, size);
	return 0;
}
