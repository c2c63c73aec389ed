/* logs_repeats: equal lines of one second, told apart by their number.
 *
 * A line is known again among the 65,536 before it: clocks of machines that
 * write into one file, and of web servers that stamp a request with its
 * beginning, go back and forth by seconds. Memory is bounded by that, and who
 * goes on in the middle of a file reads so many lines before it again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_REPEATS_H
#define FL_SOURCE_LOG_REPEATS_H

#include <stddef.h>
#include <stdint.h>

#define FL_LOGS_REPEATS 65536

struct fl_logs_repeats {
	struct fl_logs_seen *slots; /* NULL: nothing yet */
	size_t size, used;
	uint32_t lines; /* so far */
};

/* The how manieth line of its second that is; 1 for the first. `key` is the
 * hash of line and second. */
uint32_t fl_logs_repeats_add(struct fl_logs_repeats *repeats, uint64_t key);
void fl_logs_repeats_release(struct fl_logs_repeats *repeats);

#endif
