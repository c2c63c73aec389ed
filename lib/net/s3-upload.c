/* s3-upload: see s3-upload.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/s3-upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "net/s3-xml.h"

enum {
	PARTS_MAX = 10000, /* of S3 */
	ID_MAX = 2000,
};

/* A part on its way. */
struct part {
	struct part *next;
	struct fl_s3_call call;
	struct fl_buf body, query;
	unsigned number;
};

struct fl_s3_upload {
	struct fl_s3 *s3;
	char *key;
	size_t part_size;
	struct fl_buf fills;   /* the part that is made */
	char *id;              /* NULL: it was not begun in parts */
	struct part *on_way;   /* first in, first out */
	char (*etags)[100];    /* of parts that are there, by number - 1 */
	unsigned count;        /* of parts that were started */
	uint64_t total;        /* bytes that were written */
	struct fl_s3_call put; /* of one that goes whole */
	bool ended, failed, done;
	bool exclusive;
};

struct fl_s3_upload *fl_s3_upload_new(struct fl_s3 *s3, const char *key,
				      size_t part)
{
	struct fl_s3_upload *upload = fl_zalloc(sizeof(*upload));

	upload->s3 = s3;
	upload->key = fl_strdup(key);
	upload->part_size = part ? part : FL_S3_PART;
	return upload;
}

/* --- beginning and giving up -----------------------------------------------
 */

static int take_id(void *arg, const char *within, const char *name,
		   const char *value, struct fl_error *err)
{
	char **id = arg;

	(void)within;
	(void)err;
	if (strcmp(name, "UploadId") == 0 && *value && !*id &&
	    strlen(value) < ID_MAX)
		*id = fl_strdup(value);
	return 0;
}

static int begin(struct fl_s3_upload *upload, struct fl_error *err)
{
	struct fl_s3_call call = {
		.method = "POST",
		.key = upload->key,
		.query = "uploads=",
		.encrypted = true,
	};
	int got = fl_s3_ask(upload->s3, &call, err);

	if (got > 0)
		got = fl_s3_xml_read(fl_buf_text(&call.answer), call.answer.len,
				     take_id, &upload->id, err);
	if (got >= 0 && !upload->id)
		got = fl_error_set(err, FL_ERR_REFUSED,
				   "'%s/%s' cannot be sent in parts: the "
				   "server gives no number for it",
				   fl_s3_name(upload->s3), upload->key);
	fl_s3_call_release(&call);
	return got < 0 ? -1 : 0;
}

static void give_up(struct fl_s3 *s3, const char *key, const char *id)
{
	struct fl_s3_call call = { .method = "DELETE", .key = key };
	struct fl_error err = { .code = FL_OK };
	struct fl_buf query = FL_BUF_INIT;

	fl_s3_put_query(&query, "uploadId", id);
	call.query = query.data;
	if (fl_s3_ask(s3, &call, &err) < 0)
		fl_log("%s", err.text);
	fl_s3_call_release(&call);
	fl_buf_release(&query);
}

/* --- parts -----------------------------------------------------------------
 */

static void free_part(struct part *part)
{
	fl_s3_call_release(&part->call);
	fl_buf_release(&part->body);
	fl_buf_release(&part->query);
	free(part);
}

/* Wait for the first of those on their way. */
static int finish_part(struct fl_s3_upload *upload, struct fl_error *err)
{
	struct part *part = upload->on_way;
	int got = fl_s3_finish(upload->s3, &part->call, err);

	upload->on_way = part->next;
	if (got == 0 || (got > 0 && !*part->call.etag))
		got = fl_error_set(err, FL_ERR_AGAIN,
				   "cannot write '%s/%s': part %u was lost",
				   fl_s3_name(upload->s3), upload->key,
				   part->number);
	if (got > 0)
		memcpy(upload->etags[part->number - 1], part->call.etag,
		       sizeof(part->call.etag));
	else
		upload->failed = true;
	free_part(part);
	return got < 0 ? -1 : 0;
}

static int start_part(struct fl_s3_upload *upload, struct fl_error *err)
{
	struct part *part, **last = &upload->on_way;
	unsigned waiting = 0;
	char number[16];

	if (!upload->id && begin(upload, err) < 0)
		return -1;
	for (part = upload->on_way; part; part = part->next)
		waiting++;
	if (waiting >= FL_S3_PARTS_AT_ONCE && finish_part(upload, err) < 0)
		return -1;
	if (upload->count == PARTS_MAX)
		return fl_error_set(
			err, FL_ERR_REFUSED, "'%s/%s' has more than %d parts",
			fl_s3_name(upload->s3), upload->key, PARTS_MAX);
	part = fl_zalloc(sizeof(*part));
	part->number = ++upload->count;
	part->body = upload->fills;
	upload->fills = (struct fl_buf)FL_BUF_INIT;
	upload->etags = fl_realloc(upload->etags, upload->count,
				   sizeof(*upload->etags));
	snprintf(number, sizeof(number), "%u", part->number);
	fl_s3_put_query(&part->query, "partNumber", number);
	fl_s3_put_query(&part->query, "uploadId", upload->id);
	part->call.method = "PUT";
	part->call.key = upload->key;
	part->call.query = part->query.data;
	part->call.body = part->body.data;
	part->call.len = part->body.len;
	while (*last)
		last = &(*last)->next;
	*last = part;
	fl_s3_start(upload->s3, &part->call);
	return 0;
}

int fl_s3_upload_write(struct fl_s3_upload *upload, const void *bytes,
		       size_t len, struct fl_error *err)
{
	const char *at = bytes;

	upload->total += len;
	while (len) {
		size_t room = upload->part_size - upload->fills.len;

		if (room > len)
			room = len;
		fl_buf_append(&upload->fills, at, room);
		at += room;
		len -= room;
		/* The last part may be small, but an object that is just as
		 * long as a part is none of parts. */
		if (upload->fills.len == upload->part_size && len &&
		    start_part(upload, err) < 0) {
			upload->failed = true;
			return -1;
		}
	}
	fl_s3_work(upload->s3);
	return 0;
}

size_t fl_s3_upload_held(const struct fl_s3_upload *upload)
{
	size_t held = upload->fills.len;

	for (const struct part *part = upload->on_way; part; part = part->next)
		held += part->body.len;
	return held;
}

/* --- ending ----------------------------------------------------------------
 */

static void end(struct fl_s3_upload *upload, bool exclusive)
{
	if (upload->ended || upload->failed || upload->id)
		return;
	upload->ended = true;
	upload->put.method = "PUT";
	upload->put.key = upload->key;
	upload->put.body = fl_buf_text(&upload->fills);
	upload->put.len = upload->fills.len;
	upload->put.encrypted = true;
	upload->put.exclusive = exclusive;
	fl_s3_start(upload->s3, &upload->put);
}

void fl_s3_upload_end(struct fl_s3_upload *upload)
{
	end(upload, false);
}

static void put_parts(const struct fl_s3_upload *upload, struct fl_buf *out)
{
	fl_buf_puts(out, "<CompleteMultipartUpload xmlns=\"http://"
			 "s3.amazonaws.com/doc/2006-03-01/\">");
	for (unsigned i = 0; i < upload->count; i++) {
		fl_buf_printf(out, "<Part><PartNumber>%u</PartNumber><ETag>",
			      i + 1);
		/* "…" in XML */
		for (const char *at = upload->etags[i]; *at; at++) {
			if (*at == '"')
				fl_buf_puts(out, "&quot;");
			else if (strchr("<>&", *at))
				fl_buf_printf(out, "&#%d;", *at);
			else
				fl_buf_putc(out, *at);
		}
		fl_buf_puts(out, "</ETag></Part>");
	}
	fl_buf_puts(out, "</CompleteMultipartUpload>");
}

/* Is the object there, as long as it is to be? "No such upload" is also the
 * answer to a second try of which the first one was done.  returns 1, 0, -1 */
static int is_there(struct fl_s3_upload *upload, struct fl_error *err)
{
	struct fl_s3_call call = { .method = "HEAD", .key = upload->key };
	int got = fl_s3_ask(upload->s3, &call, err);

	if (got > 0)
		got = call.size == upload->total;
	fl_s3_call_release(&call);
	return got;
}

static int complete(struct fl_s3_upload *upload, struct fl_error *err)
{
	struct fl_buf query = FL_BUF_INIT, body = FL_BUF_INIT;
	struct fl_s3_call call = { .method = "POST", .key = upload->key };
	int got;

	fl_s3_put_query(&query, "uploadId", upload->id);
	put_parts(upload, &body);
	call.query = query.data;
	call.body = body.data;
	call.len = body.len;
	call.exclusive = upload->exclusive;
	got = fl_s3_ask(upload->s3, &call, err);
	if (got == 0 && call.status == 404) {
		got = is_there(upload, err);
		if (got == 0)
			got = fl_error_set(err, FL_ERR_AGAIN,
					   "cannot write '%s/%s': its parts "
					   "were removed",
					   fl_s3_name(upload->s3), upload->key);
	}
	fl_s3_call_release(&call);
	fl_buf_release(&query);
	fl_buf_release(&body);
	return got;
}

int fl_s3_upload_finish(struct fl_s3_upload *upload, bool exclusive,
			struct fl_error *err)
{
	int got;

	upload->exclusive = exclusive;
	if (upload->failed)
		return fl_error_set(err, FL_ERR_AGAIN, "cannot write '%s/%s'",
				    fl_s3_name(upload->s3), upload->key);
	if (!upload->id) {
		end(upload, exclusive);
		got = fl_s3_finish(upload->s3, &upload->put, err);
	} else {
		got = upload->fills.len ? start_part(upload, err) : 0;
		while (got == 0 && upload->on_way)
			got = finish_part(upload, err);
		if (got == 0)
			got = complete(upload, err);
	}
	upload->failed = got < 0;
	upload->done = got > 0;
	return got;
}

void fl_s3_upload_free(struct fl_s3_upload *upload)
{
	if (!upload)
		return;
	while (upload->on_way) {
		struct part *part = upload->on_way;

		upload->on_way = part->next;
		free_part(part);
	}
	if (upload->id && !upload->done)
		give_up(upload->s3, upload->key, upload->id);
	fl_s3_call_release(&upload->put);
	fl_buf_release(&upload->fills);
	free(upload->etags);
	free(upload->id);
	free(upload->key);
	free(upload);
}

/* --- what others have left -------------------------------------------------
 */

struct sweep {
	struct fl_s3 *s3;
	int64_t before_ns, begun_ns;
	char *key, *id;
	char *next_key, *next_id;
	bool more;
};

static void keep(char **to, const char *value)
{
	free(*to);
	*to = fl_strdup(value);
}

static int take_upload(void *arg, const char *within, const char *name,
		       const char *value, struct fl_error *err)
{
	struct sweep *sweep = arg;

	(void)err;
	if (strcmp(within, "Upload") == 0) {
		if (strcmp(name, "Key") == 0)
			keep(&sweep->key, value);
		else if (strcmp(name, "UploadId") == 0)
			keep(&sweep->id, value);
		else if (strcmp(name, "Initiated") == 0 &&
			 fl_time_parse(value, strlen(value),
				       &sweep->begun_ns) == FL_TIME_BAD)
			sweep->begun_ns = FL_TIME_MAX;
	} else if (strcmp(name, "Upload") == 0) {
		if (sweep->key && sweep->id &&
		    sweep->begun_ns < sweep->before_ns) {
			fl_log("removing parts of '%s' that nobody finished",
			       fl_show(sweep->key, strlen(sweep->key), 200));
			give_up(sweep->s3, sweep->key, sweep->id);
		}
		sweep->begun_ns = FL_TIME_MAX;
	} else if (strcmp(name, "IsTruncated") == 0) {
		sweep->more = strcmp(value, "true") == 0;
	} else if (strcmp(name, "NextKeyMarker") == 0) {
		keep(&sweep->next_key, value);
	} else if (strcmp(name, "NextUploadIdMarker") == 0) {
		keep(&sweep->next_id, value);
	}
	return 0;
}

int fl_s3_upload_sweep(struct fl_s3 *s3, const char *prefix, int64_t before_ns,
		       struct fl_error *err)
{
	struct sweep sweep = { .s3 = s3,
			       .before_ns = before_ns,
			       .begun_ns = FL_TIME_MAX };
	struct fl_buf query = FL_BUF_INIT;
	int result;

	do {
		struct fl_s3_call call = { .method = "GET" };

		fl_buf_reset(&query);
		if (sweep.more && sweep.next_key)
			fl_s3_put_query(&query, "key-marker", sweep.next_key);
		fl_s3_put_query(&query, "prefix", prefix);
		if (sweep.more && sweep.next_id)
			fl_s3_put_query(&query, "upload-id-marker",
					sweep.next_id);
		fl_s3_put_query(&query, "uploads", "");
		call.query = query.data;
		sweep.more = false;
		result = fl_s3_ask(s3, &call, err);
		if (result > 0)
			result = fl_s3_xml_read(fl_buf_text(&call.answer),
						call.answer.len, take_upload,
						&sweep, err);
		fl_s3_call_release(&call);
	} while (result == 0 && sweep.more && sweep.next_key);
	fl_buf_release(&query);
	free(sweep.key);
	free(sweep.id);
	free(sweep.next_key);
	free(sweep.next_id);
	return result < 0 ? -1 : 0;
}
