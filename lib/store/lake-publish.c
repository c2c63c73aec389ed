/* lake-publish: prepared objects into their places, and what was left behind.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/lake.h"

static int publish_one(void *arg, struct fl_lake_commit *commit,
		       struct fl_error *err)
{
	struct fl_lake *lake = arg;

	return fl_objects_publish(&lake->objects, commit->objects,
				  commit->object_count, false, err);
}

int fl_lake_publish_left(struct fl_lake *lake, struct fl_error *err)
{
	return fl_lake_commit_each(lake, publish_one, lake, err);
}

/* --- what is left -------------------------------------------------------- */

static int add_name(void *arg, const char *name)
{
	struct fl_map *names = arg;

	*fl_map_at(names, name, strlen(name)) = names;
	return 0;
}

static void sweep_one(struct fl_lake *lake, const char *drafts)
{
	struct fl_map names = FL_MAP_INIT;
	struct fl_error err = { .code = FL_OK };
	int lock = -1;

	/* Its owner is dead for sure only now: what it committed meanwhile is
	 * published before the rest is removed. */
	if (fl_objects_is_abandoned(&lake->objects, drafts, &lock) &&
	    fl_lake_publish_left(lake, &err) == 0 &&
	    fl_objects_list(&lake->objects, drafts, add_name, &names, &err) ==
		    0) {
		fl_log("removing what a writer that died left in '%s%s'",
		       lake->objects.place, drafts);
		for (size_t i = 0; i < names.count; i++) {
			char *path = fl_sprintf("%s/%s", drafts,
						names.entries[i].key);

			fl_objects_remove(&lake->objects, path);
			free(path);
		}
		fl_objects_remove(&lake->objects, drafts);
	}
	if (lock >= 0)
		close(lock);
	fl_map_release(&names, NULL);
}

int fl_lake_sweep(struct fl_lake *lake, struct fl_error *err)
{
	struct fl_map names = FL_MAP_INIT;
	int result = fl_objects_list(&lake->objects, FL_LAKE_DRAFTS, add_name,
				     &names, err);

	for (size_t i = 0; i < names.count && result == 0; i++) {
		char *drafts =
			fl_sprintf(FL_LAKE_DRAFTS "/%s", names.entries[i].key);

		sweep_one(lake, drafts);
		free(drafts);
	}
	fl_map_release(&names, NULL);
	fl_objects_tidy(&lake->objects, FL_LAKE_DRAFTS);
	return result;
}
