/* lake-s3: objects of a lake in a bucket of S3; see lake-objects.h.
 *
 * A claim is PUT with If-None-Match: *, of which the server lets one writer
 * through. Drafts are objects under _tmp/, and publishing is a copy within the
 * server, then the removal of the draft. Turned down: uploads that are not yet
 * completed as drafts. A reader must get at what is committed and not published
 * yet, for its writer may have died; nobody can read such an upload, and who
 * only reads may not complete it. The copy moves no bytes through us, and the
 * requests are as many.
 *
 * There is no lock that ends with a process. So drafts are another's to remove
 * after a day, and a batch that has written for half a day is not committed any
 * more.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/lake-s3.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "net/s3-upload.h"
#include "store/crash.h"

#define STALE    FL_DAY       /* drafts this old may be swept */
#define TOO_LONG (FL_DAY / 2) /* and these are not committed any more */

enum {
	PENDING = 32 << 20 /* bytes of sealed objects that wait */
};

struct fl_object_out {
	struct fl_object_out *next;
	struct fl_lake_bucket *bucket;
	struct fl_s3_upload *upload;
};

struct fl_lake_bucket *fl_lake_bucket_of(const struct fl_objects *objects)
{
	return objects->state;
}

char *fl_lake_bucket_key(const struct fl_lake_bucket *bucket, const char *path)
{
	return fl_sprintf("%s%s", bucket->prefix, path);
}

/* --- errands ---------------------------------------------------------------
 */

void fl_lake_errand_free(struct fl_lake_errand *errand)
{
	fl_s3_call_release(&errand->call);
	free(errand->key);
	free(errand->copy_of);
	free(errand);
}

void fl_lake_errand_append(struct fl_lake_errand **list,
			   struct fl_lake_errand *errand)
{
	while (*list)
		list = &(*list)->next;
	*list = errand;
}

/* Wait for all of them; the first error stands. */
static int finish_all(struct fl_lake_bucket *bucket,
		      struct fl_lake_errand **list, struct fl_error *err)
{
	int result = 0;

	while (*list) {
		struct fl_lake_errand *errand = *list;

		*list = errand->next;
		if (fl_s3_finish(bucket->s3, &errand->call, err) < 0)
			result = -1;
		fl_lake_errand_free(errand);
	}
	return result;
}

struct fl_lake_errand *fl_lake_errand_new(const char *method, char *key)
{
	struct fl_lake_errand *errand = fl_zalloc(sizeof(*errand));

	errand->key = key;
	errand->call.method = method;
	errand->call.key = key;
	return errand;
}

/* What cannot be removed is left for who sweeps. */
static void forget_removes(struct fl_lake_bucket *bucket)
{
	struct fl_error err = { .code = FL_OK };

	if (finish_all(bucket, &bucket->removes, &err) < 0)
		fl_log("%s", err.text);
}

static int removed(struct fl_objects *objects, struct fl_error *err)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);

	return finish_all(bucket, &bucket->removes, err);
}

static void remove_key(struct fl_objects *objects, const char *path)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	struct fl_lake_errand *errand =
		fl_lake_errand_new("DELETE", fl_lake_bucket_key(bucket, path));

	fl_lake_errand_append(&bucket->removes, errand);
	fl_s3_start(bucket->s3, &errand->call);
}

/* --- opening ---------------------------------------------------------------
 */

/* Parts that some servers, which keep objects as files, make something of. */
static bool is_odd(const char *prefix)
{
	for (const char *at = prefix; *at;) {
		size_t len = strcspn(at, "/");

		if (len == 0 || strncmp(at, "..", len) == 0 ||
		    strncmp(at, ".", len) == 0)
			return true;
		for (size_t i = 0; i < len; i++) {
			if ((unsigned char)at[i] < ' ' || at[i] == 0x7f)
				return true;
		}
		at += len + (at[len] == '/');
	}
	return strlen(prefix) > FL_S3_KEY_MAX / 2;
}

static int note_any(void *arg, const struct fl_s3_item *item,
		    struct fl_error *err)
{
	(void)item;
	(void)err;
	*(bool *)arg = true;
	return -2; /* that one is enough */
}

static int open_bucket(struct fl_objects *objects, const char *path, bool make,
		       struct fl_error *err)
{
	const char *name = path + strlen("s3://");
	size_t len = strcspn(name, "/");
	const char *prefix = name + len + (name[len] == '/');
	size_t prefix_len = strlen(prefix);
	char *bucket_name = fl_strndup(name, len);
	struct fl_s3 *s3 = NULL;
	struct fl_lake_bucket *bucket;
	bool any = false;
	int got;

	if (prefix_len && prefix[prefix_len - 1] == '/')
		prefix_len--;
	objects->place =
		fl_sprintf("s3://%s/%.*s%s", bucket_name, (int)prefix_len,
			   prefix, prefix_len ? "/" : "");
	if (is_odd(prefix))
		got = fl_error_set(err, FL_ERR_USAGE,
				   "'%s' is no place: s3://BUCKET/PREFIX, and "
				   "in the prefix no empty part, none of dots, "
				   "no control character",
				   fl_show(path, strlen(path), 200));
	else
		got = fl_s3_open(&s3, bucket_name, err);
	free(bucket_name);
	if (got < 0)
		return -1;
	objects->state = bucket = fl_zalloc(sizeof(*bucket));
	bucket->s3 = s3;
	bucket->prefix = fl_sprintf("%.*s%s", (int)prefix_len, prefix,
				    prefix_len ? "/" : "");
	if (make)
		return 1;
	got = fl_s3_list(s3, bucket->prefix, false, note_any, &any, err);
	return any ? 1 : got < 0 ? -1 : 0;
}

static int settle(struct fl_objects *objects, const char *drafts,
		  struct fl_error *err);

static void close_bucket(struct fl_objects *objects)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	struct fl_error ignored = { .code = FL_OK };

	(void)settle(objects, NULL, &ignored);
	forget_removes(bucket);
	fl_lake_s3_expect_none(bucket);
	fl_s3_close(&bucket->s3);
	free(bucket->prefix);
	free(bucket);
}

/* --- who lives -------------------------------------------------------------
 */

static int hold(struct fl_objects *objects, const char *drafts,
		struct fl_error *err)
{
	(void)objects;
	(void)drafts;
	(void)err;
	return 0;
}

static void let_go(struct fl_objects *objects, const char *drafts)
{
	(void)drafts;
	forget_removes(fl_lake_bucket_of(objects));
}

static int note_newest(void *arg, const struct fl_s3_item *item,
		       struct fl_error *err)
{
	int64_t *newest = arg;

	(void)err;
	if (item->modified_ns > *newest)
		*newest = item->modified_ns;
	return 0;
}

static bool is_abandoned(struct fl_objects *objects, const char *drafts,
			 int *lock)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	char *prefix = fl_sprintf("%s%s/", bucket->prefix, drafts);
	struct fl_error err = { .code = FL_OK };
	int64_t newest = FL_TIME_NONE;
	int got = fl_s3_list(bucket->s3, prefix, true, note_newest, &newest,
			     &err);

	(void)lock;
	free(prefix);
	return got == 0 && newest != FL_TIME_NONE &&
	       fl_now_ns() - newest > STALE;
}

/* Not everybody who may write may look for such. */
static void tidy(struct fl_objects *objects, const char *drafts)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	char *prefix = fl_sprintf("%s%s/", bucket->prefix, drafts);
	struct fl_error err = { .code = FL_OK };

	if (fl_s3_upload_sweep(bucket->s3, prefix, fl_now_ns() - STALE, &err) <
	    0)
		fl_log("%s", err.text);
	free(prefix);
}

/* --- writing ---------------------------------------------------------------
 */

static int create_object(struct fl_objects *objects, const char *path,
			 struct fl_object_out **out, struct fl_error *err)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	char *key = fl_lake_bucket_key(bucket, path);

	(void)err;
	if (!bucket->since_ns)
		bucket->since_ns = fl_now_ns();
	*out = fl_zalloc(sizeof(**out));
	(*out)->bucket = bucket;
	(*out)->upload = fl_s3_upload_new(bucket->s3, key, 0);
	free(key);
	return 0;
}

static int write_object(struct fl_object_out *out, const void *bytes,
			size_t len, struct fl_error *err)
{
	return fl_s3_upload_write(out->upload, bytes, len, err);
}

static void free_object(struct fl_object_out *out)
{
	fl_s3_upload_free(out->upload);
	free(out);
}

/* Wait for the first of those that were sealed. */
static int finish_first(struct fl_lake_bucket *bucket, struct fl_error *err)
{
	struct fl_object_out *out = bucket->sealed;
	int got = fl_s3_upload_finish(out->upload, false, err);

	bucket->sealed = out->next;
	free_object(out);
	return got < 0 ? -1 : 0;
}

/* It gets there while others are made. */
static int seal_object(struct fl_object_out **out, bool keep, bool few,
		       struct fl_error *err)
{
	struct fl_object_out *object = *out, **last;
	struct fl_lake_bucket *bucket = object->bucket;
	size_t pending = 0;

	(void)few;
	*out = NULL;
	if (!keep) {
		free_object(object);
		return 0;
	}
	fl_s3_upload_end(object->upload);
	for (last = &bucket->sealed; *last; last = &(*last)->next)
		pending += fl_s3_upload_held((*last)->upload);
	*last = object;
	return pending > PENDING ? finish_first(bucket, err) : 0;
}

static int settle(struct fl_objects *objects, const char *drafts,
		  struct fl_error *err)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	int result = 0;

	(void)drafts;
	while (bucket->sealed) {
		if (finish_first(bucket, err) < 0)
			result = -1;
	}
	return result;
}

/* --- names -----------------------------------------------------------------
 */

/* Are these the bytes that are there?  returns 1, 0, -1 */
static int holds(struct fl_lake_bucket *bucket, const char *key,
		 const void *bytes, size_t len, struct fl_error *err)
{
	struct fl_s3_call call = { .method = "GET", .key = key };
	int got = fl_s3_ask(bucket->s3, &call, err);

	if (got > 0)
		got = call.answer.len == len &&
		      (len == 0 || memcmp(call.answer.data, bytes, len) == 0);
	fl_s3_call_release(&call);
	return got;
}

/* "Taken" may be the answer to a second try of ours, after one of which only
 * the answer was lost; libcurl, too, sends again on a connection that it finds
 * closed. Bytes tell: those of a commit name its writer. */
static int claim(struct fl_objects *objects, const char *draft,
		 const char *path, const void *bytes, size_t len,
		 struct fl_error *err)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	struct fl_s3_call call = {
		.method = "PUT",
		.body = bytes,
		.len = len,
		.exclusive = true,
		.encrypted = true,
		.until_ns = bucket->since_ns ? bucket->since_ns + TOO_LONG : 0,
	};
	char *key = fl_lake_bucket_key(bucket, path);
	bool unknown;
	int got;

	(void)draft;
	call.key = key;
	got = fl_s3_ask(bucket->s3, &call, err);
	unknown = call.unknown;
	fl_s3_call_release(&call);
	if (got == 0 || unknown) {
		struct fl_error late = { .code = FL_OK };

		got = holds(bucket, key, bytes, len, &late);
		if (got > 0)
			fl_error_clear(err);
		else if (got == 0 && unknown)
			got = -1; /* it was not done, or another one was */
		else if (got < 0)
			got = 2;
		if (got == 2)
			fl_error_set(err, late.code, "%s", late.text);
	}
	free(key);
	return got;
}

/* Who ignores If-None-Match writes what is there already. */
static int prove(struct fl_objects *objects, const char *path,
		 const void *bytes, size_t len, struct fl_error *err)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	char *key = fl_lake_bucket_key(bucket, path);
	struct fl_s3_call call = {
		.method = "PUT",
		.key = key,
		.body = bytes,
		.len = len,
		.exclusive = true,
		.encrypted = true,
	};
	int got = fl_s3_ask(bucket->s3, &call, err);

	if (got > 0 || (got < 0 && call.status == 501)) {
		fl_error_clear(err);
		got = fl_error_set(
			err, FL_ERR_REFUSED,
			"the server of '%s' does not keep "
			"If-None-Match, by which of two writers of a "
			"pipeline one wins: load without --pipeline, "
			"or into another place",
			objects->place);
	}
	fl_s3_call_release(&call);
	free(key);
	return got < 0 ? -1 : 0;
}

/* returns 1, 0 it is not there, -1 */
static int is_there(struct fl_lake_bucket *bucket, const char *path,
		    struct fl_error *err)
{
	char *key = fl_lake_bucket_key(bucket, path);
	struct fl_s3_call call = { .method = "HEAD", .key = key };
	int got = fl_s3_ask(bucket->s3, &call, err);

	fl_s3_call_release(&call);
	free(key);
	return got;
}

static struct fl_lake_errand *start_copy(struct fl_lake_bucket *bucket,
					 const struct fl_lake_named *named)
{
	struct fl_lake_errand *errand = fl_lake_errand_new(
		"PUT", fl_lake_bucket_key(bucket, named->to));

	errand->copy_of = fl_lake_bucket_key(bucket, named->from);
	errand->call.copy_of = errand->copy_of;
	errand->call.encrypted = true;
	fl_s3_start(bucket->s3, &errand->call);
	return errand;
}

/* The draft is removed when it was copied: who comes in between finds both, and
 * who comes later none to copy. */
static int publish(struct fl_objects *objects,
		   const struct fl_lake_named *named, size_t count, bool ours,
		   struct fl_error *err)
{
	struct fl_lake_bucket *bucket = fl_lake_bucket_of(objects);
	struct fl_lake_errand *copies = NULL, *removes = NULL;
	int result = 0;

	for (size_t i = 0; i < count; i++)
		fl_lake_errand_append(&copies, start_copy(bucket, &named[i]));
	for (size_t i = 0; i < count; i++) {
		struct fl_lake_errand *copy = copies, *gone;
		int got = fl_s3_finish(bucket->s3, &copy->call, err);

		copies = copy->next;
		fl_lake_errand_free(copy);
		/* An object of old, which was to get a later name, may have
		 * got another one, or have been compacted. */
		if (got == 0 && ours && result == 0 &&
		    strncmp(named[i].from, "_tmp/", 5) == 0) {
			got = is_there(bucket, named[i].to, err);
			if (got == 0)
				got = fl_error_set(
					err, FL_ERR_AGAIN,
					"'%s%s' was removed before it was "
					"published",
					objects->place, named[i].from);
			else if (got > 0)
				continue;
		}
		if (got < 0)
			result = -1;
		if (got <= 0)
			continue;
		fl_crash_at("lake_published", i + 1);
		gone = fl_lake_errand_new(
			"DELETE", fl_lake_bucket_key(bucket, named[i].from));
		fl_lake_errand_append(&removes, gone);
		fl_s3_start(bucket->s3, &gone->call);
	}
	if (finish_all(bucket, &removes, err) < 0)
		result = -1;
	if (ours)
		bucket->since_ns = 0;
	return result;
}

/* A listing goes by the order of keys, and who renames gives a later one before
 * the old one goes: one of them is seen. */
static int64_t changed(struct fl_objects *objects, const char *path)
{
	(void)objects;
	(void)path;
	return 0;
}

static bool is_restless(struct fl_objects *objects, const char *path,
			int64_t before)
{
	(void)objects;
	(void)path;
	(void)before;
	return false;
}

const struct fl_objects_ops fl_objects_s3 = {
	.whole = true,
	.open = open_bucket,
	.close = close_bucket,
	.hold = hold,
	.let_go = let_go,
	.is_abandoned = is_abandoned,
	.tidy = tidy,
	.create = create_object,
	.write = write_object,
	.seal = seal_object,
	.settle = settle,
	.claim = claim,
	.prove = prove,
	.publish = publish,
	.get = fl_lake_s3_get,
	.pull = fl_lake_s3_pull,
	.seek = fl_lake_s3_seek,
	.is_gone = fl_lake_s3_is_gone,
	.end = fl_lake_s3_end,
	.list = fl_lake_s3_list,
	.list_all = fl_lake_s3_list_all,
	.expect = fl_lake_s3_expect,
	.changed = changed,
	.is_restless = is_restless,
	.remove = remove_key,
	.removed = removed,
};
