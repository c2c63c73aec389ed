/* lake-name: names and keys of a lake.
 *
 *   quote/dt=2026-11-20/part-STAMP-PIPELINE-CONTENT.ndjson.zst
 *
 * STAMP is the time of the commit, made to rise: of two rows with one natural
 * key the one in the later object holds, and sorted names are in that order for
 * any reader. PIPELINE tells whose commit has to be known before the object is
 * to be seen. CONTENT is a hash of the records: the same batch, loaded twice,
 * is found to be there. All are hexadecimal.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "rec/shape.h"
#include "store/lake.h"

static const char partial_bars[] = "bar_partial";

void fl_lake_put_part(struct fl_buf *out, const struct fl_lake_part *part)
{
	char date[FL_TIME_TEXT];

	fl_date_print(part->day, date);
	fl_buf_printf(out, "%s/dt=%s",
		      part->partial ? partial_bars : part->type->name, date);
}

bool fl_lake_read_type(const char *text, struct fl_lake_part *part)
{
	part->partial = strcmp(text, partial_bars) == 0;
	part->type =
		part->partial ? &fl_type_bar : fl_type_find(text, strlen(text));
	return part->type != NULL;
}

bool fl_lake_read_day(const char *text, int64_t *day)
{
	return strncmp(text, "dt=", 3) == 0 &&
	       fl_date_parse(text + 3, strlen(text + 3), day);
}

void fl_lake_put_name(struct fl_buf *out, const struct fl_lake_name *name)
{
	fl_buf_printf(out, "part-%016llx-%016llx-%016llx%016llx.ndjson.zst",
		      (unsigned long long)name->stamp,
		      (unsigned long long)name->pipeline,
		      (unsigned long long)name->content.hi,
		      (unsigned long long)name->content.lo);
}

/* 16 digits at text, and what stands behind them. */
static bool read_hex(const char **text, uint64_t *value, const char *after)
{
	char digits[17] = "", *end;
	size_t len = strlen(after);

	for (size_t i = 0; i < 16; i++) {
		if (!isxdigit((unsigned char)(*text)[i]))
			return false;
		digits[i] = (*text)[i];
	}
	*value = strtoull(digits, &end, 16);
	*text += 16;
	if (strncmp(*text, after, len) != 0)
		return false;
	*text += len;
	return true;
}

bool fl_lake_read_name(const char *text, struct fl_lake_name *name)
{
	uint64_t stamp;

	if (strncmp(text, "part-", 5) != 0)
		return false;
	text += 5;
	if (!read_hex(&text, &stamp, "-") || stamp > INT64_MAX ||
	    !read_hex(&text, &name->pipeline, "-") ||
	    !read_hex(&text, &name->content.hi, "") ||
	    !read_hex(&text, &name->content.lo, ".ndjson.zst"))
		return false;
	name->stamp = (int64_t)stamp;
	return *text == '\0';
}

uint64_t fl_lake_pipeline_id(const char *pipeline)
{
	uint64_t id = fl_hash64(pipeline, strlen(pipeline));

	return id && id != FL_LAKE_COMPACTED ? id : 1;
}

/* A name is any text; what could mean something to a file system is written as
 * %2F. One that gets too long that way is known by its hash. */
void fl_lake_put_pipeline(struct fl_buf *out, const char *pipeline)
{
	size_t start = out->len;

	for (const char *p = pipeline; *p; p++) {
		if (isalnum((unsigned char)*p) || *p == '-' ||
		    (*p == '.' && p > pipeline))
			fl_buf_putc(out, *p);
		else if (*p == '_' && p > pipeline)
			fl_buf_putc(out, *p);
		else
			fl_buf_printf(out, "%%%02X", (unsigned char)*p);
	}
	if (out->len - start <= 200)
		return;
	out->len = start + 180;
	fl_buf_printf(out, "%%%016llx",
		      (unsigned long long)fl_lake_pipeline_id(pipeline));
}

/* --- keys ---------------------------------------------------------------- */

static int field_of(const struct fl_type *type, const char *path)
{
	int field = fl_type_field(type, path, strlen(path));

	/* What stores have no column for cannot be selected by. */
	return field >= 0 && type->fields[field].column ? field : -1;
}

static void make_shape(struct fl_lake_shape *shape, const struct fl_type *type)
{
	bool timed = false;

	for (size_t i = 0; i < FL_KEY_MAX && type->key[i]; i++) {
		const char *key = type->key[i];
		int field;

		if (strcmp(key, "ts") == 0) {
			timed = true;
			continue;
		}
		field = strcmp(key, "tick_id") == 0
				? FL_LAKE_TICK_ID
				: fl_type_field(type, key, strlen(key));
		shape->key[shape->key_count++] = field;
		if (strcmp(key, "date") != 0 && strcmp(key, "id") != 0 &&
		    field != FL_LAKE_TICK_ID)
			shape->series_count = shape->key_count;
	}
	shape->floating = !timed;
	shape->symbol = field_of(type, "symbol");
	shape->symbols = field_of(type, "symbols");
	shape->provider = field_of(type, "provider");
	shape->interval = field_of(type, "interval");
	shape->adj = field_of(type, "adj");
	shape->date = field_of(type, "date");
}

static struct fl_lake_shape shapes[FL_TYPE_COUNT];

static void make_shapes(void)
{
	for (size_t i = 0; fl_types[i]; i++)
		make_shape(&shapes[i], fl_types[i]);
}

const struct fl_lake_shape *fl_lake_shape(const struct fl_type *type)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_shapes);
	return &shapes[type->id];
}

/* No text holds a NUL, so one behind each keeps "a","bc" from "ab","c" and
 * orders them column by column. */
static void put_keys(const struct fl_record *rec, size_t count,
		     struct fl_buf *out)
{
	const struct fl_lake_shape *shape = fl_lake_shape(rec->type);

	for (size_t i = 0; i < count; i++) {
		int field = shape->key[i];
		const struct fl_json_tok *tok;

		if (field == FL_LAKE_TICK_ID) {
			uint64_t id = (uint64_t)fl_record_tick_id(rec) ^
				      UINT64_C(1) << 63;

			for (int shift = 56; shift >= 0; shift -= 8)
				fl_buf_putc(out, (char)(id >> shift));
			continue;
		}
		tok = &rec->json->toks[rec->at[field]];
		if (rec->at[field])
			fl_buf_append(out, tok->text, tok->len);
		else if (rec->type->fields[field].absent)
			fl_buf_puts(out, rec->type->fields[field].absent);
		fl_buf_putc(out, '\0');
	}
}

void fl_lake_put_key(const struct fl_record *rec, struct fl_buf *out)
{
	put_keys(rec, fl_lake_shape(rec->type)->key_count, out);
}

void fl_lake_put_series(const struct fl_record *rec, struct fl_buf *out)
{
	put_keys(rec, fl_lake_shape(rec->type)->series_count, out);
}
