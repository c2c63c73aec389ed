/* lag: see lag.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/lag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"
#include "net/kafka.h"

struct lister {
	struct fl_io *io;
	struct fl_kafka *kafka;
	struct fl_writer *out;
	struct fl_buf line;  /* a record */
	struct fl_buf table; /* rows for people */
	bool as_table, lag;
	const char *group;
	char now[FL_TIME_TEXT];
	int name_width;
};

static int put(struct lister *lister, struct fl_error *err)
{
	return fl_writer_text(lister->out, lister->line.data, lister->line.len,
			      err);
}

static void begin_stat(struct lister *lister, const char *stat)
{
	fl_buf_reset(&lister->line);
	fl_buf_printf(&lister->line,
		      "{\"type\":\"stat\",\"ts\":\"%s\",\"provider\":"
		      "\"fl-consume\",\"stat\":\"%s\",\"subject\":",
		      lister->now, stat);
}

static int put_topic(struct lister *lister, const struct fl_kafka_topic *topic,
		     struct fl_error *err)
{
	struct fl_buf *line = &lister->line;
	int64_t messages = 0;

	for (int i = 0; i < topic->partitions; i++) {
		int64_t low, high;

		if (fl_kafka_span(lister->kafka, topic->name, i, &low, &high,
				  err) < 0)
			return -1;
		messages += high - low;
	}
	lister->io->counts.out += lister->as_table;
	if (lister->as_table) {
		fl_buf_printf(&lister->table, "%-*s  %10d  %8d  %14lld\n",
			      lister->name_width, topic->name,
			      topic->partitions, topic->replicas,
			      (long long)messages);
		return 0;
	}
	begin_stat(lister, "topic");
	fl_buf_json_string(line, topic->name, strlen(topic->name));
	fl_buf_puts(line, ",\"by\":{\"topic\":");
	fl_buf_json_string(line, topic->name, strlen(topic->name));
	fl_buf_printf(line,
		      "},\"values\":{\"partitions\":%d,\"replicas\":%d,"
		      "\"messages\":%lld}}",
		      topic->partitions, topic->replicas, (long long)messages);
	return put(lister, err);
}

static int put_part(struct lister *lister, const struct fl_kafka_part *part,
		    struct fl_error *err)
{
	struct fl_buf *line = &lister->line;
	int64_t low, high, lag;
	char *subject, position[24] = "-";

	if (fl_kafka_span(lister->kafka, part->topic, part->partition, &low,
			  &high, err) < 0)
		return -1;
	/* Of a partition of which nothing was committed all is to come. */
	lag = high - (part->offset > low ? part->offset : low);
	lister->io->counts.out += lister->as_table;
	if (part->offset >= 0)
		snprintf(position, sizeof(position), "%lld",
			 (long long)part->offset);
	if (lister->as_table) {
		fl_buf_printf(
			&lister->table, "%-*s  %9d  %14s  %14lld  %12lld\n",
			lister->name_width, part->topic, (int)part->partition,
			position, (long long)high, (long long)lag);
		return 0;
	}
	begin_stat(lister, "lag");
	subject = fl_sprintf("%s/%s/%d", lister->group, part->topic,
			     (int)part->partition);
	fl_buf_json_string(line, subject, strlen(subject));
	free(subject);
	fl_buf_puts(line, ",\"by\":{\"group\":");
	fl_buf_json_string(line, lister->group, strlen(lister->group));
	fl_buf_puts(line, ",\"topic\":");
	fl_buf_json_string(line, part->topic, strlen(part->topic));
	fl_buf_printf(line, ",\"partition\":%d},\"values\":{",
		      (int)part->partition);
	if (part->offset >= 0)
		fl_buf_printf(line, "\"position\":%s,", position);
	fl_buf_printf(line, "\"end\":%lld,\"lag\":%lld}}", (long long)high,
		      (long long)lag);
	return put(lister, err);
}

/* A topic that was not named is the group's if it has committed anything there.
 */
static int put_lag(struct lister *lister, const struct fl_kafka_topic *topic,
		   bool named, struct fl_error *err)
{
	size_t count = (size_t)topic->partitions;
	struct fl_kafka_part *parts =
		fl_realloc(NULL, count + 1, sizeof(*parts));
	int result;

	for (size_t i = 0; i < count; i++)
		parts[i] = (struct fl_kafka_part){ topic->name, (int32_t)i,
						   FL_KAFKA_NONE };
	result = fl_kafka_committed(lister->kafka, parts, count, err);
	for (size_t i = 0; i < count; i++)
		named |= parts[i].offset >= 0;
	for (size_t i = 0; i < count && result == 0 && named; i++)
		result = put_part(lister, &parts[i], err);
	free(parts);
	return result;
}

static int put_one(struct lister *lister, const struct fl_kafka_topic *topic,
		   bool named, struct fl_error *err)
{
	return lister->lag ? put_lag(lister, topic, named, err)
			   : put_topic(lister, topic, err);
}

static int put_all(struct lister *lister, const char *const *topics,
		   struct fl_error *err)
{
	const struct fl_kafka_topic *topic;

	if (fl_kafka_refresh(lister->kafka, err) < 0)
		return -1;
	lister->name_width = 5;
	for (topic = fl_kafka_topics(lister->kafka); topic->name; topic++)
		if ((int)strlen(topic->name) > lister->name_width)
			lister->name_width = (int)strlen(topic->name);
	if (!topics || !*topics) {
		for (topic = fl_kafka_topics(lister->kafka); topic->name;
		     topic++)
			if (put_one(lister, topic, false, err) < 0)
				return -1;
		return 0;
	}
	for (; *topics; topics++) {
		topic = fl_kafka_topic(lister->kafka, *topics);
		if (!topic)
			return fl_kafka_no_topic(lister->kafka, *topics, err);
		if (put_one(lister, topic, true, err) < 0)
			return -1;
	}
	return 0;
}

static int print_table(struct lister *lister, struct fl_error *err)
{
	struct fl_buf head = FL_BUF_INIT;
	int result;

	if (!lister->table.len)
		return 0;
	if (lister->lag)
		fl_buf_printf(&head, "%-*s  %9s  %14s  %14s  %12s\n",
			      lister->name_width, "TOPIC", "PARTITION",
			      "POSITION", "END", "LAG");
	else
		fl_buf_printf(&head, "%-*s  %10s  %8s  %14s\n",
			      lister->name_width, "TOPIC", "PARTITIONS",
			      "REPLICAS", "MESSAGES");
	fl_buf_append(&head, lister->table.data, lister->table.len);
	result = fl_write_all(1, head.data, head.len, "standard output", err);
	fl_buf_release(&head);
	return result;
}

int fl_lag_print(struct fl_io *io, struct fl_writer *out,
		 const char *const *topics, bool lag, const char *group,
		 int64_t now_ns, struct fl_error *err)
{
	const struct fl_kafka_config config = { .consumer = true,
						.client = io->command,
						.group = group };
	struct lister lister = { .io = io,
				 .out = out,
				 .lag = lag,
				 .group = group,
				 .as_table = fl_writer_as(out) == FL_AS_TABLE };
	int result;

	if (lag && !group)
		return fl_error_set(err, FL_ERR_USAGE,
				    "whose? fl-consume --group G --lag");
	fl_time_print(now_ns / 1000000 * 1000000, lister.now);
	result = fl_kafka_open(&lister.kafka, &config, err);
	if (result == 0)
		result = put_all(&lister, topics, err);
	if (result == 0)
		result = print_table(&lister, err);
	fl_kafka_close(&lister.kafka);
	fl_buf_release(&lister.line);
	fl_buf_release(&lister.table);
	return result;
}
