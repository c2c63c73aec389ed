/* lake-s3: what its two parts share: a bucket of S3 as the place of a lake.
 *
 *   lake-s3.c       opening, writing, names
 *   lake-s3-read.c  reading and listing
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_LAKE_S3_H
#define FL_STORE_LAKE_S3_H

#include "net/s3.h"
#include "store/lake-objects.h"

/* A request that is waited for later. */
struct fl_lake_errand {
	struct fl_lake_errand *next;
	struct fl_s3_call call;
	char *key, *copy_of;
};

struct fl_lake_bucket {
	struct fl_s3 *s3;
	char *prefix;                    /* "" or "PREFIX/" */
	struct fl_object_out *sealed;    /* not settled */
	struct fl_lake_errand *removes;  /* nobody waits for them */
	struct fl_lake_errand *expected; /* beginnings of objects */
	size_t expected_count;
	int64_t since_ns; /* wall clock: the oldest draft; 0: none */
};

struct fl_lake_bucket *fl_lake_bucket_of(const struct fl_objects *objects);
/* The key of a path; free() it. */
char *fl_lake_bucket_key(const struct fl_lake_bucket *bucket, const char *path);
/* key becomes its own. */
struct fl_lake_errand *fl_lake_errand_new(const char *method, char *key);
void fl_lake_errand_free(struct fl_lake_errand *errand);
void fl_lake_errand_append(struct fl_lake_errand **list,
			   struct fl_lake_errand *errand);

/* --- lake-s3-read.c: see struct fl_objects_ops -----------------------------
 */

int fl_lake_s3_get(struct fl_objects *objects, const char *path,
		   struct fl_object_in **out, struct fl_error *err);
ssize_t fl_lake_s3_pull(void *in, void *bytes, size_t size,
			struct fl_error *err);
void fl_lake_s3_seek(void *in, uint64_t at, uint64_t count);
bool fl_lake_s3_is_gone(const struct fl_object_in *in);
void fl_lake_s3_end(struct fl_object_in **in);
void fl_lake_s3_expect(struct fl_objects *objects, const char *path);
/* Nothing is expected any more. */
void fl_lake_s3_expect_none(struct fl_lake_bucket *bucket);
int fl_lake_s3_list(struct fl_objects *objects, const char *path,
		    int (*each)(void *arg, const char *name), void *arg,
		    struct fl_error *err);
int fl_lake_s3_list_all(struct fl_objects *objects, const char *path,
			int (*each)(void *arg, const char *name), void *arg,
			struct fl_error *err);

#endif
