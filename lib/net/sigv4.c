/* sigv4: see sigv4.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

static void put_hex(const unsigned char *bytes, size_t len, struct fl_buf *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		fl_buf_putc(out, digits[bytes[i] >> 4]);
		fl_buf_putc(out, digits[bytes[i] & 15]);
	}
}

void fl_sigv4_hash(const void *bytes, size_t len, struct fl_buf *out)
{
	unsigned char digest[FL_SHA256_SIZE];

	fl_sha256(bytes, len, digest);
	put_hex(digest, sizeof(digest), out);
}

void fl_sigv4_time(int64_t now_ns, char *text)
{
	struct fl_civil civil;

	fl_civil_from_time(now_ns, &civil);
	snprintf(text, FL_SIGV4_TIME, "%04u%02u%02uT%02u%02u%02uZ",
		 (unsigned)civil.year % 10000, (unsigned)civil.month % 100,
		 (unsigned)civil.day % 100, (unsigned)civil.hour % 100,
		 (unsigned)civil.minute % 100, (unsigned)civil.second % 100);
}

/* A parameter: bytes[len], name_len of them the name. */
struct parameter {
	const char *text;
	size_t len, name_len;
};

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : a_len < b_len ? -1 : a_len > b_len;
}

static int by_name(const void *a, const void *b)
{
	const struct parameter *l = a, *r = b;
	int order = compare(l->text, l->name_len, r->text, r->name_len);

	return order ? order : compare(l->text, l->len, r->text, r->len);
}

/* In the order of names, then of values, each with its "=". */
static void put_query(const char *query, struct fl_buf *out)
{
	struct parameter *list = NULL;
	size_t count = 0;

	for (const char *at = query; *at;) {
		size_t len = strcspn(at, "&");

		list = fl_realloc(list, count + 1, sizeof(*list));
		list[count].text = at;
		list[count].len = len;
		list[count].name_len = strcspn(at, "=&");
		count++;
		at += len + (at[len] == '&');
	}
	if (count)
		qsort(list, count, sizeof(*list), by_name);
	for (size_t i = 0; i < count; i++) {
		if (i)
			fl_buf_putc(out, '&');
		fl_buf_append(out, list[i].text, list[i].len);
		if (list[i].name_len == list[i].len)
			fl_buf_putc(out, '=');
	}
	free(list);
}

/* Without blanks around it, and one for several in it. */
static void put_value(const char *value, struct fl_buf *out)
{
	size_t len = strlen(value);

	while (len && strchr(" \t", value[len - 1]))
		len--;
	for (size_t i = strspn(value, " \t"); i < len; i++) {
		if (strchr(" \t", value[i])) {
			fl_buf_putc(out, ' ');
			i += strspn(value + i, " \t") - 1;
		} else {
			fl_buf_putc(out, value[i]);
		}
	}
}

static void put_names(const struct fl_sigv4_request *request,
		      struct fl_buf *out)
{
	for (size_t i = 0; i < request->header_count; i++)
		fl_buf_printf(out, "%s%s", i ? ";" : "",
			      request->headers[i].name);
}

static void put_request(const struct fl_sigv4_request *request,
			struct fl_buf *out)
{
	fl_buf_printf(out, "%s\n%s\n", request->method, request->path);
	put_query(request->query, out);
	fl_buf_putc(out, '\n');
	for (size_t i = 0; i < request->header_count; i++) {
		fl_buf_printf(out, "%s:", request->headers[i].name);
		put_value(request->headers[i].value, out);
		fl_buf_putc(out, '\n');
	}
	fl_buf_putc(out, '\n');
	put_names(request, out);
	fl_buf_printf(out, "\n%s", request->payload);
}

/* mac becomes the HMAC of the text by mac. */
static void step(unsigned char mac[FL_SHA256_SIZE], const char *text)
{
	unsigned char next[FL_SHA256_SIZE];

	fl_hmac_sha256(mac, FL_SHA256_SIZE, text, strlen(text), next);
	memcpy(mac, next, sizeof(next));
	explicit_bzero(next, sizeof(next));
}

void fl_sigv4_sign(const struct fl_sigv4_key *key,
		   const struct fl_sigv4_request *request, struct fl_buf *out)
{
	struct fl_buf text = FL_BUF_INIT, secret = FL_BUF_INIT;
	unsigned char mac[FL_SHA256_SIZE];
	char now[FL_SIGV4_TIME], date[9], *canonical, *scope;

	fl_sigv4_time(request->now_ns, now);
	snprintf(date, sizeof(date), "%s", now);
	scope = fl_sprintf("%s/%s/%s/aws4_request", date, key->region,
			   key->service);
	put_request(request, &text);
	canonical = fl_buf_take(&text);
	fl_buf_printf(&text, ALGORITHM "\n%s\n%s\n", now, scope);
	fl_sigv4_hash(canonical, strlen(canonical), &text);

	fl_buf_printf(&secret, "AWS4%s", key->secret);
	fl_hmac_sha256(secret.data, secret.len, date, strlen(date), mac);
	step(mac, key->region);
	step(mac, key->service);
	step(mac, "aws4_request");
	step(mac, fl_buf_text(&text));

	fl_buf_printf(out, ALGORITHM " Credential=%s/%s, SignedHeaders=",
		      key->access, scope);
	put_names(request, out);
	fl_buf_puts(out, ", Signature=");
	put_hex(mac, sizeof(mac), out);
	explicit_bzero(secret.data, secret.len);
	explicit_bzero(mac, sizeof(mac));
	fl_buf_release(&secret);
	fl_buf_release(&text);
	free(canonical);
	free(scope);
}
