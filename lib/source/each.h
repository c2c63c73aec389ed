/* each: a command for each batch of records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_EACH_H
#define FL_SOURCE_EACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fl_each;

/* When a batch is whole; at 32 MiB in any case. */
struct fl_each_size {
	uint64_t count;
	int64_t ns; /* since its first record */
};

void fl_each_open(struct fl_each **each);
/* A record of the batch, without its newline. */
void fl_each_add(struct fl_each *each, const char *topic, int32_t partition,
		 int64_t offset, const char *bytes, size_t len);
/* A message that gave no record: the batch covers it. */
void fl_each_pass(struct fl_each *each, const char *topic, int32_t partition,
		  int64_t offset);
/* What came of the partition is no longer ours to give. */
void fl_each_drop(struct fl_each *each, const char *topic, int32_t partition);
bool fl_each_due(const struct fl_each *each, const struct fl_each_size *size);

/* Run the command by sh -c with the batch on its standard input. Its bounds are
 * in the environment: FL_BATCH_RECORDS, and FL_BATCH_OFFSETS as
 * "TOPIC/PARTITION:FIRST-LAST ...". One that ends with 3 is run again with
 * back-off, while `waits` says so; that is called while it runs, too. A batch
 * of no records runs nothing.
 *
 * returns its status, 128+n for a signal; the batch is then empty when that is
 *         0 or 1. -1: FL_ERR_IO, FL_ERR_AGAIN it cannot be run */
int fl_each_run(struct fl_each *each, const char *command,
		bool (*waits)(void *arg), void *arg, struct fl_error *err);
void fl_each_close(struct fl_each **each); /* NULL is fine */

#endif
