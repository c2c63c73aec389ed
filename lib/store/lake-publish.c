/* lake-publish: prepared objects into their places, and what was left behind.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/crash.h"
#include "store/lake.h"

enum {
	/* More folders than these are synced with all that is. */
	FEW_FOLDERS = 16,
	STALE_S = 3600, /* temporary objects this old may be swept */
};

/* The folder of an object, and with `all` those above it. */
static void add_folders(struct fl_map *dirs, const char *path, bool all)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	*fl_map_at(dirs, path, len) = dirs;
	while (all && len) {
		do {
			len--;
		} while (len && path[len] != '/');
		*fl_map_at(dirs, path, len) = dirs;
	}
}

static int sync_folders(struct fl_lake *lake, const struct fl_map *dirs,
			struct fl_error *err)
{
	if (dirs->count > FEW_FOLDERS)
		return fl_folder_sync_all(&lake->folder, err);
	for (size_t i = 0; i < dirs->count; i++) {
		if (fl_folder_sync(&lake->folder, dirs->entries[i].key, err) <
		    0)
			return -1;
	}
	return 0;
}

int fl_lake_publish(struct fl_lake *lake, const struct fl_lake_named *objects,
		    size_t count, struct fl_error *err)
{
	struct fl_map dirs = FL_MAP_INIT;
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		int got = fl_folder_publish(&lake->folder, objects[i].from,
					    objects[i].to, err);

		if (got < 0)
			result = -1;
		/* Who put it there before us may have died before this. */
		add_folders(&dirs, objects[i].to, got != 1);
		fl_crash_at("lake_published", i + 1);
	}
	if (result == 0)
		result = sync_folders(lake, &dirs, err);
	fl_map_release(&dirs, NULL);
	return result;
}

static int publish_one(void *arg, struct fl_lake_commit *commit,
		       struct fl_error *err)
{
	return fl_lake_publish(arg, commit->objects, commit->object_count, err);
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
	char *lock = fl_sprintf("%s/lock", drafts);
	int64_t age = fl_folder_age(&lake->folder, drafts);
	bool locked = fl_folder_age(&lake->folder, lock) >= 0;
	int fd = age < STALE_S ? -1 : fl_folder_lock(&lake->folder, lock);

	/* Its owner is dead for sure only now: what it committed meanwhile is
	 * published before the rest is removed. */
	if (age >= STALE_S && (fd >= 0 || !locked) &&
	    fl_lake_publish_left(lake, &err) == 0 &&
	    fl_folder_list(&lake->folder, drafts, add_name, &names, &err) ==
		    0) {
		fl_log("removing what a writer that died left in '%s%s'",
		       lake->folder.place, drafts);
		for (size_t i = 0; i < names.count; i++) {
			char *path = fl_sprintf("%s/%s", drafts,
						names.entries[i].key);

			fl_folder_remove(&lake->folder, path);
			free(path);
		}
		fl_folder_remove(&lake->folder, drafts);
	}
	if (fd >= 0)
		close(fd);
	fl_map_release(&names, NULL);
	free(lock);
}

/* A writer holds the lock of its folder while it lives; the age is for those
 * who have made one and not locked it yet, and for file systems without locks.
 */
int fl_lake_sweep(struct fl_lake *lake, struct fl_error *err)
{
	struct fl_map names = FL_MAP_INIT;
	int result = fl_folder_list(&lake->folder, FL_LAKE_DRAFTS, add_name,
				    &names, err);

	for (size_t i = 0; i < names.count && result == 0; i++) {
		char *drafts =
			fl_sprintf(FL_LAKE_DRAFTS "/%s", names.entries[i].key);

		sweep_one(lake, drafts);
		free(drafts);
	}
	fl_map_release(&names, NULL);
	return result;
}
