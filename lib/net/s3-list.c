/* s3-list: listings of a bucket; see s3.h.
 *
 * Keys come URL-encoded, for not every key can stand in XML.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "net/s3-xml.h"
#include "net/s3.h"

struct listing {
	size_t prefix_len;
	int (*each)(void *arg, const struct fl_s3_item *item,
		    struct fl_error *err);
	void *arg;
	int told;          /* what `each` has said last */
	bool is_list;      /* the answer is one */
	bool encoded;      /* the server has done as it was asked */
	bool more;         /* there is a page behind this one */
	char *key, *token; /* of the item; of the next page */
	uint64_t size;
	int64_t modified_ns;
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What is no code stays as it is. S3 writes a blank as "+". */
static void decode(char *text)
{
	char *out = text;

	for (; *text; text++) {
		int high = *text == '%' ? digit(text[1]) : -1;
		int low = high >= 0 ? digit(text[2]) : -1;

		if (low >= 0) {
			*out++ = (char)(high << 4 | low);
			text += 2;
		} else {
			*out++ = (char)(*text == '+' ? ' ' : *text);
		}
	}
	*out = '\0';
}

static void keep(char **to, const char *text)
{
	free(*to);
	*to = fl_strdup(text);
}

static int tell(struct listing *list, bool is_folder, struct fl_error *err)
{
	struct fl_s3_item item = {
		.is_folder = is_folder,
		.size = list->size,
		.modified_ns = is_folder ? FL_TIME_NONE : list->modified_ns,
	};
	size_t len;

	if (!list->key)
		return 0;
	if (list->encoded)
		decode(list->key);
	len = strlen(list->key);
	if (is_folder && len && list->key[len - 1] == '/')
		list->key[--len] = '\0';
	/* The prefix itself may be an object, as consoles make "folders". */
	if (len <= list->prefix_len)
		return 0;
	item.name = list->key + list->prefix_len;
	list->told = list->each(list->arg, &item, err);
	free(list->key);
	list->key = NULL;
	return list->told;
}

static int take(void *arg, const char *within, const char *name,
		const char *value, struct fl_error *err)
{
	struct listing *list = arg;

	if (strcmp(within, "Contents") == 0) {
		if (strcmp(name, "Key") == 0)
			keep(&list->key, value);
		else if (strcmp(name, "Size") == 0)
			list->size = strtoull(value, NULL, 10);
		else if (strcmp(name, "LastModified") == 0 &&
			 fl_time_parse(value, strlen(value),
				       &list->modified_ns) == FL_TIME_BAD)
			list->modified_ns = FL_TIME_NONE;
	} else if (strcmp(within, "CommonPrefixes") == 0) {
		if (strcmp(name, "Prefix") == 0)
			keep(&list->key, value);
	} else if (strcmp(name, "Contents") == 0) {
		return tell(list, false, err);
	} else if (strcmp(name, "CommonPrefixes") == 0) {
		return tell(list, true, err);
	} else if (strcmp(within, "ListBucketResult") == 0) {
		if (strcmp(name, "IsTruncated") == 0)
			list->more = strcmp(value, "true") == 0;
		else if (strcmp(name, "NextContinuationToken") == 0)
			keep(&list->token, value);
	} else if (*within == '\0') {
		list->is_list = strcmp(name, "ListBucketResult") == 0;
	}
	return 0;
}

/* Is `url` said before the first key? The server need not write it there. */
static bool is_encoded(const struct fl_buf *answer)
{
	static const char said[] = "<EncodingType>url<";

	return answer->len && memmem(answer->data, answer->len, said,
				     sizeof(said) - 1) != NULL;
}

static int read_page(struct fl_s3 *s3, const struct fl_buf *answer,
		     struct listing *list, struct fl_error *err)
{
	int result;

	list->encoded = is_encoded(answer);
	list->is_list = list->more = false;
	result = fl_s3_xml_read(fl_buf_text(answer), answer->len, take, list,
				err);
	if (result < 0 && list->told >= 0)
		fl_error_wrap(err, "cannot read what '%s' lists",
			      fl_s3_name(s3));
	if (result == 0 && (!list->is_list || (list->more && !list->token)))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'%s' answers a listing with something "
				    "else: is its server one for S3?",
				    fl_s3_name(s3));
	return result;
}

static void make_query(const char *prefix, bool deep, const char *token,
		       struct fl_buf *query)
{
	fl_buf_reset(query);
	if (token)
		fl_s3_put_query(query, "continuation-token", token);
	if (!deep)
		fl_s3_put_query(query, "delimiter", "/");
	fl_s3_put_query(query, "encoding-type", "url");
	fl_s3_put_query(query, "list-type", "2");
	if (*prefix)
		fl_s3_put_query(query, "prefix", prefix);
}

int fl_s3_list(struct fl_s3 *s3, const char *prefix, bool deep,
	       int (*each)(void *arg, const struct fl_s3_item *item,
			   struct fl_error *err),
	       void *arg, struct fl_error *err)
{
	struct listing list = {
		.prefix_len = strlen(prefix),
		.each = each,
		.arg = arg,
		.modified_ns = FL_TIME_NONE,
	};
	struct fl_buf query = FL_BUF_INIT;
	int result = 0;

	do {
		struct fl_s3_call call = { .method = "GET" };
		int got;

		make_query(prefix, deep, list.more ? list.token : NULL, &query);
		call.query = query.data;
		got = fl_s3_ask(s3, &call, err);
		if (got > 0)
			result = read_page(s3, &call.answer, &list, err);
		else if (got == 0)
			result = fl_error_set(err, FL_ERR_REFUSED,
					      "'%s' cannot be listed: HTTP %u",
					      fl_s3_name(s3), call.status);
		else
			result = -1;
		fl_s3_call_release(&call);
	} while (result == 0 && list.more);
	fl_buf_release(&query);
	free(list.key);
	free(list.token);
	return list.told < 0 ? list.told : result;
}
