/* hash: XXH3 for tables and content, SHA-256 for identities.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_HASH_H
#define FL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct fl_hash128 {
	uint64_t lo, hi;
};

uint64_t fl_hash64(const void *bytes, size_t len);
struct fl_hash128 fl_hash128(const void *bytes, size_t len, uint64_t seed);
/* The first 128 bits of SHA-256 over the parts, a NUL between, as 32 lower-case
 * hex digits and a NUL in text[33]. */
struct fl_part {
	const void *bytes;
	size_t len;
};
void fl_id128(const struct fl_part *parts, size_t count, char text[33]);
/* SHA-1, digest[20]: for protocols that demand it (RFC 6455), never for trust.
 */
void fl_sha1(const void *bytes, size_t len, unsigned char digest[20]);
/* SHA-256, digest[32], and HMAC with it (RFC 2104). */
#define FL_SHA256_SIZE 32
void fl_sha256(const void *bytes, size_t len, unsigned char digest[32]);
void fl_hmac_sha256(const void *key, size_t key_len, const void *bytes,
		    size_t len, unsigned char digest[32]);
/* Random bytes that nobody can foresee; at most 256 a call. */
void fl_random(void *bytes, size_t len);
/* A random UUID (version 4), text[37]. */
void fl_uuid(char text[37]);

#endif
