/* hash: known answers.
 *
 * XXH3 values: the constants of xxHash's own self test (tests/sanity_test.c of
 * version 0.8), for the empty input. SHA-256: sha256sum.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <pthread.h>

#include "tap.h"

static void check_uuid(void)
{
	char a[37], b[37];
	bool good;

	fl_uuid(a);
	fl_uuid(b);
	good = strlen(a) == 36 && a[14] == '4' && strchr("89ab", a[19]);
	for (int i = 0; i < 36; i++)
		good = good &&
		       (i == 8 || i == 13 || i == 18 || i == 23
				? a[i] == '-'
				: strchr("0123456789abcdef", a[i]) != NULL);
	ok(good, "a UUID of version 4: %s", a);
	ok(strcmp(a, b) != 0, "the next one is another");
}

static void *hash_often(void *arg)
{
	struct fl_part part = { "abc", 3 };
	char text[33];
	int *bad = arg;

	for (int i = 0; i < 100; i++) {
		fl_id128(&part, 1, text);
		*bad += strcmp(text, "ba7816bf8f01cfea414140de5dae2223") != 0;
	}
	return NULL;
}

/* FIPS 180-2, appendix A.1. */
static void check_sha1(void)
{
	unsigned char digest[20];
	char text[41];

	fl_sha1("abc", 3, digest);
	for (size_t i = 0; i < 20; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	is_str(text, "a9993e364706816aba3e25717850c26c9cd0d89d",
	       "SHA-1 of 'abc'");
}

int main(void)
{
	struct fl_part parts[] = { { "host", 4 }, { "line", 4 }, { "", 0 } };
	struct fl_hash128 hash = fl_hash128("", 0, 0);
	pthread_t threads[4];
	int bad[4] = { 0 };
	char text[33];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hash_often, &bad[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		is_int(bad[i], 0, "SHA-256 of 'abc' in thread %d", i);
	}
	ok(fl_hash64("", 0) == 0x2d06800538d394c2, "XXH3-64 of nothing");
	ok(hash.lo == 0x6001c324468d497f && hash.hi == 0x99aa06d3014798d8,
	   "XXH3-128 of nothing");
	ok(fl_hash64("AAPL", 4) != fl_hash64("AAPM", 4), "texts differ");
	hash = fl_hash128("AAPL", 4, 1);
	ok(hash.lo != fl_hash128("AAPL", 4, 2).lo, "so do seeds");

	fl_id128(parts, 0, text);
	is_str(text, "e3b0c44298fc1c149afbf4c8996fb924", "no part");
	fl_id128(parts, 2, text);
	is_str(text, "17a76a53994cd97b1b17c191e4399874",
	       "two parts, a NUL between");
	fl_id128(parts, 3, text);
	is_str(text, "0098ebf0e971cc5a69fadfd687dbbbc1",
	       "an empty part counts");
	check_sha1();
	check_uuid();
	return done_testing();
}
