/* lake-verify: is all of a lake as it was written?
 *
 * Each object is read whole: its frames against their checksums, their content
 * against the object's name, each line as a record of the type and the date of
 * its folder, in order. What is damaged is mended by writing anew what can be
 * read of it; the damaged object is kept aside, and its new name lets whoever
 * loads the same records once more bring back those that were lost.
 *
 * Parts of bars are told, not mended: while both objects are there they would
 * count twice.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/lake-read.h"

struct verification {
	struct fl_lake *lake;
	struct fl_lake_view view;
	struct fl_lake_reader reader;
	struct fl_buf key, before; /* of the line, and of that before it */
	int64_t ts;                /* of that before it */
	struct fl_verified *done;
};

/* Does the line stand where it belongs? */
static void check_line(struct verification *v, const struct fl_lake_run *run,
		       const struct fl_record *rec)
{
	const struct fl_lake_part *part = &run->source->part;
	struct fl_buf key = v->before;
	int64_t day = rec->ts_ns / FL_DAY - (rec->ts_ns % FL_DAY < 0);
	size_t len;
	int order = -1;

	fl_buf_reset(&v->key);
	fl_lake_put_key(rec, &v->key);
	if (rec->ts_ns == v->ts && v->before.len) {
		len = v->key.len < v->before.len ? v->key.len : v->before.len;
		order = memcmp(v->before.data, v->key.data, len);
		if (order == 0 && v->before.len < v->key.len)
			order = -1;
		else if (order == 0)
			order = v->before.len > v->key.len;
	}
	if (day != part->day)
		fl_lake_run_blame(&v->reader, run, "a record of another date");
	else if (rec->ts_ns < v->ts || order > 0 ||
		 (order == 0 && !part->partial))
		fl_lake_run_blame(&v->reader, run, "a record out of order");
	v->before = v->key;
	v->key = key;
	v->ts = rec->ts_ns;
}

/* returns 1 good, 0 damaged, -1 */
static int check_object(struct verification *v,
			const struct fl_lake_source *source,
			struct fl_error *err)
{
	uint64_t damage = v->reader.damage.count, records = 0;
	struct fl_lake_run run;
	struct fl_record rec;
	int result = fl_lake_run_open(&v->reader, &run, source, err);

	/* A commit names it, and it is in another one by now. */
	if (result == 0 && !run.bytes && !source->listed)
		return 1;
	v->ts = INT64_MIN;
	fl_buf_reset(&v->before);
	while (result == 0 && run.bytes) {
		if (fl_lake_run_record(&v->reader, &run, &rec)) {
			check_line(v, &run, &rec);
			records++;
		}
		result = fl_lake_run_next(&v->reader, &run, err);
	}
	fl_lake_run_close(&v->reader, &run);
	if (result < 0)
		return -1;
	if (v->reader.damage.count > damage)
		return 0;
	v->done->objects++;
	v->done->records += records;
	return 1;
}

/* It is damaged. */
static int mend(struct verification *v, const struct fl_lake_source *source,
		struct fl_error *err)
{
	void (*tell)(void *arg, const char *text) = v->reader.damage.tell;
	void *arg = v->reader.damage.arg;
	const char *place = v->lake->objects.place;
	uint64_t kept = 0;
	char *text;
	int got;

	if (source->part.partial) {
		text = fl_sprintf("'%s%s' was left: parts of bars count twice "
				  "when they are written anew; remove it, and "
				  "make the bars of that date from their ticks",
				  place, source->path);
		tell(arg, text);
		free(text);
		return 0;
	}
	got = fl_lake_mend(v->lake, &v->view, source, &kept, err);
	if (got < 0)
		return -1;
	text = got ? fl_sprintf("'%s%s' was put aside, as '%s" FL_LAKE_DAMAGED
				"/%s'; %llu records of it are kept",
				place, source->path, place, source->path,
				(unsigned long long)kept)
		   : fl_sprintf("'%s%s' was written anew; nothing of it was "
				"lost",
				place, source->path);
	tell(arg, text);
	free(text);
	v->done->mended++;
	return 0;
}

int fl_lake_verify(struct fl_lake *lake, bool repair,
		   void (*tell)(void *arg, const char *text), void *arg,
		   struct fl_verified *done, struct fl_error *err)
{
	const struct fl_query all = FL_QUERY_ALL;
	struct verification v = { .lake = lake, .done = done };
	int result;

	v.reader.lake = lake;
	v.reader.view = &v.view;
	v.reader.unpacker = fl_unpacker_new();
	v.reader.damage.tell = tell;
	v.reader.damage.arg = arg;
	result = repair ? fl_lake_publish_left(lake, err) : 0;
	if (result == 0 && !lake->empty)
		result = fl_lake_view_take(lake, &all, &v.view, err);
	for (size_t i = 0; i < v.view.count && result == 0; i++) {
		const struct fl_lake_source *source = &v.view.sources[i];
		int good = check_object(&v, source, err);

		result = good < 0 ? -1 : 0;
		if (good != 0)
			continue;
		done->damaged++;
		if (repair)
			result = mend(&v, source, err);
	}
	fl_lake_view_release(&v.view);
	fl_unpacker_free(v.reader.unpacker);
	fl_json_release(&v.reader.json);
	fl_buf_release(&v.key);
	fl_buf_release(&v.before);
	return result;
}
