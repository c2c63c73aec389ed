/* blocks: an input cut into blocks of whole lines, worked on in parallel,
 * handed back in order.
 *
 * A block, not a line, is what moves between threads: about 1 MiB, so that the
 * lock is taken a few hundred times a gigabyte. When input arrives slowly a
 * block is whatever whole lines have arrived, so live streams are prompt.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_BLOCKS_H
#define FL_IO_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/stream.h"

struct fl_block {
	char *data; /* whole lines, each with its LF; the last line of
		     * the input may lack it (then `torn`) */
	size_t len;
	uint64_t first_line; /* line number of the first one, from 1 */
	uint64_t lines;      /* how many LF-ended (or torn) lines it holds */
	uint64_t oversize;   /* not 0: the block is the first 64 KiB of one line
			      * of this many bytes, over FL_LINE_MAX; no LF */
	bool torn;           /* the last line has no LF: the input ended */
	void *result;        /* the work function's; kept when the block is used
			      * again */
};

struct fl_blocks;

struct fl_blocks_work {
	/* Runs in any worker, one block at a time each. `worker` is 0 … n-1. */
	void (*work)(void *arg, unsigned worker, struct fl_block *block);
	void *arg;
	bool counts; /* work walks the lines anyway and sets block->lines */
	void (*free_result)(void *result); /* NULL: results are not owned */
	/* The consumer is about to wait: flush what a live reader waits for. */
	void (*idle)(void *arg);
	/* Tell so again at least so often while waiting; 0: once. */
	int64_t idle_every_ns;
	/* Asked a few times a second while a read waits: end the input here? */
	bool (*stopped)(const void *arg);
	const void *stopped_arg;
};

/* Borrows `in` until closed. workers 1: everything happens in the caller. */
int fl_blocks_open(struct fl_blocks **blocks, struct fl_stream *in,
		   unsigned workers, const struct fl_blocks_work *work,
		   struct fl_error *err);
/* The next block in order, borrowed until the next call.
 * returns 1, 0 at the end of input, -1 with err as fl_stream_read, after all
 * blocks before the fault were handed out */
int fl_blocks_next(struct fl_blocks *blocks, struct fl_block **block,
		   struct fl_error *err);

/* Walk the lines of a block: *at begins at 0. The line is given without its LF
 * and a CR before it; false after the last. Blank lines are passed over and
 * *line, which counts from block->first_line, jumps accordingly. */
bool fl_block_line(const struct fl_block *block, size_t *at, const char **bytes,
		   size_t *len, uint64_t *number);
/* How many bytes of the input it stands for. */
uint64_t fl_block_bytes(const struct fl_block *block);
void fl_blocks_close(struct fl_blocks **blocks);

#endif
