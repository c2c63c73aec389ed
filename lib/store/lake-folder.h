/* lake-folder: what a lake needs of a place that holds objects, done in a
 * folder. Paths are relative to the place. Nothing here knows records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_LAKE_FOLDER_H
#define FL_STORE_LAKE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fl_folder {
	int fd;
	char *place; /* ends with '/'; for messages */
};

/* returns 1; 0 it is not there; -1
 * errors  FL_ERR_IO cannot open; FL_ERR_REFUSED is a file */
int fl_folder_open(struct fl_folder *folder, const char *path,
		   struct fl_error *err);
/* The same, made when it is not there. */
int fl_folder_make(struct fl_folder *folder, const char *path,
		   struct fl_error *err);
void fl_folder_close(struct fl_folder *folder);

/* A new object; folders before its name are made. It must not be there yet.
 * returns the descriptor to write to, -1 */
int fl_folder_create(struct fl_folder *folder, const char *path,
		     struct fl_error *err);
/* Let it be durable, and close it, also when that fails. */
int fl_folder_seal(struct fl_folder *folder, const char *path, int fd,
		   bool sync, struct fl_error *err);
/* All that was written so far is durable, folders too. */
int fl_folder_sync_all(struct fl_folder *folder, struct fl_error *err);
/* The names in one folder are durable. */
int fl_folder_sync(struct fl_folder *folder, const char *path,
		   struct fl_error *err);

/* Make the object of bytes[len], durable, unless there is one. It is written
 * under the name `draft` first.
 * returns 1 made; 0 there is one already; -1; 2 made, but whether it would
 *         outlast a power cut is not known: err says why */
int fl_folder_claim(struct fl_folder *folder, const char *draft,
		    const char *path, const void *bytes, size_t len,
		    struct fl_error *err);
/* Rename, over what may be there; folders before the new name are made. Not
 * durable yet: that takes a sync of the name's folder, and where folders were
 * made of those above it.
 * returns 1; 2 folders were made; 0 there is no `from` (any more); -1 */
int fl_folder_publish(struct fl_folder *folder, const char *from,
		      const char *to, struct fl_error *err);
/* returns a descriptor for reading; -1 with err.code FL_OK: it is not there */
int fl_folder_read(struct fl_folder *folder, const char *path,
		   struct fl_error *err);
/* Each name in a folder, but those that begin with '.'; a folder that is not
 * there has none. each: returns below 0 to end it. */
int fl_folder_list(struct fl_folder *folder, const char *path,
		   int (*each)(void *arg, const char *name), void *arg,
		   struct fl_error *err);
/* Was the folder changed in the last hundredth of a second, or while it was
 * listed (`before`: fl_folder_changed's value then)? Names that are renamed
 * meanwhile may be missed. */
bool fl_folder_is_restless(struct fl_folder *folder, const char *path,
			   int64_t before);
int64_t fl_folder_changed(struct fl_folder *folder, const char *path);
/* Remove an object or an empty folder; what is not there is fine. */
void fl_folder_remove(struct fl_folder *folder, const char *path);
/* Take the lock of a path, which the process holds until it closes the
 * descriptor or dies. returns it; -1 somebody else has it, or no such path */
int fl_folder_lock(struct fl_folder *folder, const char *path);
/* Seconds since the path was last changed; -1 when it is not there. */
int64_t fl_folder_age(struct fl_folder *folder, const char *path);

/* "cannot <doing> 'lake/<path>': <errno>".  returns -1 */
int fl_folder_fault(const struct fl_folder *folder, const char *doing,
		    const char *path, struct fl_error *err);

#endif
