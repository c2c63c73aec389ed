/* s3: one bucket of S3, or of what speaks like it.
 *
 * A call is one request. Several are on their way at once: start them, then
 * finish each; whoever waits for one lets the others get on. What fails for a
 * while is asked again with back-off, each time signed anew. Nothing here knows
 * what objects hold.
 *
 * source  Amazon S3 API Reference
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_S3_H
#define FL_NET_S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define FL_S3_PARALLEL 8         /* requests at once */
#define FL_S3_KEY_MAX  1024      /* bytes of a key */
#define FL_S3_PART     (8 << 20) /* bytes of a part of a large object */

struct fl_s3;

/* errors  FL_ERR_USAGE no name of a bucket, no libcurl; FL_ERR_REFUSED there is
 *         no key; FL_ERR_AGAIN, FL_ERR_IO */
int fl_s3_open(struct fl_s3 **s3, const char *bucket, struct fl_error *err);
/* What is started and not finished is given up. NULL is fine; sets NULL. */
void fl_s3_close(struct fl_s3 **s3);

/* One request; zeroed but for what is asked. Stays where it is, and what it
 * borrows too, until it is finished or forgotten. */
struct fl_s3_call {
	const char *method; /* GET PUT HEAD DELETE POST */
	const char *key;    /* NULL: the bucket's own */
	const char *query;  /* "uploadId=%2F", encoded; NULL */
	const void *body;   /* len bytes; NULL */
	size_t len;
	const char *copy_of;  /* PUT: a copy of that key */
	const char *match;    /* only if its ETag is that */
	uint64_t from, count; /* GET: these bytes; count 0: all */
	bool exclusive;       /* If-None-Match: *, only when it is not there */
	bool encrypted;       /* it makes an object: as FL_S3_SSE has it */
	int64_t until_ns;     /* monotonic: no try begins later; 0: whenever */

	/* The answer, when finished. */
	unsigned status;
	struct fl_buf answer;
	char etag[100];
	uint64_t size; /* of the whole object, of GET and HEAD */
	bool unknown;  /* failed, and yet it may have been done */

	/* s3.c's own. */
	struct fl_s3_call *next;
	struct fl_s3 *s3;
	struct fl_buf path; /* of the URL */
	char hash[65];
	bool sent, done, sure;
	unsigned turns;
	enum fl_code code;
	char why[500];
};

void fl_s3_start(struct fl_s3 *s3, struct fl_s3_call *call);
/* Wait for its answer.
 * returns 1; 0 there is no such object (404), it is there already or is another
 *         one (412: `exclusive` and `match`), or nothing is there to begin with
 *         `from` (416); -1
 * errors  FL_ERR_AGAIN no answer, or none but errors of the server;
 *         FL_ERR_REFUSED no such bucket, not allowed, the clocks differ */
int fl_s3_finish(struct fl_s3 *s3, struct fl_s3_call *call,
		 struct fl_error *err);
/* Both. */
int fl_s3_ask(struct fl_s3 *s3, struct fl_s3_call *call, struct fl_error *err);
/* Let others get on, without waiting. */
void fl_s3_work(struct fl_s3 *s3);
bool fl_s3_is_done(const struct fl_s3_call *call);
/* Forget it, finished or not, and free what the answer holds. */
void fl_s3_call_release(struct fl_s3_call *call);

/* What a listing has, in the order of keys' bytes. */
struct fl_s3_item {
	const char *name; /* behind the prefix; of a folder without '/' */
	bool is_folder;
	uint64_t size;
	int64_t modified_ns; /* FL_TIME_NONE: of a folder */
};

/* What is right below a prefix, or with `deep` all that is: page by page.
 * each  returns below 0 to end it; the listing returns that */
int fl_s3_list(struct fl_s3 *s3, const char *prefix, bool deep,
	       int (*each)(void *arg, const struct fl_s3_item *item,
			   struct fl_error *err),
	       void *arg, struct fl_error *err);
/* Remove an object; one that is not there is fine. */
int fl_s3_remove(struct fl_s3 *s3, const char *key, struct fl_error *err);

/* The bucket as messages name it: "s3://lake" */
const char *fl_s3_name(const struct fl_s3 *s3);
/* Append to a query: "&name=value", encoded; without "&" at its start. */
void fl_s3_put_query(struct fl_buf *query, const char *name, const char *value);

#endif
