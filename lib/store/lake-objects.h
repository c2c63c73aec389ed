/* lake-objects: what a lake needs of a place that holds objects.
 *
 * Two kinds of places give it: a folder (lake-folder.c) and a bucket of S3
 * (lake-s3.c). Paths are relative to the place. Nothing here knows records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_LAKE_OBJECTS_H
#define FL_STORE_LAKE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "io/frames.h"

struct fl_objects;
struct fl_object_out; /* an object that is being written */
struct fl_object_in;  /* one that is being read */

/* An object that has one name and is to have another. */
struct fl_lake_named {
	const char *from, *to;
};

struct fl_objects_ops {
	bool whole; /* see fl_objects_appear_whole */
	/* See fl_objects_open and the others below. */
	int (*open)(struct fl_objects *objects, const char *path, bool make,
		    struct fl_error *err);
	void (*close)(struct fl_objects *objects);
	int (*hold)(struct fl_objects *objects, const char *drafts,
		    struct fl_error *err);
	void (*let_go)(struct fl_objects *objects, const char *drafts);
	bool (*is_abandoned)(struct fl_objects *objects, const char *drafts,
			     int *lock);
	void (*tidy)(struct fl_objects *objects, const char *drafts);
	int (*create)(struct fl_objects *objects, const char *path,
		      struct fl_object_out **out, struct fl_error *err);
	int (*write)(struct fl_object_out *out, const void *bytes, size_t len,
		     struct fl_error *err);
	int (*seal)(struct fl_object_out **out, bool keep, bool few,
		    struct fl_error *err);
	int (*settle)(struct fl_objects *objects, const char *drafts,
		      struct fl_error *err);
	int (*claim)(struct fl_objects *objects, const char *draft,
		     const char *path, const void *bytes, size_t len,
		     struct fl_error *err);
	int (*prove)(struct fl_objects *objects, const char *path,
		     const void *bytes, size_t len, struct fl_error *err);
	int (*publish)(struct fl_objects *objects,
		       const struct fl_lake_named *named, size_t count,
		       bool ours, struct fl_error *err);
	int (*get)(struct fl_objects *objects, const char *path,
		   struct fl_object_in **in, struct fl_error *err);
	/* in: a struct fl_object_in, as fl_frames takes it */
	ssize_t (*pull)(void *in, void *bytes, size_t size,
			struct fl_error *err);
	void (*seek)(void *in, uint64_t at, uint64_t count);
	bool (*is_gone)(const struct fl_object_in *in);
	void (*end)(struct fl_object_in **in);
	int (*list)(struct fl_objects *objects, const char *path,
		    int (*each)(void *arg, const char *name), void *arg,
		    struct fl_error *err);
	int (*list_all)(struct fl_objects *objects, const char *path,
			int (*each)(void *arg, const char *name), void *arg,
			struct fl_error *err);
	void (*expect)(struct fl_objects *objects, const char *path);
	int64_t (*changed)(struct fl_objects *objects, const char *path);
	bool (*is_restless)(struct fl_objects *objects, const char *path,
			    int64_t before);
	void (*remove)(struct fl_objects *objects, const char *path);
	int (*removed)(struct fl_objects *objects, struct fl_error *err);
};
extern const struct fl_objects_ops fl_objects_folder, fl_objects_s3;

struct fl_objects {
	const struct fl_objects_ops *ops;
	char *place; /* ends with '/'; for messages */
	void *state; /* of the ops; NULL: not open */
};

/* Open the place, with `make` also one that is not there yet.
 * returns 1; 0 it is not there; -1
 * errors  FL_ERR_IO cannot open; FL_ERR_REFUSED is a file, no such bucket, not
 *         allowed; FL_ERR_USAGE; FL_ERR_AGAIN the server does not answer */
int fl_objects_open(struct fl_objects *objects, const char *path, bool make,
		    struct fl_error *err);
void fl_objects_close(struct fl_objects *objects);

/* All that we write and is not published is to be under this folder, and we
 * live: until let_go, which removes the folder when it is empty. */
int fl_objects_hold(struct fl_objects *objects, const char *drafts,
		    struct fl_error *err);
void fl_objects_let_go(struct fl_objects *objects, const char *drafts);
/* Is its owner dead for sure? Then *lock is to be closed after it was dealt
 * with, -1: not to be. */
bool fl_objects_is_abandoned(struct fl_objects *objects, const char *drafts,
			     int *lock);

/* Remove what was begun under this folder, is no object yet, and is nobody's.
 */
void fl_objects_tidy(struct fl_objects *objects, const char *drafts);

/* A new object, which must not be there yet. */
int fl_objects_create(struct fl_objects *objects, const char *path,
		      struct fl_object_out **out, struct fl_error *err);
int fl_objects_write(struct fl_objects *objects, struct fl_object_out *out,
		     const void *bytes, size_t len, struct fl_error *err);
/* Is an object seen only once it was sealed, with all that was written? */
bool fl_objects_appear_whole(const struct fl_objects *objects);
/* It is whole; NULL is fine, sets NULL, also when it fails. Durable once it was
 * settled. keep: else it need not be there. few: it is one of not many. */
int fl_objects_seal(struct fl_objects *objects, struct fl_object_out **out,
		    bool keep, bool few, struct fl_error *err);
/* All that was sealed is there for good. drafts: where it is; NULL: none was
 * made */
int fl_objects_settle(struct fl_objects *objects, const char *drafts,
		      struct fl_error *err);

/* Make the object of bytes[len], durable, unless there is one. It may be
 * written under the name `draft` first.
 * returns 1 made; 0 there is one already; -1; 2 it may have been made, or may
 *         not outlast a power cut: err says why */
int fl_objects_claim(struct fl_objects *objects, const char *draft,
		     const char *path, const void *bytes, size_t len,
		     struct fl_error *err);
/* Does a claim keep what is there? Of an object that is there and holds just
 * these bytes.
 * errors  FL_ERR_REFUSED it does not: of two writers both would win */
int fl_objects_prove(struct fl_objects *objects, const char *path,
		     const void *bytes, size_t len, struct fl_error *err);
/* Give objects their final names, over what may be there, durable. One that has
 * its name already is fine, and with `ours` one must be found by one of them.
 */
int fl_objects_publish(struct fl_objects *objects,
		       const struct fl_lake_named *named, size_t count,
		       bool ours, struct fl_error *err);

/* Begin to read.  returns 1, 0 it is not there, -1 */
int fl_objects_get(struct fl_objects *objects, const char *path,
		   struct fl_object_in **in, struct fl_error *err);
/* Its next bytes.  returns how many, 0 at the end, -1 */
ssize_t fl_objects_pull(struct fl_objects *objects, struct fl_object_in *in,
			void *bytes, size_t size, struct fl_error *err);
/* See fl_frames for `pull` and `seek`, which it is given. */
void fl_objects_frames(const struct fl_objects *objects,
		       struct fl_object_in *in, struct fl_frames *frames);
/* Did that fail for the object was removed meanwhile? */
bool fl_objects_is_gone(const struct fl_objects *objects,
			const struct fl_object_in *in);
void fl_objects_end(struct fl_objects *objects, struct fl_object_in **in);

/* Each name in a folder, but those that begin with '.'; a folder that is not
 * there has none. each: returns below 0 to end it. */
int fl_objects_list(struct fl_objects *objects, const char *path,
		    int (*each)(void *arg, const char *name), void *arg,
		    struct fl_error *err);
/* Is it quicker to list all that is under a folder than a few folders of it? */
bool fl_objects_lists_all(const struct fl_objects *objects);
/* The same for all that is under it: names are "dt=2026-01-02/part-…". */
int fl_objects_list_all(struct fl_objects *objects, const char *path,
			int (*each)(void *arg, const char *name), void *arg,
			struct fl_error *err);
/* It will be read soon: that may begin now. */
void fl_objects_expect(struct fl_objects *objects, const char *path);
/* Was the folder changed just now, or while it was listed (`before`:
 * fl_objects_changed's value then)? Names that are renamed meanwhile may be
 * missed. */
bool fl_objects_is_restless(struct fl_objects *objects, const char *path,
			    int64_t before);
int64_t fl_objects_changed(struct fl_objects *objects, const char *path);
/* Remove an object or an empty folder; what is not there is fine. */
void fl_objects_remove(struct fl_objects *objects, const char *path);
/* Is all gone that was to be removed since this was asked last?
 * errors  the first thing that could not be removed */
int fl_objects_removed(struct fl_objects *objects, struct fl_error *err);
/* Forget what could not: it is nothing to us. */
void fl_objects_forgive(struct fl_objects *objects);

#endif
