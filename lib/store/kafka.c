/* kafka: see kafka.h.
 *
 * A position is kept as a mark of one origin, under the key PIPELINE/ORIGIN
 * with slashes of the pipeline's name written %2F, so that no two pipelines
 * share a key.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"

/* --- where records go ---------------------------------------------------- */

struct fl_kafka_lane {
	char *topic;
	bool checked;
	int fields[FL_KAFKA_KEY_FIELDS]; /* of the type; -1: look by the path */
	const char *paths[FL_KAFKA_KEY_FIELDS];
	size_t count;
	struct fl_buf key;
	/* The last record's, for the next one is likely of the same. */
	char provider[64];
	size_t provider_len;
	void *headers;
};

static void set_lane(struct fl_kafka_route *route, struct fl_kafka_lane *lane,
		     const struct fl_type *type)
{
	const char *path = type->topic_key;

	lane->topic = route->topic
			      ? fl_strdup(route->topic)
			      : fl_sprintf("%s%s", route->prefix, type->topic);
	for (size_t i = 0;
	     route->key && route->key[i] && i < FL_KAFKA_KEY_FIELDS; i++)
		lane->paths[lane->count++] = fl_strdup(route->key[i]);
	while (!route->key && *path && lane->count < FL_KAFKA_KEY_FIELDS) {
		size_t len = strcspn(path, ",");

		lane->paths[lane->count++] = fl_strndup(path, len);
		path += len + (path[len] == ',');
	}
	for (size_t i = 0; i < lane->count; i++)
		lane->fields[i] = fl_type_field(type, lane->paths[i],
						strlen(lane->paths[i]));
}

static struct fl_kafka_lane *lane_of(struct fl_kafka_route *route,
				     const struct fl_type *type)
{
	struct fl_kafka_lane *lane;

	if (!route->lanes)
		route->lanes = fl_zalloc(FL_TYPE_COUNT * sizeof(*route->lanes));
	lane = &route->lanes[type->id];
	if (!lane->topic)
		set_lane(route, lane, type);
	return lane;
}

static int check_topic(struct fl_kafka_route *route, const char *topic,
		       bool compacted, struct fl_error *err)
{
	if (!fl_kafka_topics(route->kafka) &&
	    fl_kafka_refresh(route->kafka, err) < 0)
		return -1;
	if (fl_kafka_topic(route->kafka, topic))
		return 0;
	if (route->create)
		return fl_kafka_create(route->kafka, topic,
				       compacted ? 1 : route->partitions,
				       route->replicas, compacted, err);
	fl_kafka_no_topic(route->kafka, topic, err);
	if (strlen(err->text) + 60 < sizeof(err->text))
		strcat(err->text, "; fl-produce --create-topics creates it");
	return -1;
}

int fl_kafka_route_topic(struct fl_kafka_route *route, const char *topic,
			 struct fl_error *err)
{
	return check_topic(route, topic, false, err);
}

int fl_kafka_route_check(struct fl_kafka_route *route,
			 const struct fl_type *type, struct fl_error *err)
{
	struct fl_kafka_lane *lane = lane_of(route, type);

	if (!lane->checked && check_topic(route, lane->topic, false, err) < 0)
		return -1;
	lane->checked = true;
	return 0;
}

/* The values of its fields with slashes between; false: it has none of them. */
static bool make_key(struct fl_kafka_lane *lane, const struct fl_record *rec,
		     struct fl_kafka_out *out)
{
	bool any = false;

	fl_buf_reset(&lane->key);
	for (size_t i = 0; i < lane->count; i++) {
		const struct fl_json_tok *tok;

		if (lane->fields[i] >= 0)
			tok = rec->at[lane->fields[i]]
				      ? &rec->json->toks
						 [rec->at[lane->fields[i]]]
				      : NULL;
		else
			tok = fl_record_value(rec, lane->paths[i]);
		if (i)
			fl_buf_putc(&lane->key, '/');
		if (!tok || tok->kind == FL_JSON_NULL)
			continue;
		fl_buf_append(&lane->key, tok->text, tok->len);
		any = true;
	}
	out->key = any ? lane->key.data : NULL;
	out->key_len = any ? lane->key.len : 0;
	return any;
}

static void *headers_of(struct fl_kafka_route *route,
			struct fl_kafka_lane *lane, const struct fl_record *rec)
{
	const char *text = "";
	size_t len = 0;

	fl_record_string(rec, fl_type_field(rec->type, "provider", 8), &text,
			 &len);
	if (lane->headers && lane->provider_len == len &&
	    memcmp(lane->provider, text, len) == 0)
		return lane->headers;
	lane->headers =
		fl_kafka_headers(route->kafka, rec->type->name, text, len);
	lane->provider_len = SIZE_MAX;
	if (len <= sizeof(lane->provider)) {
		memcpy(lane->provider, text, len);
		lane->provider_len = len;
	}
	return lane->headers;
}

int fl_kafka_route_put(struct fl_kafka_route *route,
		       const struct fl_record *rec, struct fl_error *err)
{
	struct fl_kafka_lane *lane = lane_of(route, rec->type);
	struct fl_kafka_out out = {
		.topic = lane->topic,
		.bytes = rec->bytes,
		.len = rec->len,
		.time_ms = rec->ts_ns / (FL_SECOND / 1000) -
			   (rec->ts_ns % (FL_SECOND / 1000) < 0),
	};

	if (!lane->checked && fl_kafka_route_check(route, rec->type, err) < 0)
		return -1;
	make_key(lane, rec, &out);
	out.headers = headers_of(route, lane, rec);
	return fl_kafka_produce(route->kafka, &out, route->waits, route->arg,
				err);
}

void fl_kafka_route_release(struct fl_kafka_route *route)
{
	for (size_t i = 0; route->lanes && i < FL_TYPE_COUNT; i++) {
		struct fl_kafka_lane *lane = &route->lanes[i];

		free(lane->topic);
		for (size_t k = 0; k < lane->count; k++)
			free((char *)lane->paths[k]);
		fl_buf_release(&lane->key);
	}
	free(route->lanes);
	route->lanes = NULL;
}

/* --- positions ----------------------------------------------------------- */

/* Read the whole topic, in which nothing must be hidden behind a transaction
 * that is still open: a position of ours that was committed after it began
 * would be missed, and what came before it written twice. So reading goes on
 * to the end that everybody sees; such a transaction ends within its time-out.
 */
/* marks: key → text, of all that is read the last of each key. */
static int gather(struct fl_kafka *kafka, struct fl_kafka_part *parts,
		  size_t count, struct fl_map *marks, struct fl_error *err)
{
	int64_t until = fl_monotonic_ns() + 2 * FL_MINUTE;
	size_t left = count;

	while (left) {
		const struct fl_kafka_in *in;
		int got = fl_kafka_next(kafka, 200, &in, err);

		if (got < 0)
			return -1;
		for (int i = 0; i < got; i++) {
			void **slot;

			if (in[i].end) {
				for (size_t k = 0; k < count; k++)
					if (parts[k].partition ==
						    in[i].partition &&
					    parts[k].offset >= 0 &&
					    in[i].offset >= parts[k].offset) {
						parts[k].offset = -1;
						left--;
					}
				continue;
			}
			if (!in[i].key)
				continue;
			slot = fl_map_at(marks, in[i].key, in[i].key_len);
			free(*slot);
			*slot = in[i].bytes ? fl_strndup(in[i].bytes, in[i].len)
					    : NULL;
		}
		if (fl_monotonic_ns() > until)
			return fl_error_set(
				err, FL_ERR_AGAIN,
				"a transaction in '" FL_KAFKA_POSITIONS
				"' does not end; what stands behind it cannot "
				"be read yet");
	}
	return 0;
}

/* Where the topic ends for everybody, committed or not. */
static int find_ends(const char *brokers, const char *client,
		     struct fl_kafka_part **parts, size_t *count,
		     struct fl_error *err)
{
	const struct fl_kafka_config config = { .consumer = true,
						.brokers = brokers,
						.client = client,
						.uncommitted = true };
	const struct fl_kafka_topic *topic;
	struct fl_kafka *kafka = NULL;
	int result = fl_kafka_open(&kafka, &config, err);

	*count = 0;
	if (result == 0)
		result = fl_kafka_refresh(kafka, err);
	topic = result == 0 ? fl_kafka_topic(kafka, FL_KAFKA_POSITIONS) : NULL;
	if (topic)
		*parts = fl_realloc(NULL, (size_t)topic->partitions,
				    sizeof(**parts));
	for (int i = 0; topic && result == 0 && i < topic->partitions; i++) {
		struct fl_kafka_part *part = &(*parts)[*count];
		int64_t low;

		*part = (struct fl_kafka_part){ .topic = FL_KAFKA_POSITIONS,
						.partition = i };
		result = fl_kafka_span(kafka, FL_KAFKA_POSITIONS, i, &low,
				       &part->offset, err);
		*count += part->offset > 0;
	}
	fl_kafka_close(&kafka);
	return result;
}

static int gather_all(const char *brokers, const char *client,
		      struct fl_map *marks, struct fl_error *err)
{
	const struct fl_kafka_config config = { .consumer = true,
						.brokers = brokers,
						.client = client };
	struct fl_kafka_part *ends = NULL, *starts = NULL;
	struct fl_kafka *kafka = NULL;
	size_t count = 0;
	int result = find_ends(brokers, client, &ends, &count, err);

	if (result == 0 && count) {
		starts = fl_realloc(NULL, count, sizeof(*starts));
		for (size_t i = 0; i < count; i++) {
			starts[i] = ends[i];
			starts[i].offset = FL_KAFKA_FIRST;
		}
		result = fl_kafka_open(&kafka, &config, err);
		if (result == 0)
			result = fl_kafka_assign(kafka, starts, count, err);
		if (result == 0)
			result = gather(kafka, ends, count, marks, err);
		fl_kafka_close(&kafka);
	}
	free(ends);
	free(starts);
	return result < 0 ? fl_error_wrap(err, "'" FL_KAFKA_POSITIONS "'") : 0;
}

/* A mark and the row that it tells. */
struct row {
	struct fl_mark mark;
	struct fl_position position;
	char *via;
};

static int by_key(const void *left, const void *right)
{
	const struct fl_position *a = &((const struct row *)left)->position,
				 *b = &((const struct row *)right)->position;
	int order = strcmp(a->pipeline, b->pipeline);

	return order ? order : strcmp(a->origin, b->origin);
}

static int parse_row(const char *text, struct row *row, struct fl_error *err)
{
	struct fl_buf via = FL_BUF_INIT;

	row->mark = (struct fl_mark)FL_MARK_INIT;
	if (!fl_mark_is(text, strlen(text)) ||
	    fl_mark_parse(&row->mark, text, strlen(text), err) < 0 ||
	    row->mark.count != 1) {
		fl_error_clear(err);
		fl_mark_release(&row->mark);
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'" FL_KAFKA_POSITIONS
				    "' holds something that is no position: %s",
				    fl_show(text, strlen(text), 100));
	}
	fl_buf_putc(&via, '[');
	for (size_t i = 0; i < row->mark.via_count; i++) {
		if (i)
			fl_buf_putc(&via, ',');
		fl_buf_json_string(&via, row->mark.via[i],
				   strlen(row->mark.via[i]));
	}
	fl_buf_putc(&via, ']');
	row->via = fl_buf_take(&via);
	row->position = (struct fl_position){
		.pipeline = row->mark.pipeline,
		.origin = row->mark.at[0].origin,
		.pos = row->mark.at[0].to,
		.record_time = row->mark.at[0].rt,
		.wm = row->mark.at[0].wm,
		.via = row->via,
	};
	return 0;
}

int fl_kafka_positions(const char *brokers, const char *client,
		       const char *pipeline,
		       int (*each)(void *arg, const struct fl_position *row,
				   struct fl_error *err),
		       void *arg, struct fl_error *err)
{
	struct fl_map marks = FL_MAP_INIT;
	struct row *rows = NULL;
	size_t count = 0;
	int result = gather_all(brokers, client, &marks, err);

	rows = fl_realloc(NULL, marks.count + 1, sizeof(*rows));
	for (size_t i = 0; result == 0 && i < marks.count; i++) {
		if (!marks.entries[i].value)
			continue;
		result = parse_row(marks.entries[i].value, &rows[count], err);
		count += result == 0;
	}
	qsort(rows, count, sizeof(*rows), by_key);
	for (size_t i = 0; i < count; i++) {
		if (result == 0 &&
		    (!pipeline ||
		     strcmp(rows[i].position.pipeline, pipeline) == 0))
			result = each(arg, &rows[i].position, err);
		fl_mark_release(&rows[i].mark);
		free(rows[i].via);
	}
	free(rows);
	fl_map_release(&marks, free);
	return result;
}

/* --- the sink ------------------------------------------------------------ */

struct state {
	struct fl_kafka_route *route;
	struct fl_map held;   /* origin → position, committed */
	struct fl_map staged; /* the same, of this transaction */
	/* Something of the transaction was not delivered. */
	bool failed;
	char why[300];
};

static int keep(void *arg, const struct fl_position *row, struct fl_error *err)
{
	struct state *state = arg;

	(void)err;
	*fl_map_at(&state->held, row->origin, strlen(row->origin)) =
		fl_strdup(row->pos);
	return 0;
}

/* A record that was in a transaction was not delivered. */
static void undelivered(void *arg, const char *topic, const char *bytes,
			size_t len, bool timed_out, const char *why)
{
	struct fl_store *store = arg;
	struct state *state = store->state;

	(void)topic;
	(void)bytes;
	(void)len;
	(void)timed_out;
	if (!state || state->failed)
		return;
	state->failed = true;
	snprintf(state->why, sizeof(state->why), "%s", why);
}

static int kafka_begin(struct fl_store *store, struct fl_error *err)
{
	struct state *state = store->state;

	store->replaced = 0;
	state->failed = false;
	return fl_kafka_begin(state->route->kafka, err);
}

/* PIPELINE/ORIGIN */
static char *key_of(const char *pipeline, const char *origin)
{
	struct fl_buf key = FL_BUF_INIT;

	for (; *pipeline; pipeline++) {
		if (*pipeline == '/' || *pipeline == '%')
			fl_buf_printf(&key, "%%%02X",
				      (unsigned)(unsigned char)*pipeline);
		else
			fl_buf_putc(&key, *pipeline);
	}
	fl_buf_putc(&key, '/');
	fl_buf_puts(&key, origin);
	return fl_buf_take(&key);
}

static int put_position(struct state *state, const char *pipeline,
			const struct fl_mark_at *at, const char *via,
			struct fl_error *err)
{
	struct fl_mark mark = FL_MARK_INIT;
	struct fl_buf text = FL_BUF_INIT;
	char *key = key_of(pipeline, at->origin);
	struct fl_kafka_out out = {
		.topic = FL_KAFKA_POSITIONS,
		.key = key,
		.key_len = strlen(key),
		.time_ms = fl_now_ns() / (FL_SECOND / 1000),
	};
	int put;

	mark.pipeline = pipeline;
	fl_mark_set(&mark, at->origin, at->from, at->to, at->wm, at->rt);
	fl_mark_print(&mark, &text);
	if (via && text.len) {
		text.len--; /* the closing brace */
		fl_buf_printf(&text, ",\"via\":%s}", via);
	}
	out.bytes = text.data;
	out.len = text.len;
	put = fl_kafka_produce(state->route->kafka, &out, state->route->waits,
			       state->route->arg, err);
	if (put == 0)
		fl_error_set(err, FL_ERR_AGAIN,
			     "Kafka takes nothing more, and a stop was asked "
			     "for");
	mark.pipeline = NULL;
	fl_mark_release(&mark);
	fl_buf_release(&text);
	free(key);
	return put == 1 ? 0 : -1;
}

static int kafka_move(struct fl_store *store, const char *pipeline,
		      const struct fl_mark_at *at, const char *via, bool *moved,
		      const char **held, struct fl_error *err)
{
	struct state *state = store->state;
	size_t len = strlen(at->origin);
	char **staged;

	*held = fl_map_get(&state->staged, at->origin, len);
	if (!*held)
		*held = fl_map_get(&state->held, at->origin, len);
	*moved = at->from ? *held && strcmp(*held, at->from) == 0 : !*held;
	if (!*moved)
		return 0;
	if (put_position(state, pipeline, at, via, err) < 0)
		return -1;
	staged = (char **)fl_map_at(&state->staged, at->origin, len);
	free(*staged);
	*staged = fl_strdup(at->to);
	return 0;
}

static int kafka_put(struct fl_store *store, const struct fl_record *rec,
		     enum fl_put *outcome, struct fl_note *note,
		     struct fl_error *err)
{
	struct state *state = store->state;
	int put = fl_kafka_route_put(state->route, rec, err);

	(void)note;
	*outcome = FL_PUT_ADDED;
	if (put == 0)
		fl_error_set(err, FL_ERR_AGAIN,
			     "Kafka takes nothing more, and a stop was asked "
			     "for");
	return put == 1 ? 0 : -1;
}

static void kafka_rollback(struct fl_store *store)
{
	struct state *state = store->state;

	fl_kafka_abort(state->route->kafka);
	fl_map_clear(&state->staged, free);
}

static int kafka_commit(struct fl_store *store, struct fl_error *err)
{
	struct state *state = store->state;

	if (fl_kafka_commit(state->route->kafka, err) < 0) {
		/* Whoever was fenced has nothing delivered, either. */
		if (state->failed && !fl_kafka_is_lost(state->route->kafka))
			fl_error_wrap(err, "a record was not delivered (%s)",
				      state->why);
		return -1;
	}
	for (size_t i = 0; i < state->staged.count; i++) {
		struct fl_map_entry *entry = &state->staged.entries[i];
		char **held = (char **)fl_map_at(&state->held, entry->key,
						 entry->len);

		free(*held);
		*held = entry->value;
		entry->value = NULL;
	}
	fl_map_clear(&state->staged, free);
	return 0;
}

static void kafka_close(struct fl_store *store)
{
	struct state *state = store->state;

	fl_kafka_close(&state->route->kafka);
	fl_map_release(&state->held, free);
	fl_map_release(&state->staged, free);
	free(state);
	store->state = NULL;
}

static const struct fl_store_ops ops = {
	.name = "kafka",
	.batch = "10000,1s",
	.begin = kafka_begin,
	.move = kafka_move,
	.put = kafka_put,
	.commit = kafka_commit,
	.rollback = kafka_rollback,
	.close = kafka_close,
};

int fl_store_kafka_open(struct fl_store **out, struct fl_kafka_route *route,
			const char *client, const char *pipeline,
			struct fl_error *err)
{
	struct fl_store *store = fl_zalloc(sizeof(*store));
	struct state *state = fl_zalloc(sizeof(*state));
	const struct fl_kafka_config config = {
		.client = client,
		.transactional_id = pipeline,
		.undelivered = undelivered,
		.arg = store,
	};

	*out = store;
	store->ops = &ops;
	store->state = state;
	state->route = route;
	if (fl_kafka_open(&route->kafka, &config, err) < 0)
		return -1;
	store->place = fl_sprintf("kafka://%s/" FL_KAFKA_POSITIONS,
				  fl_kafka_brokers(route->kafka));
	if (check_topic(route, FL_KAFKA_POSITIONS, true, err) < 0)
		return -1;
	/* Fence first: from then on nobody else moves the positions. */
	if (fl_kafka_fence(route->kafka, err) < 0)
		return -1;
	return fl_kafka_positions(NULL, client, pipeline, keep, state, err);
}
