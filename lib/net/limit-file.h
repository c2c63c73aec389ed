/* limit-file: what was asked of a provider, as a file.
 *
 * Two lines of 512 bytes, written in turn: the one that is torn when power
 * fails is the older one. Each carries a number and a checksum; the line with
 * the higher number holds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_LIMIT_FILE_H
#define FL_NET_LIMIT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
	FL_LIMIT_LINE = 512,
	FL_LIMIT_SLICES =
		13, /* of five seconds: a minute, wherever it begins */
	FL_LIMIT_DAYS = 3,
};

struct fl_limit_day {
	int64_t day; /* of the provider's zone */
	uint32_t used;
};

struct fl_limit_state {
	uint64_t number; /* of the line */
	uint64_t boot;   /* which run of the machine the clocks are of */
	int64_t next_ns; /* monotonic: when the pace has room again */
	int64_t slice;   /* monotonic, in five seconds: of slices[0] */
	uint32_t slices[FL_LIMIT_SLICES]; /* asked in it, and in those before */
	struct fl_limit_day days[FL_LIMIT_DAYS]; /* used 0: free */
	/* What held when it was written, for those who look. */
	uint32_t per_second, per_minute, per_day, burst;
	char zone[65], provider[33], key[13]; /* "-": none */
};

/* One line, its line feed included. */
void fl_limit_print(const struct fl_limit_state *state,
		    char line[FL_LIMIT_LINE]);
/* The line that holds of a file's bytes. returns false: none does */
bool fl_limit_parse(const char *bytes, size_t len,
		    struct fl_limit_state *state);

/* The file, locked. */
struct fl_limit_file {
	char *path;
	int fd; /* -1: not open */
};

/* Lock the file and read it.
 *
 * returns  1; 0 there is none, or nothing in it: *state is left alone; 2 the
 *          same, as it was damaged: it bears another name now
 * errors   -1: FL_ERR_IO; FL_ERR_AGAIN somebody keeps the lock */
int fl_limit_lock(struct fl_limit_file *file, bool make,
		  struct fl_limit_state *state, struct fl_error *err);
/* Write the state; durable: not before it is on the disk. */
int fl_limit_write(struct fl_limit_file *file, struct fl_limit_state *state,
		   bool durable, struct fl_error *err);
void fl_limit_unlock(struct fl_limit_file *file);
void fl_limit_file_close(struct fl_limit_file *file);

#endif
