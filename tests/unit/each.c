/* each: batches, what a command gets of them, and what is dropped when the
 * group gives a partition to somebody else.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/each.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static int asked, patience;

static bool waits(void *arg)
{
	(void)arg;
	asked++;
	return patience-- > 0;
}

static void add(struct fl_each *each, int32_t partition, int64_t offset,
		const char *text)
{
	fl_each_add(each, "t", partition, offset, text, strlen(text));
}

/* What the command has left in the file `seen`. */
static const char *seen(void)
{
	static char text[1000];
	FILE *file = fopen("seen", "r");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	unlink("seen");
	text[len] = 0;
	return text;
}

static int run(struct fl_each *each, const char *command)
{
	struct fl_error err = { .code = FL_OK };

	return fl_each_run(each, command, waits, NULL, &err);
}

#define SHOW "{ echo \"$FL_BATCH_RECORDS $FL_BATCH_OFFSETS\"; cat; } >seen"

static void test_batches(struct fl_each *each)
{
	const struct fl_each_size size = { .count = 3 };

	ok(!fl_each_due(each, &size), "nothing is due of nothing");
	is_int(run(each, "exit 9"), 0, "for nothing nothing is run");
	add(each, 0, 5, "a");
	add(each, 1, 7, "b");
	fl_each_pass(each, "t", 0, 6);
	ok(!fl_each_due(each, &size), "two records and what gave none");
	add(each, 0, 8, "c");
	ok(fl_each_due(each, &size), "three are due");
	is_int(run(each, SHOW "; exit 4"), 4, "a status that is not good");
	is_str(seen(), "3 t/0:5-8 t/1:7-7\na\nb\nc\n", "its batch");
	is_int(run(each, SHOW "; exit 1"), 1, "it is kept until one is");
	is_str(seen(), "3 t/0:5-8 t/1:7-7\na\nb\nc\n", "the same again");
	ok(!fl_each_due(each, &size), "then it is empty");
	is_int(run(each, "exit 9"), 0, "and nothing is run");
	fl_each_pass(each, "t", 0, 9);
	is_int(run(each, "exit 9"), 0, "nor of what gave no record");
}

static void test_drop(struct fl_each *each)
{
	add(each, 0, 1, "first");
	add(each, 1, 1, "second");
	add(each, 2, 1, "third");
	add(each, 0, 2, "fourth");
	add(each, 1, 2, "fifth");
	fl_each_drop(each, "t", 7);
	fl_each_drop(each, "u", 1);
	fl_each_drop(each, "t", 0);
	add(each, 2, 2, "sixth");
	is_int(run(each, SHOW), 0, "a partition was dropped");
	is_str(seen(), "4 t/1:1-2 t/2:1-2\nsecond\nthird\nfifth\nsixth\n",
	       "its records and bounds are gone");
	add(each, 3, 1, "x");
	fl_each_drop(each, "t", 3);
	is_int(run(each, "exit 9"), 0, "nothing is left");
	add(each, 3, 5, "y");
	is_int(run(each, SHOW), 0, "and it comes back later");
	is_str(seen(), "1 t/3:5-5\ny\n", "with bounds of its own");
}

static void test_again(struct fl_each *each)
{
	add(each, 0, 1, "x");
	asked = 0;
	patience = 1000000;
	is_int(run(each, "[ -e again ] || { touch again; exit 3; }"), 0,
	       "3 is tried again");
	ok(asked > 10, "while it waits it asks");
	unlink("again");
	add(each, 0, 2, "y");
	patience = 0;
	is_int(run(each, "exit 3"), 3, "but not when nobody waits");
	patience = 1000000;
	is_int(run(each, "kill -9 $$"), 128 + 9, "a signal is a status");
	is_int(run(each, SHOW), 0, "what failed is still there");
	is_str(seen(), "1 t/0:2-2\ny\n", "as it was");
}

int main(void)
{
	char folder[] = "/tmp/each-XXXXXX";
	struct fl_each *each = NULL;

	if (!mkdtemp(folder) || chdir(folder) < 0)
		return 1;
	fl_each_open(&each);
	test_batches(each);
	test_drop(each);
	test_again(each);
	fl_each_close(&each);
	if (chdir("/") == 0)
		rmdir(folder);
	return done_testing();
}
