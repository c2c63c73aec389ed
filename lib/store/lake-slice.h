/* lake-slice: how an object that compaction has made stands in its file.
 *
 * It is a row of slices. Each holds the rows of a span of time, which follow
 * each other, and in a slice the rows are sorted by series: so few frames have
 * those of one symbol. Before its frames stands a note that says where they
 * begin and which symbols they have; other readers pass over it. A slice is
 * small enough to be put into the order of time in memory.
 *
 *   note   HASH {"from":TIME,"to":TIME,"frames":[{"size":N,"rows":N,
 *          "symbols":[FIRST,LAST]}, …]}
 *
 * HASH is XXH3-64 of what follows the blank, in hex; from and to are the times
 * of the first and the last row; size is that of the packed frame; symbols,
 * where the type has one, are the least and the greatest by bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_LAKE_SLICE_H
#define FL_STORE_LAKE_SLICE_H

#include "store/lake.h"

/* --- writing ---------------------------------------------------------------
 */

struct fl_lake_slicer;
struct fl_lake_slicer *fl_lake_slicer_new(void);
void fl_lake_slicer_free(struct fl_lake_slicer *slicer); /* NULL is fine */
/* Is there room for a line of that length, and the LF behind it? */
bool fl_lake_slicer_fits(const struct fl_lake_slicer *slicer, size_t len);
/* Add a row; they come in the order of (ts, key), all of one type. */
void fl_lake_slicer_add(struct fl_lake_slicer *slicer,
			const struct fl_record *rec);
/* Append what was added as a slice, and begin the next one; nothing is fine.
 * content  goes on as the hash of all there is */
int fl_lake_slicer_pack(struct fl_lake_slicer *slicer, struct fl_buf *out,
			struct fl_hash128 *content, struct fl_error *err);

/* --- reading ---------------------------------------------------------------
 */

/* So many bytes of a note are asked for when its size is not known. */
#define FL_LAKE_NOTE_GUESS 8192

struct fl_lake_line {
	int64_t ts;
	uint32_t at, len; /* in the text of the frames */
};

/* A slice that is being read; zeroed at first. */
struct fl_lake_slice {
	struct fl_lake_line *lines;
	struct fl_lake_line *scratch;
	size_t count, cap, scratch_cap, given;
	/* Of the note: frames[frame_count], of which the first `frame` are done
	 * with. None: all that comes is read. */
	struct fl_lake_frame {
		uint64_t at;
		uint64_t size;
		bool wanted;
	} * frames;
	size_t frame_count, frame_cap, frame;
	uint64_t end; /* behind the last frame */
	bool sure;    /* the next frame is where the file stands */
	bool picked;  /* frames were passed over */
	struct fl_json json;
};

/* What the note says of the frames behind it, which begin at byte `at`. The
 * lines stay.
 * query   NULL: all rows are wanted
 * returns false: it is damaged; all frames are to be read */
bool fl_lake_slice_note(struct fl_lake_slice *slice, const char *text,
			size_t len, uint64_t at, const struct fl_type *type,
			const struct fl_query *query);
/* Go to where the next frame that is wanted begins.
 * returns false: there is none, and `frames` stands behind the last one */
bool fl_lake_slice_seek(struct fl_lake_slice *slice, struct fl_frames *frames);
/* A line of the text, with its time. */
void fl_lake_slice_add(struct fl_lake_slice *slice, int64_t ts, size_t at,
		       size_t len);
/* Put the lines into the order of (ts, key). */
void fl_lake_slice_sort(struct fl_lake_slice *slice);
/* Forget the lines. */
void fl_lake_slice_empty(struct fl_lake_slice *slice);
void fl_lake_slice_release(struct fl_lake_slice *slice);

#endif
