/* hash: see hash.h.
 *
 * The digest is fetched once: looking it up costs OpenSSL 3 more than hashing a
 * line of a log.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"

static const char hex[] = "0123456789abcdef";

uint64_t fl_hash64(const void *bytes, size_t len)
{
	return XXH3_64bits(bytes, len);
}

struct fl_hash128 fl_hash128(const void *bytes, size_t len, uint64_t seed)
{
	XXH128_hash_t hash = XXH3_128bits_withSeed(bytes, len, seed);

	return (struct fl_hash128){ .lo = hash.low64, .hi = hash.high64 };
}

static EVP_MD *sha256, *sha1;

/* OpenSSL 3.0 does not survive an allocation that fails while it fetches. */
static void *ssl_alloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fl_alloc(size);
}

static void *ssl_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fl_realloc(old, size, 1);
}

static void ssl_free(void *old, const char *file, int line)
{
	(void)file;
	(void)line;
	free(old);
}

static void fetch_digests(void)
{
	/* Refused when some library has used OpenSSL before us. */
	(void)CRYPTO_set_mem_functions(ssl_alloc, ssl_realloc, ssl_free);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (!sha256 || !sha1)
		FL_BUG("OpenSSL has no SHA-256, or no SHA-1");
}

static char *put_hex(char *p, const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		*p++ = hex[bytes[i] >> 4];
		*p++ = hex[bytes[i] & 15];
	}
	return p;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

void fl_id128(const struct fl_part *parts, size_t count, char text[33])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context;
	bool good;

	pthread_once(&once, fetch_digests);
	context = EVP_MD_CTX_new();
	good = context && EVP_DigestInit_ex(context, sha256, NULL);
	for (size_t i = 0; good && i < count; i++) {
		if (i)
			good = EVP_DigestUpdate(context, "", 1);
		good = good &&
		       EVP_DigestUpdate(context, parts[i].bytes, parts[i].len);
	}
	if (!good || !EVP_DigestFinal_ex(context, digest, NULL))
		FL_BUG("SHA-256 failed");
	EVP_MD_CTX_free(context);
	*put_hex(text, digest, 16) = '\0';
}

void fl_sha1(const void *bytes, size_t len, unsigned char digest[20])
{
	pthread_once(&once, fetch_digests);
	if (!EVP_Digest(bytes, len, digest, NULL, sha1, NULL))
		FL_BUG("SHA-1 failed");
}

void fl_sha256(const void *bytes, size_t len, unsigned char digest[32])
{
	pthread_once(&once, fetch_digests);
	if (!EVP_Digest(bytes, len, digest, NULL, sha256, NULL))
		FL_BUG("SHA-256 failed");
}

void fl_hmac_sha256(const void *key, size_t key_len, const void *bytes,
		    size_t len, unsigned char digest[32])
{
	pthread_once(&once, fetch_digests);
	if (key_len > INT32_MAX ||
	    !HMAC(sha256, key, (int)key_len, bytes, len, digest, NULL))
		FL_BUG("HMAC failed");
}

void fl_random(void *bytes, size_t len)
{
	/* So few bytes always come whole once the pool is ready. */
	if (len > 256 || getrandom(bytes, len, 0) != (ssize_t)len)
		FL_BUG("no random numbers");
}

void fl_uuid(char text[37])
{
	unsigned char bytes[16];

	fl_random(bytes, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* RFC 9562 */
	text = put_hex(text, bytes, 4);
	for (int i = 4; i < 10; i += 2) {
		*text++ = '-';
		text = put_hex(text, bytes + i, 2);
	}
	*text++ = '-';
	*put_hex(text, bytes + 10, 6) = '\0';
}
