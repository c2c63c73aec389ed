/* source: the sources that fl-fetch knows, and what they share about resuming.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/source.h"

#include <string.h>

#include "base/error.h"
#include "base/time.h"

#define FL_SOURCE(name) extern const struct fl_source fl_source_##name;
#include "source/sources.def"
#undef FL_SOURCE

#define FL_SOURCE(name) &fl_source_##name,
const struct fl_source *const fl_sources[] = {
#include "source/sources.def"
	NULL,
};
#undef FL_SOURCE

const struct fl_source *fl_source_find(const char *name)
{
	for (const struct fl_source *const *at = fl_sources; *at; at++)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	return NULL;
}

const struct fl_start *fl_ask_start(const struct fl_ask *ask,
				    const char *origin)
{
	for (size_t i = 0; i < ask->start_count; i++)
		if (strcmp(ask->starts[i].origin, origin) == 0)
			return &ask->starts[i];
	return NULL;
}

int fl_ask_moved(const struct fl_ask *ask, const struct fl_start *start,
		 const char *why, struct fl_error *err)
{
	if (ask->from != FL_TIME_NONE)
		return 0;
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s': position %s no longer means the same "
			    "record: %s; --from TIME begins anew, or fl-load "
			    "--forget %s",
			    fl_show(start->origin, strlen(start->origin), 200),
			    fl_show(start->pos, strlen(start->pos), 40), why,
			    ask->pipeline ? ask->pipeline : "PIPELINE");
}
