/* topic: see topic.h.
 *
 * Messages are taken in the order in which they come; whatever does not follow
 * the last one of its partition, or is of a partition that is not ours, is left
 * over from before a seek or a rebalance, and dropped.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/topic.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

#define WAIT_MS 100 /* for a message; the least that a mark is late */
#define NEVER   INT64_MAX
#define MS      (FL_SECOND / 1000)

struct fl_topic {
	struct fl_topic_config config;
	struct fl_kafka *kafka;
	struct fl_topic_part **parts;
	size_t count, cap;
	struct fl_topic_part *last;   /* that a message was of */
	const struct fl_kafka_in *in; /* in[have], gathered */
	size_t have, at;
	uint64_t batch;  /* counts them */
	size_t warming;  /* partitions in warm-up: the others are paused */
	bool given;      /* the group has given us something, if only nothing */
	bool full;       /* the output was: wake up before reading on */
	int64_t told_ns; /* when 2 was last returned */
};

/* --- partitions ---------------------------------------------------------- */

static struct fl_topic_part *find(const struct fl_topic *topic,
				  const char *name, int32_t partition)
{
	for (size_t i = 0; i < topic->count; i++)
		if (topic->parts[i]->partition == partition &&
		    strcmp(topic->parts[i]->topic, name) == 0)
			return topic->parts[i];
	return NULL;
}

static struct fl_topic_part *add(struct fl_topic *topic, const char *name,
				 int32_t partition, struct fl_error *err)
{
	struct fl_topic_part *part = find(topic, name, partition);
	const char *cluster;

	if (part)
		return part;
	cluster = fl_kafka_cluster(topic->kafka, err);
	if (!cluster)
		return NULL;
	if (topic->count == topic->cap) {
		topic->cap = topic->cap ? 2 * topic->cap : 16;
		topic->parts = fl_realloc(topic->parts, topic->cap,
					  sizeof(*topic->parts));
	}
	part = fl_zalloc(sizeof(*part));
	part->topic = fl_strdup(name);
	part->partition = partition;
	part->origin =
		fl_sprintf("kafka:%s/%s/%d", cluster, name, (int)partition);
	part->committed = part->pos = part->given = -1;
	part->was = part->was_end = -1;
	part->end = NEVER;
	part->held_ns = part->seen_ns = FL_TIME_NONE;
	topic->parts[topic->count++] = part;
	return part;
}

static struct fl_kafka_part place(const struct fl_topic_part *part,
				  int64_t offset)
{
	return (struct fl_kafka_part){ part->topic, part->partition, offset };
}

/* --- where to begin and to end ------------------------------------------- */

/* Ends of the partitions, exact: what is there now, or what is older than a
 * time. */
static int find_ends(struct fl_topic *topic, struct fl_topic_part **parts,
		     size_t count, struct fl_error *err)
{
	const struct fl_topic_config *config = &topic->config;
	struct fl_kafka_part *times =
		fl_realloc(NULL, count + 1, sizeof(*times));
	int result = 0;

	for (size_t i = 0; i < count; i++)
		times[i] = place(parts[i],
				 config->to_ns / MS + (config->to_ns % MS > 0));
	if (config->to_ns != FL_TIME_NONE)
		result = fl_kafka_at_time(topic->kafka, times, count, err);
	for (size_t i = 0; result == 0 && i < count; i++) {
		int64_t low, high;

		if (parts[i]->end != NEVER)
			continue; /* known from the start */
		if (config->to_ns != FL_TIME_NONE && times[i].offset >= 0) {
			parts[i]->end = times[i].offset;
			continue;
		}
		/* Nothing is that new yet: there is no telling what comes. */
		result = fl_kafka_span(topic->kafka, parts[i]->topic,
				       parts[i]->partition, &low, &high, err);
		parts[i]->end = high;
	}
	free(times);
	return result;
}

/* A position that cannot be gone on from. */
static int moved(const struct fl_topic_part *part, const char *why,
		 struct fl_error *err)
{
	return fl_error_set(
		err, FL_ERR_REFUSED,
		"position %lld of '%s' partition %d no longer means the record "
		"it was left behind: %s; --from beginning|end|TIME says where "
		"to go on, or fl-load --forget P makes the store forget",
		(long long)part->pos, part->topic, (int)part->partition, why);
}

/* Is it still there? */
static int check_held(struct fl_topic *topic, struct fl_topic_part *part,
		      struct fl_error *err)
{
	int64_t low, high;

	if (fl_kafka_span(topic->kafka, part->topic, part->partition, &low,
			  &high, err) < 0)
		return -1;
	if (part->pos > high)
		return moved(part,
			     "the partition ends before it, so the topic was "
			     "created anew",
			     err);
	if (part->pos < low)
		return moved(part,
			     "the partition begins behind it: messages that "
			     "were not read have been deleted",
			     err);
	return 0;
}

/* The store's word on the partitions. */
static int take_held(struct fl_topic *topic, struct fl_topic_part **parts,
		     size_t count, struct fl_error *err)
{
	const struct fl_mark *held;

	if (topic->config.ask(topic->config.arg, &held, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		parts[i]->pos = -1;
		parts[i]->held_ns = FL_TIME_NONE;
		for (size_t k = 0; k < held->count; k++) {
			char *end;

			if (strcmp(held->at[k].origin, parts[i]->origin) != 0)
				continue;
			parts[i]->pos = strtoll(held->at[k].to, &end, 10);
			parts[i]->held_ns = held->at[k].rt;
			if (*end || parts[i]->pos < 0)
				return fl_error_set(
					err, FL_ERR_REFUSED,
					"'%s' is no position in '%s'",
					fl_show(held->at[k].to,
						strlen(held->at[k].to), 60),
					parts[i]->origin);
		}
	}
	return 0;
}

/* What the group or the store holds of the partitions: offsets of `held`, -1
 * for nothing. */
static int find_held(struct fl_topic *topic, struct fl_topic_part **parts,
		     struct fl_kafka_part *held, size_t count,
		     struct fl_error *err)
{
	for (size_t i = 0; i < count; i++)
		held[i] = place(parts[i], -1);
	if (topic->config.ask) {
		if (take_held(topic, parts, count, err) < 0)
			return -1;
		for (size_t i = 0; i < count; i++)
			held[i].offset = parts[i]->pos;
	} else if (topic->config.group) {
		if (fl_kafka_committed(topic->kafka, held, count, err) < 0)
			return -1;
		for (size_t i = 0; i < count; i++)
			if (held[i].offset < 0)
				held[i].offset = -1;
	}
	return 0;
}

/* Does the partition begin where --from says? */
static bool begins_anew(const struct fl_topic *topic,
			const struct fl_topic_part *part, int64_t held)
{
	const struct fl_topic_config *config = &topic->config;

	if (held < 0)
		return true;
	return config->from_said && config->from != FL_TOPIC_STORED &&
	       !part->begun && (!config->group || held == part->was);
}

/* Where the partitions begin, by the user's word or by what is held: offsets of
 * `starts`, which are that on entry. */
static int take_from(struct fl_topic *topic, struct fl_topic_part **parts,
		     struct fl_kafka_part *starts, size_t count,
		     struct fl_error *err)
{
	const struct fl_topic_config *config = &topic->config;
	struct fl_kafka_part *times =
		fl_realloc(NULL, count + 1, sizeof(*times));
	int result = 0;

	for (size_t i = 0; i < count; i++)
		times[i] = place(parts[i], config->from_ns / MS +
						   (config->from_ns % MS > 0));
	if (config->from == FL_TOPIC_TIME)
		result = fl_kafka_at_time(topic->kafka, times, count, err);
	for (size_t i = 0; i < count && result == 0; i++) {
		if (!begins_anew(topic, parts[i], starts[i].offset))
			continue;
		parts[i]->begun = true;
		parts[i]->pos = -1; /* no warm-up leads up to it */
		if (config->from == FL_TOPIC_TIME)
			starts[i].offset = times[i].offset;
		else if (config->from != FL_TOPIC_END)
			starts[i].offset = FL_KAFKA_FIRST;
		else
			starts[i].offset = parts[i]->was_end >= 0
						   ? parts[i]->was_end
						   : FL_KAFKA_LAST;
	}
	free(times);
	return result;
}

/* How far before the positions to begin: offsets of `starts`. */
static int take_warm_up(struct fl_topic *topic, struct fl_topic_part **parts,
			struct fl_kafka_part *starts, size_t count,
			struct fl_error *err)
{
	struct fl_kafka_part *times =
		fl_realloc(NULL, count + 1, sizeof(*times));
	size_t n = 0;
	int result = 0;

	for (size_t i = 0; i < count; i++)
		if (parts[i]->pos > 0 && parts[i]->held_ns != FL_TIME_NONE)
			times[n++] =
				place(parts[i], (parts[i]->held_ns -
						 topic->config.warm_up_ns) /
							MS);
	for (size_t i = 0; i < n; i++)
		if (times[i].offset < 0)
			times[i].offset = 0;
	if (n)
		result = fl_kafka_at_time(topic->kafka, times, n, err);
	for (size_t i = 0, k = 0; result == 0 && i < count; i++) {
		struct fl_topic_part *part = parts[i];

		if (part->pos < 0)
			continue;
		starts[i].offset = part->pos;
		if (part->pos == 0 || part->held_ns == FL_TIME_NONE)
			continue;
		/* The last record at least: is it the one we left? */
		starts[i].offset =
			times[k].offset >= 0 && times[k].offset < part->pos
				? times[k].offset
				: part->pos - 1;
		k++;
		part->next = starts[i].offset;
		part->warm = true;
		topic->warming++;
	}
	free(times);
	return result;
}

/* Take up the partitions: where they begin, and where they end. */
static int take_up(struct fl_topic *topic, struct fl_topic_part **parts,
		   struct fl_kafka_part *starts, size_t count,
		   struct fl_error *err)
{
	const struct fl_topic_config *config = &topic->config;

	if (!count)
		return 0;
	if ((config->to_end || config->to_ns != FL_TIME_NONE) &&
	    find_ends(topic, parts, count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		parts[i]->ours = true;
		parts[i]->done = parts[i]->end == 0;
		parts[i]->warm = false;
		parts[i]->next = 0;
		parts[i]->seen_ns = FL_TIME_NONE;
		parts[i]->given = -1;
	}
	if (find_held(topic, parts, starts, count, err) < 0 ||
	    take_from(topic, parts, starts, count, err) < 0)
		return -1;
	/* An end that lies before it must not take the group back. */
	for (size_t i = 0; i < count; i++)
		if (starts[i].offset > 0)
			parts[i]->next = starts[i].offset;
	if (!config->ask)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (parts[i]->pos >= 0 && check_held(topic, parts[i], err) < 0)
			return -1;
	return take_warm_up(topic, parts, starts, count, err);
}

/* --- the group ----------------------------------------------------------- */

/* While some are in warm-up the others rest. */
static int pause_others(struct fl_topic *topic, bool pause,
			struct fl_error *err)
{
	struct fl_kafka_part *others =
		fl_realloc(NULL, topic->count + 1, sizeof(*others));
	size_t n = 0;
	int result = 0;

	for (size_t i = 0; i < topic->count; i++)
		if (topic->parts[i]->ours && !topic->parts[i]->done &&
		    (!pause || !topic->parts[i]->warm))
			others[n++] = place(topic->parts[i], 0);
	if (n)
		result = fl_kafka_pause(topic->kafka, others, n, pause, err);
	free(others);
	return result;
}

static int taken_up(struct fl_topic *topic, const struct fl_kafka_part *given,
		    size_t count, struct fl_error *err)
{
	struct fl_topic_part **parts =
		fl_realloc(NULL, count + 1, sizeof(*parts));
	struct fl_kafka_part *starts =
		fl_realloc(NULL, count + 1, sizeof(*starts));
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		parts[i] = add(topic, given[i].topic, given[i].partition, err);
		result = parts[i] ? 0 : -1;
	}
	if (result == 0)
		result = take_up(topic, parts, starts, count, err);
	if (result == 0)
		result = topic->config.group
				 ? fl_kafka_settle(topic->kafka, starts, count,
						   err)
				 : fl_kafka_assign(topic->kafka, starts, count,
						   err);
	if (result == 0 && topic->warming)
		result = pause_others(topic, true, err);
	free(parts);
	free(starts);
	return result;
}

static int let_go(struct fl_topic *topic, const struct fl_kafka_part *taken,
		  size_t count, bool lost, struct fl_error *err)
{
	struct fl_topic_part **parts =
		fl_realloc(NULL, count + 1, sizeof(*parts));
	size_t n = 0;
	int result = 0;

	for (size_t i = 0; i < count; i++) {
		struct fl_topic_part *part =
			find(topic, taken[i].topic, taken[i].partition);

		if (part && part->ours)
			parts[n++] = part;
	}
	if (n && topic->config.release)
		result = topic->config.release(topic->config.arg, parts, n,
					       lost, err);
	for (size_t i = 0; i < n; i++) {
		topic->warming -= parts[i]->warm;
		parts[i]->ours = parts[i]->warm = false;
	}
	free(parts);
	if (result == 0)
		result = fl_kafka_settle(topic->kafka, taken, count, err);
	if (result == 0 && topic->warming == 0)
		result = pause_others(topic, false, err);
	return result;
}

/* returns 1 something was settled, 0 there was nothing, -1 */
static int follow(struct fl_topic *topic, struct fl_error *err)
{
	const struct fl_kafka_part *parts;
	size_t count;
	bool lost;
	int what = fl_kafka_rebalance(topic->kafka, &parts, &count, &lost);

	if (!what)
		return 0;
	topic->given |= what > 0;
	return (what > 0 ? taken_up(topic, parts, count, err)
			 : let_go(topic, parts, count, lost, err)) < 0
		       ? -1
		       : 1;
}

/* --- messages ------------------------------------------------------------ */

/* All warm-up has come: on from the positions. */
static int end_warm_up(struct fl_topic *topic, struct fl_topic_part *part,
		       struct fl_error *err)
{
	struct fl_kafka_part back = place(part, part->pos);

	part->warm = false;
	part->next = part->pos;
	/* The rest of what was gathered comes again, in its place. */
	part->passed = topic->batch;
	if (part->seen_ns != FL_TIME_NONE && part->seen_ns != part->held_ns) {
		char seen[FL_TIME_TEXT], held[FL_TIME_TEXT], why[200];

		fl_time_print(part->seen_ns, seen);
		fl_time_print(part->held_ns, held);
		snprintf(why, sizeof(why),
			 "the record before it is of %s, not of %s, so the "
			 "topic was created anew",
			 seen, held);
		return moved(part, why, err);
	}
	if (fl_kafka_seek(topic->kafka, &back, 1, err) < 0)
		return -1;
	if (--topic->warming)
		return fl_kafka_pause(topic->kafka, &back, 1, true, err);
	return pause_others(topic, false, err);
}

static int come_to_end(struct fl_topic *topic, struct fl_topic_part *part,
		       struct fl_error *err)
{
	struct fl_kafka_part at = place(part, 0);

	part->done = true;
	if (part->next < part->end)
		part->next = part->end;
	return fl_kafka_pause(topic->kafka, &at, 1, true, err);
}

/* returns 1 it is to be given, 0 not, -1 */
static int judge(struct fl_topic *topic, const struct fl_kafka_in *in,
		 struct fl_topic_part *part, struct fl_error *err)
{
	if (!part->ours || part->done || part->passed == topic->batch)
		return 0;
	if (part->warm && in->offset >= part->pos)
		return end_warm_up(topic, part, err);
	if (in->offset < part->next)
		return 0;
	if (in->offset >= part->end && !part->warm)
		return come_to_end(topic, part, err);
	if (in->end)
		return 0;
	part->next = in->offset + 1;
	/* The last one: that no other comes need not be waited for. */
	part->done = part->next >= part->end && !part->warm;
	return 1;
}

static bool all_done(const struct fl_topic *topic)
{
	if (!topic->config.to_end && topic->config.to_ns == FL_TIME_NONE)
		return false;
	if (topic->config.group && !topic->given)
		return false;
	for (size_t i = 0; i < topic->count; i++)
		if (topic->parts[i]->ours && !topic->parts[i]->done)
			return false;
	return true;
}

static struct fl_topic_part *part_of(struct fl_topic *topic,
				     const struct fl_kafka_in *in)
{
	struct fl_topic_part *last = topic->last;

	if (last && last->partition == in->partition &&
	    strcmp(last->topic, in->topic) == 0)
		return last;
	return topic->last = find(topic, in->topic, in->partition);
}

int fl_topic_next(struct fl_topic *topic, struct fl_kafka_in *in,
		  struct fl_topic_part **part, struct fl_error *err)
{
	for (;;) {
		int got;

		/* What was gathered is left where it is. */
		if (fl_stop_requested(topic->config.io))
			return 0;
		while (topic->at < topic->have) {
			*in = topic->in[topic->at++];
			*part = part_of(topic, in);
			got = *part ? judge(topic, in, *part, err) : 0;
			if (got)
				return got;
		}
		got = follow(topic, err);
		if (got < 0)
			return -1;
		if (all_done(topic))
			return 0;
		if (topic->full) {
			fl_kafka_wake(topic->kafka);
			topic->full = false;
			/* What rests must go on resting. */
			if (topic->warming &&
			    pause_others(topic, true, err) < 0)
				return -1;
		}
		topic->at = topic->have = 0;
		got = fl_kafka_next(topic->kafka, 0, &topic->in, err);
		if (got == 0 &&
		    fl_monotonic_ns() - topic->told_ns > WAIT_MS * MS / 2) {
			topic->told_ns = fl_monotonic_ns();
			return 2;
		}
		if (got == 0) {
			got = fl_kafka_next(topic->kafka, WAIT_MS, &topic->in,
					    err);
			topic->told_ns = 0;
		}
		if (got < 0)
			return -1;
		topic->have = (size_t)got;
		topic->batch++;
	}
}

void fl_topic_rest(struct fl_topic *topic)
{
	topic->full = true;
	fl_kafka_rest(topic->kafka);
}

int fl_topic_commit(struct fl_topic *topic, bool wait, struct fl_error *err)
{
	struct fl_kafka_part *parts =
		fl_realloc(NULL, topic->count + 1, sizeof(*parts));
	size_t n = 0;
	int result = 0;

	for (size_t i = 0; i < topic->count; i++) {
		struct fl_topic_part *part = topic->parts[i];
		int64_t at = topic->config.ask ? part->pos : part->next;

		if (!part->ours || part->warm || at <= 0 ||
		    at == part->committed)
			continue;
		parts[n++] = place(part, at);
		part->committed = at;
	}
	if (n && topic->config.group)
		result = fl_kafka_commit_offsets(topic->kafka, parts, n, wait,
						 err);
	free(parts);
	return result;
}

struct fl_topic_part *const *fl_topic_parts(const struct fl_topic *topic,
					    size_t *count)
{
	*count = topic->count;
	return topic->parts;
}

/* --- opening ------------------------------------------------------------- */

/* The topics that the names and expressions stand for. */
static int find_topics(struct fl_topic *topic, const char *word,
		       int (*each)(struct fl_topic *topic,
				   const struct fl_kafka_topic *found,
				   void *arg, struct fl_error *err),
		       void *arg, struct fl_error *err)
{
	const struct fl_kafka_topic *all = fl_kafka_topics(topic->kafka);
	const struct fl_kafka_topic *named = fl_kafka_topic(topic->kafka, word);
	int result = 0;
	regex_t expression;

	if (*word != '^')
		return named ? each(topic, named, arg, err)
			     : fl_kafka_no_topic(topic->kafka, word, err);
	if (regcomp(&expression, word, REG_EXTENDED | REG_NOSUB) != 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s' is no regular expression",
				    fl_show(word, strlen(word), 100));
	for (; all->name && result == 0; all++)
		if (regexec(&expression, all->name, 0, NULL, 0) == 0)
			result = each(topic, all, arg, err);
	regfree(&expression);
	return result;
}

struct list {
	struct fl_kafka_part *parts;
	size_t count;
};

static int add_partition(struct list *list, const char *name, int32_t partition)
{
	list->parts =
		fl_realloc(list->parts, list->count + 1, sizeof(*list->parts));
	list->parts[list->count++] =
		(struct fl_kafka_part){ name, partition, 0 };
	return 0;
}

static int add_topic(struct fl_topic *topic, const struct fl_kafka_topic *found,
		     void *arg, struct fl_error *err)
{
	const struct fl_topic_config *config = &topic->config;

	for (size_t i = 0; i < config->partition_count; i++) {
		if (config->partitions[i] >= found->partitions)
			return fl_error_set(
				err, FL_ERR_REFUSED,
				"'%s' has no partition %d: they are 0 to %d",
				found->name, (int)config->partitions[i],
				found->partitions - 1);
		add_partition(arg, found->name, config->partitions[i]);
	}
	for (int i = 0; !config->partition_count && i < found->partitions; i++)
		add_partition(arg, found->name, i);
	return 0;
}

/* Of a group: what is held of each partition, and where it ends, whoever will
 * read it. */
static int know_parts(struct fl_topic *topic, const struct list *list,
		      struct fl_error *err)
{
	const struct fl_topic_config *config = &topic->config;
	struct fl_topic_part **parts =
		fl_realloc(NULL, list->count + 1, sizeof(*parts));
	struct fl_kafka_part *held =
		fl_realloc(NULL, list->count + 1, sizeof(*held));
	int result = 0;

	for (size_t i = 0; i < list->count && result == 0; i++) {
		parts[i] = add(topic, list->parts[i].topic,
			       list->parts[i].partition, err);
		result = parts[i] ? 0 : -1;
	}
	if (result == 0 && (config->to_end || config->to_ns != FL_TIME_NONE))
		result = find_ends(topic, parts, list->count, err);
	if (result == 0 && config->from_said)
		result = find_held(topic, parts, held, list->count, err);
	for (size_t i = 0; i < list->count && result == 0 && config->from_said;
	     i++) {
		int64_t low;

		parts[i]->was = held[i].offset;
		if (config->from == FL_TOPIC_END)
			result = fl_kafka_span(topic->kafka, parts[i]->topic,
					       parts[i]->partition, &low,
					       &parts[i]->was_end, err);
	}
	free(parts);
	free(held);
	return result;
}

static int begin(struct fl_topic *topic, struct fl_error *err)
{
	const struct fl_topic_config *config = &topic->config;
	struct list list = { NULL, 0 };
	int result = 0;

	for (size_t i = 0; config->topics[i] && result == 0; i++)
		result = find_topics(topic, config->topics[i], add_topic, &list,
				     err);
	if (result == 0 && !list.count) {
		const char *word = config->topics[0] ? config->topics[0] : "";

		result = fl_error_set(err, FL_ERR_REFUSED,
				      "no topic on %s is like '%s'",
				      fl_kafka_brokers(topic->kafka),
				      fl_show(word, strlen(word), 100));
	}
	if (result == 0 && !config->group)
		result = taken_up(topic, list.parts, list.count, err);
	if (result == 0 && config->group)
		result = know_parts(topic, &list, err);
	if (result == 0 && config->group)
		result = fl_kafka_subscribe(topic->kafka, config->topics, err);
	free(list.parts);
	return result;
}

int fl_topic_open(struct fl_topic **out, const struct fl_topic_config *config,
		  struct fl_error *err)
{
	struct fl_topic *topic = fl_zalloc(sizeof(*topic));
	const struct fl_kafka_config kafka = {
		.consumer = true,
		.client = config->io->command,
		.group = config->group,
		.instance = config->instance,
	};

	*out = topic;
	topic->config = *config;
	if (fl_kafka_open(&topic->kafka, &kafka, err) < 0 ||
	    fl_kafka_refresh(topic->kafka, err) < 0)
		return -1;
	return begin(topic, err);
}

void fl_topic_close(struct fl_topic **out)
{
	struct fl_topic *topic = *out;

	*out = NULL;
	if (!topic)
		return;
	fl_kafka_close(&topic->kafka);
	for (size_t i = 0; i < topic->count; i++) {
		free((char *)(uintptr_t)topic->parts[i]->topic);
		free(topic->parts[i]->origin);
		free(topic->parts[i]);
	}
	free(topic->parts);
	free(topic);
}
