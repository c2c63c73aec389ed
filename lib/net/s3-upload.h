/* s3-upload: an object that is sent as it is made.
 *
 * A small one goes in one request; a large one in parts, several at a time, of
 * which each is tried again for itself. What is in memory is the parts on their
 * way and the one that fills.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_S3_UPLOAD_H
#define FL_NET_S3_UPLOAD_H

#include "net/s3.h"

#define FL_S3_PARTS_AT_ONCE 3

struct fl_s3_upload;

/* Nothing is sent yet.  part: bytes of a part; 0: FL_S3_PART */
struct fl_s3_upload *fl_s3_upload_new(struct fl_s3 *s3, const char *key,
				      size_t part);
int fl_s3_upload_write(struct fl_s3_upload *upload, const void *bytes,
		       size_t len, struct fl_error *err);
/* All of it was written: what is left gets on its way. */
void fl_s3_upload_end(struct fl_s3_upload *upload);
/* Bytes in memory, for who has several. */
size_t fl_s3_upload_held(const struct fl_s3_upload *upload);
/* Wait until the object is there; ends it first.
 * exclusive  only when none is: else 0
 * returns 1, 0, -1 */
int fl_s3_upload_finish(struct fl_s3_upload *upload, bool exclusive,
			struct fl_error *err);
/* One that is not finished is given up, and its parts removed. NULL is fine */
void fl_s3_upload_free(struct fl_s3_upload *upload);

/* Remove the parts of objects that nobody has finished, and that were begun
 * before. Keys begin with the prefix. */
int fl_s3_upload_sweep(struct fl_s3 *s3, const char *prefix, int64_t before_ns,
		       struct fl_error *err);

#endif
