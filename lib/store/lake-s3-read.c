/* lake-s3-read: objects of a lake in a bucket of S3, read and listed.
 *
 * An object comes in ranges, of which the next ones are on their way while one
 * is read; so memory is a few of them, whatever its size. The first one is
 * small, for who looks at the beginning of many.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/lake-s3.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum {
	FIRST = 256 << 10, /* bytes asked for when an object is opened */
	CHUNK = 1 << 20,   /* later */
	AHEAD = 2,         /* chunks on their way while one is read */
	EXPECTED = 8,      /* objects whose beginning is asked for early */
};

struct fl_object_in {
	struct fl_lake_bucket *bucket;
	char *key, *etag;
	uint64_t size, asked; /* of the object; up to where it was asked for */
	uint64_t until;       /* up to where it is to be asked for */
	struct fl_s3_call now;
	uint64_t begin; /* of now.answer in the object */
	size_t at;      /* in now.answer */
	bool gone;
	struct fl_s3_call ahead[AHEAD];
	size_t first, count; /* of those that are on their way */
};

/* --- reading ---------------------------------------------------------------
 */

static struct fl_s3_call *slot(struct fl_object_in *in, size_t i)
{
	return &in->ahead[(in->first + i) % AHEAD];
}

static void ask_ahead(struct fl_object_in *in)
{
	while (in->count < AHEAD && in->asked < in->until) {
		struct fl_s3_call *call = slot(in, in->count++);
		uint64_t left = in->until - in->asked;

		*call = (struct fl_s3_call){
			.method = "GET",
			.key = in->key,
			.match = *in->etag ? in->etag : NULL,
			.from = in->asked,
			.count = left < CHUNK ? left : CHUNK,
		};
		in->asked += call->count;
		fl_s3_start(in->bucket->s3, call);
	}
}

void fl_lake_s3_end(struct fl_object_in **out)
{
	struct fl_object_in *in = *out;

	*out = NULL;
	fl_s3_call_release(&in->now);
	for (size_t i = 0; i < in->count; i++)
		fl_s3_call_release(slot(in, i));
	free(in->etag);
	free(in->key);
	free(in);
}

static bool is_expected(const struct fl_lake_bucket *bucket, const char *key)
{
	const struct fl_lake_errand *at = bucket->expected;

	while (at && strcmp(at->key, key) != 0)
		at = at->next;
	return at != NULL;
}

/* NULL: it is not. */
static struct fl_lake_errand *take_expected(struct fl_lake_bucket *bucket,
					    const char *key)
{
	for (struct fl_lake_errand **at = &bucket->expected; *at;
	     at = &(*at)->next) {
		struct fl_lake_errand *errand = *at;

		if (strcmp(errand->key, key) == 0) {
			*at = errand->next;
			bucket->expected_count--;
			return errand;
		}
	}
	return NULL;
}

void fl_lake_s3_expect(struct fl_objects *objects, const char *path)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	char *key = fl_lake_bucket_key(bucket, path);
	struct fl_lake_errand *errand;

	if (is_expected(bucket, key)) {
		free(key);
		return;
	}
	/* Those that nobody came for make room. */
	if (bucket->expected_count == EXPECTED)
		fl_lake_errand_free(
			take_expected(bucket, bucket->expected->key));
	errand = fl_lake_errand_new("GET", key);
	errand->call.count = FIRST;
	fl_lake_errand_append(&bucket->expected, errand);
	bucket->expected_count++;
	fl_s3_start(bucket->s3, &errand->call);
}

void fl_lake_s3_expect_none(struct fl_lake_bucket *bucket)
{
	while (bucket->expected)
		fl_lake_errand_free(
			take_expected(bucket, bucket->expected->key));
}

/* The object's first bytes.  returns 1, 0, -1 */
static int get_first(struct fl_object_in *in, struct fl_error *err)
{
	struct fl_lake_errand *early = take_expected(in->bucket, in->key);
	struct fl_error old = { .code = FL_OK };

	/* What it said early may be old by now, but for what is there. */
	if (early && fl_s3_finish(in->bucket->s3, &early->call, &old) > 0) {
		in->now = early->call;
		early->call = (struct fl_s3_call){ 0 };
		fl_lake_errand_free(early);
		return 1;
	}
	if (early)
		fl_lake_errand_free(early);
	in->now.method = "GET";
	in->now.key = in->key;
	in->now.count = FIRST;
	return fl_s3_ask(in->bucket->s3, &in->now, err);
}

int fl_lake_s3_get(struct fl_objects *objects, const char *path,
		   struct fl_object_in **out, struct fl_error *err)
{
	struct fl_object_in *in = fl_zalloc(sizeof(*in));
	int got;

	in->bucket = fl_lake_bucket_of(objects);
	in->key = fl_lake_bucket_key(in->bucket, path);
	got = get_first(in, err);
	if (got == 0 && in->now.status == 416) /* an empty one */
		got = 1;
	in->etag = fl_strdup(in->now.etag);
	in->size = in->now.size;
	in->asked = in->now.answer.len;
	/* Who does not know ranges gives all. */
	if (in->now.status == 200)
		in->size = in->asked;
	in->until = in->size;
	if (got > 0)
		*out = in;
	else
		fl_lake_s3_end(&in);
	return got;
}

bool fl_lake_s3_is_gone(const struct fl_object_in *in)
{
	return in->gone;
}

ssize_t fl_lake_s3_pull(void *arg, void *bytes, size_t size,
			struct fl_error *err)
{
	struct fl_object_in *in = arg;
	size_t left;

	while (in->at == in->now.answer.len) {
		uint64_t wanted;
		int got;

		/* More is wanted than was said. */
		if (in->count == 0 && in->asked == in->until)
			in->until = in->size;
		ask_ahead(in);
		if (in->count == 0)
			return 0;
		fl_s3_call_release(&in->now);
		in->now = (struct fl_s3_call){ 0 };
		in->at = 0;
		in->begin = slot(in, 0)->from;
		got = fl_s3_finish(in->bucket->s3, slot(in, 0), err);
		wanted = slot(in, 0)->count;
		if (got > 0 && slot(in, 0)->answer.len != wanted)
			got = fl_error_set(err, FL_ERR_AGAIN,
					   "cannot read '%s/%s': a part of it "
					   "came cut",
					   fl_s3_name(in->bucket->s3), in->key);
		in->gone = got == 0;
		if (got == 0)
			got = fl_error_set(
				err, FL_ERR_AGAIN,
				"'%s/%s' was removed while it was read",
				fl_s3_name(in->bucket->s3), in->key);
		if (got < 0)
			return -1;
		/* Finished, it is held by nobody and may move. */
		in->now = *slot(in, 0);
		in->first = (in->first + 1) % AHEAD;
		in->count--;
	}
	ask_ahead(in);
	fl_s3_work(in->bucket->s3);
	left = in->now.answer.len - in->at;
	if (left > size)
		left = size;
	memcpy(bytes, in->now.answer.data + in->at, left);
	in->at += left;
	return (ssize_t)left;
}

void fl_lake_s3_seek(void *arg, uint64_t at, uint64_t count)
{
	struct fl_object_in *in = arg;

	if (at > in->size)
		at = in->size;
	/* It is here, and what follows may be on its way. */
	if (at >= in->begin && at - in->begin <= in->now.answer.len) {
		in->at = (size_t)(at - in->begin);
	} else {
		fl_s3_call_release(&in->now);
		in->now = (struct fl_s3_call){ 0 };
		in->at = 0;
		while (in->count)
			fl_s3_call_release(slot(in, --in->count));
		in->begin = in->asked = at;
	}
	in->until = count < in->size - at ? at + count : in->size;
	if (in->until < in->asked)
		in->until = in->asked;
}

struct names {
	int (*each)(void *arg, const char *name);
	void *arg;
};

static int tell_name(void *arg, const struct fl_s3_item *item,
		     struct fl_error *err)
{
	const struct names *names = arg;

	(void)err;
	return *item->name == '.' ? 0 : names->each(names->arg, item->name);
}

static int list(struct fl_objects *objects, const char *path, bool deep,
		int (*each)(void *arg, const char *name), void *arg,
		struct fl_error *err)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	struct names names = { each, arg };
	char *prefix =
		fl_sprintf("%s%s%s", bucket->prefix, path, *path ? "/" : "");
	int result =
		fl_s3_list(bucket->s3, prefix, deep, tell_name, &names, err);

	free(prefix);
	return result;
}

int fl_lake_s3_list(struct fl_objects *objects, const char *path,
		    int (*each)(void *arg, const char *name), void *arg,
		    struct fl_error *err)
{
	return list(objects, path, false, each, arg, err);
}

/* A thousand names a request, in whatever folders they are. */
int fl_lake_s3_list_all(struct fl_objects *objects, const char *path,
			int (*each)(void *arg, const char *name), void *arg,
			struct fl_error *err)
{
	return list(objects, path, true, each, arg, err);
}
