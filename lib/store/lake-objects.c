/* lake-objects: see lake-objects.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/lake-objects.h"

#include <stdlib.h>
#include <string.h>

int fl_objects_open(struct fl_objects *objects, const char *path, bool make,
		    struct fl_error *err)
{
	objects->ops = strncmp(path, "s3://", 5) == 0 ? &fl_objects_s3
						      : &fl_objects_folder;
	return objects->ops->open(objects, path, make, err);
}

void fl_objects_close(struct fl_objects *objects)
{
	if (objects->state)
		objects->ops->close(objects);
	objects->state = NULL;
	free(objects->place);
	objects->place = NULL;
}

int fl_objects_hold(struct fl_objects *objects, const char *drafts,
		    struct fl_error *err)
{
	return objects->ops->hold(objects, drafts, err);
}

void fl_objects_let_go(struct fl_objects *objects, const char *drafts)
{
	objects->ops->let_go(objects, drafts);
}

bool fl_objects_is_abandoned(struct fl_objects *objects, const char *drafts,
			     int *lock)
{
	*lock = -1;
	return objects->ops->is_abandoned(objects, drafts, lock);
}

void fl_objects_tidy(struct fl_objects *objects, const char *drafts)
{
	if (objects->ops->tidy)
		objects->ops->tidy(objects, drafts);
}

int fl_objects_create(struct fl_objects *objects, const char *path,
		      struct fl_object_out **out, struct fl_error *err)
{
	*out = NULL;
	return objects->ops->create(objects, path, out, err);
}

int fl_objects_write(struct fl_objects *objects, struct fl_object_out *out,
		     const void *bytes, size_t len, struct fl_error *err)
{
	return objects->ops->write(out, bytes, len, err);
}

bool fl_objects_appear_whole(const struct fl_objects *objects)
{
	return objects->ops->whole;
}

int fl_objects_seal(struct fl_objects *objects, struct fl_object_out **out,
		    bool keep, bool few, struct fl_error *err)
{
	return *out ? objects->ops->seal(out, keep, few, err) : 0;
}

int fl_objects_settle(struct fl_objects *objects, const char *drafts,
		      struct fl_error *err)
{
	return objects->ops->settle(objects, drafts, err);
}

int fl_objects_claim(struct fl_objects *objects, const char *draft,
		     const char *path, const void *bytes, size_t len,
		     struct fl_error *err)
{
	return objects->ops->claim(objects, draft, path, bytes, len, err);
}

int fl_objects_prove(struct fl_objects *objects, const char *path,
		     const void *bytes, size_t len, struct fl_error *err)
{
	return objects->ops->prove(objects, path, bytes, len, err);
}

int fl_objects_publish(struct fl_objects *objects,
		       const struct fl_lake_named *named, size_t count,
		       bool ours, struct fl_error *err)
{
	return objects->ops->publish(objects, named, count, ours, err);
}

int fl_objects_get(struct fl_objects *objects, const char *path,
		   struct fl_object_in **in, struct fl_error *err)
{
	*in = NULL;
	return objects->ops->get(objects, path, in, err);
}

ssize_t fl_objects_pull(struct fl_objects *objects, struct fl_object_in *in,
			void *bytes, size_t size, struct fl_error *err)
{
	return objects->ops->pull(in, bytes, size, err);
}

void fl_objects_frames(const struct fl_objects *objects,
		       struct fl_object_in *in, struct fl_frames *frames)
{
	*frames = (struct fl_frames){
		.fd = -1,
		.pull = objects->ops->pull,
		.seek = objects->ops->seek,
		.from = in,
	};
}

bool fl_objects_is_gone(const struct fl_objects *objects,
			const struct fl_object_in *in)
{
	return objects->ops->is_gone && objects->ops->is_gone(in);
}

void fl_objects_end(struct fl_objects *objects, struct fl_object_in **in)
{
	if (*in)
		objects->ops->end(in);
	*in = NULL;
}

int fl_objects_list(struct fl_objects *objects, const char *path,
		    int (*each)(void *arg, const char *name), void *arg,
		    struct fl_error *err)
{
	return objects->ops->list(objects, path, each, arg, err);
}

bool fl_objects_lists_all(const struct fl_objects *objects)
{
	return objects->ops->list_all != NULL;
}

int fl_objects_list_all(struct fl_objects *objects, const char *path,
			int (*each)(void *arg, const char *name), void *arg,
			struct fl_error *err)
{
	return objects->ops->list_all(objects, path, each, arg, err);
}

void fl_objects_expect(struct fl_objects *objects, const char *path)
{
	if (objects->ops->expect)
		objects->ops->expect(objects, path);
}

bool fl_objects_is_restless(struct fl_objects *objects, const char *path,
			    int64_t before)
{
	return objects->ops->is_restless(objects, path, before);
}

int64_t fl_objects_changed(struct fl_objects *objects, const char *path)
{
	return objects->ops->changed(objects, path);
}

void fl_objects_remove(struct fl_objects *objects, const char *path)
{
	objects->ops->remove(objects, path);
}

int fl_objects_removed(struct fl_objects *objects, struct fl_error *err)
{
	return objects->ops->removed(objects, err);
}

void fl_objects_forgive(struct fl_objects *objects)
{
	struct fl_error ignored = { .code = FL_OK };

	(void)objects->ops->removed(objects, &ignored);
}
