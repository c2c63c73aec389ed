/* lake-raw: files kept as they are, beside the records of a lake.
 *
 *   raw/PROVIDER/dt=2026-11-20/HASH-NAME
 *
 * dt is the day on which the file was put there, HASH is XXH3-64 of what is in
 * it: so files of one name do not meet, and the same file twice a day is one.
 * Nothing here looks into a file.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/lake.h"

enum {
	CHUNK = 256 << 10,
};

struct copy {
	struct fl_lake *lake;
	const char *name; /* of the file, for messages */
	int fd;
	char *bytes; /* bytes[CHUNK] */
	uint64_t hash, size;
};

/* A chunk as full as can be, so that the hash does not hang on how a pipe
 * gives it.  returns how many bytes, 0 at the end, -1 */
static ssize_t read_chunk(struct copy *copy, struct fl_error *err)
{
	size_t len = 0;
	ssize_t got = 1;

	while (len < CHUNK && got != 0) {
		got = read(copy->fd, copy->bytes + len, CHUNK - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fl_error_set(err, FL_ERR_IO,
					    "cannot read '%s': %s", copy->name,
					    strerror(errno));
		len += (size_t)got;
	}
	if (len)
		copy->hash = fl_hash128(copy->bytes, len, copy->hash).lo;
	copy->size += len;
	return (ssize_t)len;
}

/* All of the file into an object, or with none only its hash. */
static int read_all(struct copy *copy, struct fl_object_out *out,
		    struct fl_error *err)
{
	ssize_t len;
	int result = 0;

	copy->hash = copy->size = 0;
	while (result == 0 && (len = read_chunk(copy, err)) != 0) {
		if (len < 0)
			return -1;
		if (out)
			result =
				fl_objects_write(&copy->lake->objects, out,
						 copy->bytes, (size_t)len, err);
	}
	return result;
}

static int write_object(struct copy *copy, const char *path,
			struct fl_error *err)
{
	struct fl_objects *objects = &copy->lake->objects;
	struct fl_object_out *out = NULL;
	int result = fl_objects_create(objects, path, &out, err);

	if (result == 0)
		result = read_all(copy, out, err);
	if (fl_objects_seal(objects, &out, result == 0, true, err) < 0)
		result = -1;
	if (result == 0)
		result = fl_objects_settle(objects, copy->lake->drafts, err);
	return result;
}

static char *path_of(const struct copy *copy, const char *provider)
{
	const char *base = strrchr(copy->name, '/');
	struct fl_buf path = FL_BUF_INIT;
	char now[FL_TIME_TEXT];

	fl_time_print(fl_now_ns(), now);
	fl_buf_puts(&path, "raw/");
	fl_lake_put_pipeline(&path, provider);
	fl_buf_printf(&path, "/dt=%.10s/%016llx-", now,
		      (unsigned long long)copy->hash);
	fl_lake_put_pipeline(&path, base ? base + 1 : copy->name);
	return fl_buf_take(&path);
}

/* Where objects appear whole they are written in their place, once their name
 * is known. */
static int put_in_place(struct copy *copy, const char *provider, char **path,
			struct fl_error *err)
{
	uint64_t hash;

	if (read_all(copy, NULL, err) < 0)
		return -1;
	hash = copy->hash;
	*path = path_of(copy, provider);
	if (lseek(copy->fd, 0, SEEK_SET) < 0)
		return fl_error_set(err, FL_ERR_IO, "cannot read '%s': %s",
				    copy->name, strerror(errno));
	if (write_object(copy, *path, err) < 0)
		return -1;
	if (copy->hash == hash)
		return 0;
	fl_objects_remove(&copy->lake->objects, *path);
	return fl_error_set(err, FL_ERR_AGAIN,
			    "'%s' was written to while it was read: try again",
			    copy->name);
}

static int put_by_draft(struct copy *copy, const char *provider, char **path,
			struct fl_error *err)
{
	char *draft = fl_lake_draft(copy->lake, err);
	struct fl_lake_named named;
	int result = draft ? write_object(copy, draft, err) : -1;

	if (result == 0) {
		*path = path_of(copy, provider);
		named = (struct fl_lake_named){ draft, *path };
		result = fl_objects_publish(&copy->lake->objects, &named, 1,
					    true, err);
	} else if (draft) {
		fl_objects_remove(&copy->lake->objects, draft);
	}
	free(draft);
	return result;
}

int fl_lake_raw(struct fl_lake *lake, const char *provider, const char *name,
		int fd, char **path, uint64_t *size, struct fl_error *err)
{
	struct copy copy = { .lake = lake, .name = name, .fd = fd };
	bool again = lseek(fd, 0, SEEK_CUR) == 0;
	int result;

	*path = NULL;
	copy.bytes = fl_alloc(CHUNK);
	result = again && fl_objects_appear_whole(&lake->objects)
			 ? put_in_place(&copy, provider, path, err)
			 : put_by_draft(&copy, provider, path, err);
	if (result == 0)
		fl_log("'%s' is '%s%s'", name, lake->objects.place, *path);
	else
		free(*path);
	if (result < 0)
		*path = NULL;
	*size = copy.size;
	free(copy.bytes);
	return result;
}
