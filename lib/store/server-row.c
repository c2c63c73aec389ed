/* server-row: records into rows.
 *
 * Rows wait in memory until the commit, ready for the wire. Of lines with one
 * key the last one goes, as no statement may touch a row twice. So a
 * transaction is a handful of round trips however many rows it has, can be done
 * again when the connection is lost, and holds its locks for no longer than the
 * writing takes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/short.h"
#include "rec/bar.h"
#include "rec/number.h"

enum {
	LENGTH = sizeof(uint32_t), /* of a cell's, behind its column */
	MISSES_MAX = 9,            /* a pause of 512 batches */
};

/* --- a record as cells --------------------------------------------------- */

static size_t begin_cell(struct fl_server_table *table, size_t column)
{
	const char head[1 + LENGTH] = { (char)column };

	table->used_count += !table->used[column];
	table->used[column] = true;
	fl_buf_append(&table->cells, head, sizeof(head));
	return table->cells.len;
}

static void end_cell(struct fl_server_table *table, size_t start)
{
	uint32_t len = (uint32_t)(table->cells.len - start);

	memcpy(table->cells.data + start - LENGTH, &len, LENGTH);
}

static void put_text(struct fl_server_table *table, size_t column,
		     const char *text, size_t len)
{
	size_t start = begin_cell(table, column);

	fl_buf_append(&table->cells, text, len);
	end_cell(table, start);
}

static bool is_canonical(const struct fl_record *rec,
			 const struct fl_json_tok *tok, enum fl_kind kind)
{
	struct fl_look look;

	if (rec->plain)
		return true;
	look = fl_number_look(tok->text, tok->len);
	return kind == FL_SUM ? look.whole : look.plain;
}

static void put_number(struct fl_buf *out, const struct fl_wire *wire,
		       const struct fl_record *rec,
		       const struct fl_sql_column *col)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[col->field]];
	struct fl_buf text = FL_BUF_INIT;

	if (is_canonical(rec, tok, col->kind)) {
		wire->put_number(out, tok->text, tok->len);
		return;
	}
	fl_record_print(rec, col->field, &text);
	wire->put_number(out, text.data, text.len);
	fl_buf_release(&text);
}

static void put_integer(struct fl_buf *out, const struct fl_wire *wire,
			const struct fl_json_tok *tok)
{
	int64_t value = 0;

	if (!fl_integer_parse(tok->text, tok->len, &value))
		FL_BUG("a checked integer is none");
	wire->put_integer(out, value);
}

static int64_t time_of(const struct fl_record *rec, int field)
{
	int64_t ns = rec->ts_ns;

	if (strcmp(rec->type->fields[field].path, "ts") != 0 &&
	    !fl_record_time(rec, field, &ns))
		FL_BUG("a checked time is none");
	return ns;
}

/* What microseconds leave of a time. */
static int rest_of(int64_t ns)
{
	return (int)((ns % 1000 + 1000) % 1000);
}

/* The value of a field that is there; of a time *rest gets what is left. */
static void put_field(struct fl_buf *out, const struct fl_wire *wire,
		      const struct fl_record *rec,
		      const struct fl_sql_column *col, int *rest)
{
	uint32_t at = rec->at[col->field];
	const struct fl_json_tok *tok = &rec->json->toks[at];
	int64_t ns;

	switch (col->kind) {
	case FL_STRING:
		fl_buf_append(out, tok->text, tok->len);
		break;
	case FL_DATE:
		wire->put_date(out, tok->text, tok->len);
		break;
	case FL_NUMBER:
	case FL_SUM:
		put_number(out, wire, rec, col);
		break;
	case FL_INTEGER:
		put_integer(out, wire, tok);
		break;
	case FL_BOOLEAN:
		wire->put_boolean(out, tok->kind == FL_JSON_TRUE);
		break;
	case FL_TIME:
		ns = time_of(rec, col->field);
		*rest = rest_of(ns);
		wire->put_time(out, ns);
		break;
	case FL_STRINGS:
		wire->put_texts(out, rec->json, at);
		break;
	case FL_OBJECTS:
	case FL_OBJECT:
		fl_record_print(rec, col->field, out);
		break;
	}
}

/* Does the record say what its key would hold anyway? */
static bool is_given(const struct fl_record *rec,
		     const struct fl_sql_column *col)
{
	const char *absent = rec->type->fields[col->field].absent;
	uint32_t at = rec->at[col->field];

	return at && fl_json_is(&rec->json->toks[at], absent, strlen(absent));
}

/* What no field knows, or the whole record; nothing is NULL. */
static void put_rest(struct fl_server_table *table, size_t column,
		     const struct fl_record *rec)
{
	struct fl_buf text = FL_BUF_INIT;

	if (table->cols[column].role == FL_SQL_DOC)
		fl_record_canonical(rec, &text);
	else if (!rec->plain) /* a plain one has known fields alone */
		fl_record_extra(rec, &text);
	if (text.len)
		put_text(table, column, text.data, text.len);
	fl_buf_release(&text);
}

static void put_cell(struct fl_server *s, struct fl_server_table *table,
		     size_t column, const struct fl_record *rec, int *rest)
{
	const struct fl_sql_column *col = &table->cols[column];
	const struct fl_wire *wire = s->kind->wire;
	size_t start;

	switch (col->role) {
	case FL_SQL_FIELD:
		*rest = 0;
		if (rec->at[col->field]) {
			start = begin_cell(table, column);
			put_field(&table->cells, wire, rec, col, rest);
			end_cell(table, start);
		} else if (col->absent) {
			put_text(table, column, col->absent,
				 strlen(col->absent));
		}
		break;
	case FL_SQL_NS:
		if (!*rest && !col->required)
			break;
		start = begin_cell(table, column);
		wire->put_rest(&table->cells, *rest);
		end_cell(table, start);
		break;
	case FL_SQL_GIVEN:
		if (!is_given(rec, col))
			break;
		start = begin_cell(table, column);
		wire->put_boolean(&table->cells, true);
		end_cell(table, start);
		break;
	case FL_SQL_TICK_ID:
		start = begin_cell(table, column);
		wire->put_integer(&table->cells, fl_record_tick_id(rec));
		end_cell(table, start);
		break;
	case FL_SQL_EXTRA:
	case FL_SQL_DOC:
		put_rest(table, column, rec);
		break;
	case FL_SQL_PIPELINE:
		if (s->pipeline && fl_bar_is_partial(rec))
			put_text(table, column, s->pipeline,
				 strlen(s->pipeline));
		break;
	}
}

/* Behind the other cells; returns what the key hashes to. */
static struct fl_hash128 put_cells(struct fl_server *s,
				   struct fl_server_table *table,
				   const struct fl_record *rec)
{
	struct fl_buf *key = &s->copy;
	int rest = 0;

	fl_buf_reset(key);
	for (size_t i = 0; i < table->count; i++) {
		const struct fl_sql_column *col = &table->cols[i];
		size_t start = table->cells.len;

		/* Two thirds of all columns, in most records. */
		if (col->role == FL_SQL_FIELD && !rec->at[col->field] &&
		    !col->absent) {
			rest = 0;
			continue;
		}
		put_cell(s, table, i, rec, &rest);
		if (col->key)
			fl_buf_append(key, table->cells.data + start,
				      table->cells.len - start);
	}
	return fl_hash128(key->data, key->len, 0);
}

/* --- the rows that wait -------------------------------------------------- */

static uint32_t *slot_of(const struct fl_server_table *table,
			 struct fl_hash128 key)
{
	size_t at = key.lo & table->mask;

	while (table->slots[at]) {
		const struct fl_server_row *row =
			&table->rows[table->slots[at] - 1];

		if (row->key.lo == key.lo && row->key.hi == key.hi)
			break;
		at = (at + 1) & table->mask;
	}
	return &table->slots[at];
}

static void grow(struct fl_server_table *table)
{
	table->row_cap = table->row_cap ? 2 * table->row_cap : 256;
	table->rows =
		fl_realloc(table->rows, table->row_cap, sizeof(*table->rows));
	free(table->slots);
	table->slots = fl_zalloc(2 * table->row_cap * sizeof(*table->slots));
	table->mask = 2 * table->row_cap - 1;
	for (size_t i = 0; i < table->row_count; i++) {
		if (!table->rows[i].dead)
			*slot_of(table, table->rows[i].key) = (uint32_t)i + 1;
	}
}

static struct fl_server_row *find(struct fl_server_table *table,
				  struct fl_hash128 key)
{
	uint32_t slot = table->slots ? *slot_of(table, key) : 0;

	if (!slot || table->rows[slot - 1].dead)
		return NULL;
	return &table->rows[slot - 1];
}

/* The name of an input, kept for as long as the store is open. */
static const char *intern(struct fl_server *s, const char *input)
{
	void **slot;

	if (!input)
		return NULL;
	slot = fl_map_at(&s->inputs, input, strlen(input));
	if (!*slot)
		*slot = fl_strdup(input);
	return *slot;
}

/* The row whose cells were put last. `line`: what a reject of it would show. */
static struct fl_server_row *add_row(struct fl_server *s,
				     struct fl_server_table *table,
				     struct fl_hash128 key, size_t cells,
				     const struct fl_record *line)
{
	struct fl_server_row *row;
	uint32_t *slot;

	if (table->row_count == table->row_cap)
		grow(table);
	slot = slot_of(table, key);
	row = &table->rows[table->row_count++];
	*row = (struct fl_server_row){
		.key = key,
		.cells = cells,
		.cells_len = table->cells.len - cells,
		.line = table->lines.len,
		.line_len = line->len,
		.input = intern(s, line->input),
		.number = line->line,
		.before = FL_SERVER_NONE,
	};
	fl_buf_append(&table->lines, line->bytes, line->len);
	if (*slot && !table->rows[*slot - 1].dead) {
		row->outcome = FL_PUT_REPLACED;
		if (fl_server_stream_has(s, table, *slot - 1, row)) {
			row->dead = true;
			return row;
		}
		table->rows[*slot - 1].dead = true;
		row->before = *slot - 1;
		row->known = table->rows[*slot - 1].known ||
			     row->before < table->written;
	}
	*slot = (uint32_t)table->row_count;
	return row;
}

void fl_server_rewind(struct fl_server *s)
{
	for (size_t i = 0; i < FL_TYPE_COUNT; i++) {
		struct fl_server_table *table = s->tables[i];

		if (table)
			table->written = table->loaded = table->noted = 0;
	}
}

void fl_server_drop(struct fl_server *s)
{
	for (size_t i = 0; i < FL_TYPE_COUNT; i++) {
		struct fl_server_table *table = s->tables[i];

		if (!table || !table->row_count)
			continue;
		memset(table->slots, 0,
		       (table->mask + 1) * sizeof(*table->slots));
		memset(table->used, 0, sizeof(table->used));
		table->used_count = 0;
		table->row_count = table->written = table->loaded = 0;
		table->noted = 0;
		table->quiet = false;
		fl_buf_reset(&table->cells);
		fl_buf_reset(&table->lines);
	}
}

void fl_server_table_free(const struct fl_server *s,
			  struct fl_server_table *table)
{
	if (!table)
		return;
	if (s->kind->release)
		s->kind->release(table);
	fl_buf_release(&table->cells);
	fl_buf_release(&table->lines);
	fl_sql_leads_free(table->leads, table->count);
	free(table->by_key);
	free(table->rows);
	free(table->slots);
	free(table);
}

/* --- a row by its key ---------------------------------------------------- */

static void put_key_value(const struct fl_record *rec,
			  const struct fl_sql_column *col, struct fl_buf *text)
{
	const struct fl_json_tok *tok;
	int64_t ns;

	if (col->role == FL_SQL_TICK_ID) {
		fl_buf_printf(text, "%lld", (long long)fl_record_tick_id(rec));
		return;
	}
	if (col->role == FL_SQL_NS || col->kind == FL_TIME) {
		ns = time_of(rec, col->field);
		if (col->role == FL_SQL_NS)
			fl_buf_printf(text, "%d", rest_of(ns));
		else
			fl_sql_micros(text, ns);
		return;
	}
	tok = &rec->json->toks[rec->at[col->field]];
	if (rec->at[col->field])
		fl_buf_append(text, tok->text, tok->len);
	else
		fl_buf_puts(text, col->absent);
}

static size_t key_of(const struct fl_server_table *table,
		     const struct fl_record *rec, struct fl_buf *text,
		     const char **args)
{
	size_t starts[FL_KEY_MAX + 1] = { 0 }, count = 0;

	fl_buf_reset(text);
	for (size_t i = 0; i < table->count; i++) {
		const struct fl_sql_column *col = &table->cols[i];

		if (!col->key)
			continue;
		starts[count++] = text->len;
		put_key_value(rec, col, text);
		fl_buf_putc(text, '\0');
	}
	for (size_t i = 0; i < count; i++)
		args[i] = text->data + starts[i];
	return count;
}

static void make_by_key(const struct fl_server *s,
			struct fl_server_table *table)
{
	struct fl_buf sql = FL_BUF_INIT;
	const char *before = " WHERE ";
	unsigned place = 0;

	fl_buf_puts(&sql, "SELECT ");
	fl_sql_row(&sql, s->kind->dialect, table->type, NULL);
	fl_buf_puts(&sql, " FROM ");
	fl_sql_name(&sql, s->kind->dialect, table->type->name);
	for (size_t i = 0; i < table->count; i++) {
		if (!table->cols[i].key)
			continue;
		fl_buf_puts(&sql, before);
		fl_sql_name(&sql, s->kind->dialect, table->cols[i].name);
		fl_buf_puts(&sql, " = ");
		fl_sql_parameter(&sql, s->kind->dialect, table->cols[i].kind,
				 ++place);
		before = " AND ";
	}
	fl_buf_puts(&sql, " FOR UPDATE");
	table->by_key = fl_buf_take(&sql);
}

int fl_server_stored(struct fl_server *s, struct fl_server_table *table,
		     const struct fl_record *rec, struct fl_rows **rows,
		     struct fl_error *err)
{
	const char *args[FL_KEY_MAX + 1];
	size_t count;

	if (!table->by_key)
		make_by_key(s, table);
	count = key_of(table, rec, &s->copy, args);
	while (fl_server_begin(s, err) < 0 ||
	       fl_server_stream_end(s, err) < 0 ||
	       fl_db_ask(s->db, table->by_key, args, count, "read", rows, err) <
		       0) {
		if (!fl_server_take_up(s, err))
			return -1;
	}
	return 0;
}

/* --- put ------------------------------------------------------------------ */

/* Rejects are few, and those of the run's own are not in its account: whether
 * one is new is told at once. */
static int look_up(struct fl_server *s, struct fl_server_table *table,
		   const struct fl_record *rec, bool *known,
		   struct fl_error *err)
{
	struct fl_rows *rows = NULL;

	if (fl_server_stored(s, table, rec, &rows, err) < 0)
		return -1;
	*known = fl_db_count(s->db, rows) > 0;
	fl_db_free(s->db, rows);
	return 0;
}

int fl_server_put(struct fl_store *store, const struct fl_record *rec,
		  enum fl_put *outcome, struct fl_note *note,
		  struct fl_error *err)
{
	struct fl_server *s = store->state;
	struct fl_server_table *table = fl_server_table(s, rec->type);
	const struct fl_record *line = rec, *part = NULL;
	size_t cells = table->cells.len;
	const struct fl_server_row *waiting;
	struct fl_server_row *row;
	struct fl_hash128 key;
	bool known = false;

	*outcome = FL_PUT_NEW;
	if (rec->fixes)
		rec = fl_record_mend(rec, &s->text, &s->json, &s->mended);
	key = put_cells(s, table, rec);
	waiting = find(table, key);
	if (table->partial_column >= 0 && fl_bar_may_meet_parts(rec)) {
		table->cells.len = cells;
		if (fl_server_merge(store, table, &rec, waiting, outcome,
				    &known, note, err) < 0)
			return -1;
		if (*outcome == FL_PUT_REFUSED)
			return 0;
		put_cells(s, table, rec);
		if (fl_bar_is_partial(rec)) {
			part = line;
			line = rec; /* the next part wants all of it */
		}
	} else if (rec->type->id == FL_TYPE_reject && !waiting) {
		if (look_up(s, table, rec, &known, err) < 0) {
			table->cells.len = cells;
			return -1;
		}
		*outcome = known ? FL_PUT_REPLACED : FL_PUT_NEW;
	}
	row = add_row(s, table, key, cells, line);
	row->known |= known;
	if (part) {
		row->part = table->lines.len;
		row->part_len = part->len;
		fl_buf_append(&table->lines, part->bytes, part->len);
	}
	if (*outcome == FL_PUT_NEW)
		*outcome = row->outcome;
	row->outcome = *outcome;
	fl_server_stream(s, table);
	return 0;
}

bool fl_server_next_cell(const struct fl_server_table *table,
			 const struct fl_server_row *row, size_t *at, size_t i,
			 struct fl_cell *cell)
{
	const char *next = table->cells.data + row->cells + *at;
	uint32_t len;

	if (*at == row->cells_len || (unsigned char)*next != i)
		return false;
	memcpy(&len, next + 1, LENGTH);
	*cell = (struct fl_cell){ next + 1 + LENGTH, len };
	*at += 1 + LENGTH + len;
	return true;
}

size_t fl_server_used(const struct fl_server_table *table, size_t *columns)
{
	size_t count = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (table->used[i])
			columns[count++] = i;
	}
	return count;
}

void fl_server_put_columns(struct fl_buf *sql, const struct fl_server *s,
			   const struct fl_server_table *table,
			   const size_t *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			fl_buf_puts(sql, ", ");
		fl_sql_name(sql, s->kind->dialect,
			    table->cols[columns[i]].name);
	}
}
