/* sigv4: AWS signature version 4, in the header of a request.
 *
 * libcurl has one of its own, which up to 7.88 at least signs neither "=" in a
 * path nor an unsorted query rightly, and leaves the content out.
 *
 * source  AWS General Reference, "Create a signed AWS API request"
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_SIGV4_H
#define FL_NET_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define FL_SIGV4_TIME 17 /* "20150830T123600Z" and a NUL */

struct fl_sigv4_key {
	const char *access, *secret;
	const char *region, *service; /* "us-east-1", "s3" */
};

struct fl_sigv4_header {
	const char *name; /* in small letters */
	const char *value;
};

struct fl_sigv4_request {
	const char *method;
	const char *path;  /* as it is sent, encoded; begins with '/' */
	const char *query; /* "a=1&b=2", encoded, in any order; "" */
	/* Those that are signed, by name; host must be one of them. */
	const struct fl_sigv4_header *headers;
	size_t header_count;
	const char *payload; /* SHA-256 of the body in hex */
	int64_t now_ns;
};

/* The time as x-amz-date has it: text[FL_SIGV4_TIME]. */
void fl_sigv4_time(int64_t now_ns, char *text);
/* Append the value of Authorization. */
void fl_sigv4_sign(const struct fl_sigv4_key *key,
		   const struct fl_sigv4_request *request, struct fl_buf *out);
/* Append SHA-256 of the bytes in hex. */
void fl_sigv4_hash(const void *bytes, size_t len, struct fl_buf *out);

#endif
