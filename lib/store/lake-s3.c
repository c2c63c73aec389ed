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
#include "store/lake-objects.h"

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
	FIRST = 256 << 10, /* bytes asked for when an object is opened */
	CHUNK = 1 << 20,   /* later */
	AHEAD = 2,         /* chunks on their way while one is read */
	PENDING = 32 << 20 /* bytes of sealed objects that wait */
};

/* A request that is waited for later. */
struct errand {
	struct errand *next;
	struct fl_s3_call call;
	char *key, *copy_of;
};

struct fl_object_out {
	struct fl_object_out *next;
	struct bucket *bucket;
	struct fl_s3_upload *upload;
};

struct bucket {
	struct fl_s3 *s3;
	char *prefix;                 /* "" or "PREFIX/" */
	struct fl_object_out *sealed; /* not settled */
	struct errand *removes;       /* nobody waits for them */
	int64_t since_ns; /* wall clock: the oldest draft; 0: none */
};

struct fl_object_in {
	struct bucket *bucket;
	char *key, *etag;
	uint64_t size, asked; /* of the object; up to where it was asked for */
	struct fl_s3_call now;
	size_t at; /* in now.answer */
	struct fl_s3_call ahead[AHEAD];
	size_t first, count; /* of those that are on their way */
};

static struct bucket *bucket_of(const struct fl_objects *objects)
{
	return objects->state;
}

static char *key_of(const struct bucket *bucket, const char *path)
{
	return fl_sprintf("%s%s", bucket->prefix, path);
}

/* --- errands ---------------------------------------------------------------
 */

static void free_errand(struct errand *errand)
{
	fl_s3_call_release(&errand->call);
	free(errand->key);
	free(errand->copy_of);
	free(errand);
}

static void append(struct errand **list, struct errand *errand)
{
	while (*list)
		list = &(*list)->next;
	*list = errand;
}

/* Wait for all of them; the first error stands. */
static int finish_all(struct bucket *bucket, struct errand **list,
		      struct fl_error *err)
{
	int result = 0;

	while (*list) {
		struct errand *errand = *list;

		*list = errand->next;
		if (fl_s3_finish(bucket->s3, &errand->call, err) < 0)
			result = -1;
		free_errand(errand);
	}
	return result;
}

static struct errand *new_errand(const char *method, char *key)
{
	struct errand *errand = fl_zalloc(sizeof(*errand));

	errand->key = key;
	errand->call.method = method;
	errand->call.key = key;
	return errand;
}

/* What cannot be removed is left for who sweeps. */
static void forget_removes(struct bucket *bucket)
{
	struct fl_error err = { .code = FL_OK };

	if (finish_all(bucket, &bucket->removes, &err) < 0)
		fl_log("%s", err.text);
}

static void remove_key(struct fl_objects *objects, const char *path)
{
	struct bucket *bucket = bucket_of(objects);
	struct errand *errand = new_errand("DELETE", key_of(bucket, path));

	append(&bucket->removes, errand);
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
	struct bucket *bucket;
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
	struct bucket *bucket = bucket_of(objects);
	struct fl_error ignored = { .code = FL_OK };

	(void)settle(objects, NULL, &ignored);
	forget_removes(bucket);
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
	forget_removes(bucket_of(objects));
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
	struct bucket *bucket = bucket_of(objects);
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
	struct bucket *bucket = bucket_of(objects);
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
	struct bucket *bucket = bucket_of(objects);
	char *key = key_of(bucket, path);

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
static int finish_first(struct bucket *bucket, struct fl_error *err)
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
	struct bucket *bucket = object->bucket;
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
	struct bucket *bucket = bucket_of(objects);
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
static int holds(struct bucket *bucket, const char *key, const void *bytes,
		 size_t len, struct fl_error *err)
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
	struct bucket *bucket = bucket_of(objects);
	struct fl_s3_call call = {
		.method = "PUT",
		.body = bytes,
		.len = len,
		.exclusive = true,
		.encrypted = true,
		.until_ns = bucket->since_ns ? bucket->since_ns + TOO_LONG : 0,
	};
	char *key = key_of(bucket, path);
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
	struct bucket *bucket = bucket_of(objects);
	char *key = key_of(bucket, path);
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
static int is_there(struct bucket *bucket, const char *path,
		    struct fl_error *err)
{
	char *key = key_of(bucket, path);
	struct fl_s3_call call = { .method = "HEAD", .key = key };
	int got = fl_s3_ask(bucket->s3, &call, err);

	fl_s3_call_release(&call);
	free(key);
	return got;
}

static struct errand *start_copy(struct bucket *bucket,
				 const struct fl_lake_named *named)
{
	struct errand *errand = new_errand("PUT", key_of(bucket, named->to));

	errand->copy_of = key_of(bucket, named->from);
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
	struct bucket *bucket = bucket_of(objects);
	struct errand *copies = NULL, *removes = NULL;
	int result = 0;

	for (size_t i = 0; i < count; i++)
		append(&copies, start_copy(bucket, &named[i]));
	for (size_t i = 0; i < count; i++) {
		struct errand *copy = copies, *gone;
		int got = fl_s3_finish(bucket->s3, &copy->call, err);

		copies = copy->next;
		free_errand(copy);
		if (got == 0 && ours && result == 0) {
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
		gone = new_errand("DELETE", key_of(bucket, named[i].from));
		append(&removes, gone);
		fl_s3_start(bucket->s3, &gone->call);
	}
	if (finish_all(bucket, &removes, err) < 0)
		result = -1;
	if (ours)
		bucket->since_ns = 0;
	return result;
}

/* --- reading ---------------------------------------------------------------
 */

static struct fl_s3_call *slot(struct fl_object_in *in, size_t i)
{
	return &in->ahead[(in->first + i) % AHEAD];
}

static void ask_ahead(struct fl_object_in *in)
{
	while (in->count < AHEAD && in->asked < in->size) {
		struct fl_s3_call *call = slot(in, in->count++);
		uint64_t left = in->size - in->asked;

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

static void end_object(struct fl_object_in **out)
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

static int get_object(struct fl_objects *objects, const char *path,
		      struct fl_object_in **out, struct fl_error *err)
{
	struct fl_object_in *in = fl_zalloc(sizeof(*in));
	int got;

	in->bucket = bucket_of(objects);
	in->key = key_of(in->bucket, path);
	in->now.method = "GET";
	in->now.key = in->key;
	in->now.count = FIRST;
	got = fl_s3_ask(in->bucket->s3, &in->now, err);
	if (got == 0 && in->now.status == 416) /* an empty one */
		got = 1;
	in->etag = fl_strdup(in->now.etag);
	in->size = in->now.size;
	in->asked = in->now.answer.len;
	/* Who does not know ranges gives all. */
	if (in->now.status == 200)
		in->size = in->asked;
	if (got > 0)
		*out = in;
	else
		end_object(&in);
	return got;
}

static ssize_t pull_object(void *arg, void *bytes, size_t size,
			   struct fl_error *err)
{
	struct fl_object_in *in = arg;
	size_t left;

	while (in->at == in->now.answer.len) {
		uint64_t wanted;
		int got;

		ask_ahead(in);
		if (in->count == 0)
			return 0;
		fl_s3_call_release(&in->now);
		in->now = (struct fl_s3_call){ 0 };
		in->at = 0;
		got = fl_s3_finish(in->bucket->s3, slot(in, 0), err);
		wanted = slot(in, 0)->count;
		if (got > 0 && slot(in, 0)->answer.len != wanted)
			got = fl_error_set(err, FL_ERR_AGAIN,
					   "cannot read '%s/%s': a part of it "
					   "came cut",
					   fl_s3_name(in->bucket->s3), in->key);
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

static int list_objects(struct fl_objects *objects, const char *path,
			int (*each)(void *arg, const char *name), void *arg,
			struct fl_error *err)
{
	struct bucket *bucket = bucket_of(objects);
	struct names names = { each, arg };
	char *prefix =
		fl_sprintf("%s%s%s", bucket->prefix, path, *path ? "/" : "");
	int result =
		fl_s3_list(bucket->s3, prefix, false, tell_name, &names, err);

	free(prefix);
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
	.get = get_object,
	.pull = pull_object,
	.end = end_object,
	.list = list_objects,
	.changed = changed,
	.is_restless = is_restless,
	.remove = remove_key,
};
