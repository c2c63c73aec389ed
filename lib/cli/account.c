/* account: see account.h.
 *
 * What is printed is what was counted, also when it does not add up: a wrong
 * account that looks right would hide the fault.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/text.h"
#include "io/stream.h"

#define RATE_FROM (FL_SECOND / 100) /* a rate of less says nothing */

enum {
	REASONS_SHOWN = 4,
	ARGV_MAX = 32 * 1024, /* bytes: a glob may name thousands of files */
};

/* VmHWM, not ru_maxrss: that one may be of the process which started us, from
 * before its exec. */
static uint64_t peak_memory(const struct rusage *usage)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long kib = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmHWM: %llu", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return (kib ? kib : (unsigned long long)usage->ru_maxrss) * 1024;
}

static int64_t timeval_ns(struct timeval tv)
{
	return tv.tv_sec * FL_SECOND + tv.tv_usec * 1000;
}

void fl_account_measure(const struct fl_run *run, struct fl_figures *figures)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	figures->ended_ns = fl_now_ns();
	figures->wall_ns = fl_monotonic_ns() - run->started_mono_ns;
	figures->cpu_ns =
		timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
	figures->max_rss_bytes = peak_memory(&usage);
	fl_uuid(figures->id);
}

/* --- for people ------------------------------------------------------------
 */

struct share {
	uint64_t count;
	int reason;
};

static int most_first(const void *left, const void *right)
{
	const struct share *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return a->reason - b->reason;
}

static void put_reasons(const struct fl_counts *counts, struct fl_buf *out)
{
	struct share shares[FL_REASON_COUNT];
	size_t count = 0, shown;
	uint64_t other = 0;
	char text[32];

	for (int i = 0; i < FL_REASON_COUNT; i++) {
		if (counts->by_reason[i])
			shares[count++] =
				(struct share){ counts->by_reason[i], i };
	}
	qsort(shares, count, sizeof(*shares), most_first);
	/* "other" is no shorter than the one that it would stand for. */
	shown = count > REASONS_SHOWN ? REASONS_SHOWN - 1 : count;
	for (size_t i = 0; i < shown; i++)
		fl_buf_printf(out, "%s%s %s", i ? ", " : "",
			      fl_grouped(shares[i].count, text),
			      fl_reason_name((enum fl_reason)shares[i].reason));
	for (size_t i = shown; i < count; i++)
		other += shares[i].count;
	if (other)
		fl_buf_printf(out, ", %s other", fl_grouped(other, text));
}

static void put_first(const struct fl_io *io, struct fl_buf *out)
{
	const char *input = io->first_input;
	const char *detail = io->first_note.detail;
	char text[32];

	fl_buf_puts(out, "; first:");
	if (*input && strcmp(input, "-") != 0)
		fl_buf_printf(out, " '%s'", fl_show(input, strlen(input), 200));
	if (io->first_line)
		fl_buf_printf(out, " line %s",
			      fl_grouped(io->first_line, text));
	fl_buf_printf(out, " %s",
		      *detail ? fl_show(detail, strlen(detail), 200)
			      : fl_reason_doc(io->first_reason));
}

void fl_account_rejects(const struct fl_run *run, struct fl_buf *out)
{
	const struct fl_io *io = &run->io;
	bool inlined =
		io->rejects ? strcmp(io->rejects, "inline") == 0 : io->marked;

	if (!io->counts.rejected && !io->counts.late)
		return;
	fl_buf_printf(out, "%s: rejected: ", run->command->name);
	put_reasons(&io->counts, out);
	put_first(io, out);
	if (inlined)
		fl_buf_puts(out, "; kept in the stream\n");
	else if (io->rejects)
		fl_buf_printf(out, "; kept in '%s'\n",
			      fl_show(io->rejects, strlen(io->rejects), 200));
	else
		fl_buf_puts(out, "; --rejects FILE keeps them\n");
}

static void put_term(struct fl_buf *out, const char *before, uint64_t value,
		     const char *after)
{
	char text[32];

	fl_buf_printf(out, "%s%s %s", before, fl_grouped(value, text), after);
}

static void put_usual(const struct fl_run *run,
		      const struct fl_figures *figures, struct fl_buf *out)
{
	const struct fl_counts *counts = &run->io.counts;
	char bytes[32], seconds[32], rate[32];

	put_term(out, "", counts->in, "in = ");
	if (counts->out == counts->used)
		put_term(out, "", counts->out, "out");
	else {
		put_term(out, "", counts->used, "used");
		put_term(out, " (", counts->out, "out)");
	}
	put_term(out, " + ", counts->rejected, "rejected");
	put_term(out, " + ", counts->duplicates, "duplicates");
	put_term(out, " + ", counts->filtered, "filtered");
	put_term(out, " + ", counts->late, "late");
	if (run->also[0])
		fl_buf_printf(out, "; %s", run->also);
	fl_buf_printf(out, "; %s, %s",
		      fl_bytes_text((double)counts->bytes_in, bytes),
		      fl_seconds_text(figures->wall_ns, seconds));
	if (figures->wall_ns >= RATE_FROM)
		fl_buf_printf(out, ", %s/s",
			      fl_bytes_text((double)counts->bytes_in * 1e9 /
						    (double)figures->wall_ns,
					    rate));
	if (counts->rounded)
		put_term(out, "; ", counts->rounded, "rounded to 18 digits");
	if (counts->unchecked)
		put_term(out, "; ", counts->unchecked,
			 "not checked for duplicates");
	if (counts->unchecked && counts->dedup_horizon_ns != FL_TIME_NONE)
		fl_buf_printf(
			out, " (looked %s back)",
			fl_seconds_text(counts->dedup_horizon_ns, seconds));
}

void fl_account_line(const struct fl_run *run, const struct fl_figures *figures,
		     struct fl_buf *out)
{
	fl_buf_printf(out, "%s: ", run->command->name);
	if (run->account)
		run->account(run, out);
	else
		put_usual(run, figures, out);
	fl_buf_putc(out, '\n');
}

/* --- the record ------------------------------------------------------------
 */

static void put_string(struct fl_buf *out, const char *key, const char *value,
		       size_t len)
{
	fl_buf_printf(out, ",\"%s\":", key);
	fl_buf_json_string(out, value, len);
}

static void put_count(struct fl_buf *out, const char *key, uint64_t value)
{
	fl_buf_printf(out, ",\"%s\":%llu", key, (unsigned long long)value);
}

/* Seconds to the microsecond, in canonical form. */
static void put_seconds(struct fl_buf *out, const char *key, int64_t ns)
{
	char text[40];
	int len;

	if (ns < 0)
		ns = 0;
	len = snprintf(text, sizeof(text), "%lld.%06lld",
		       (long long)(ns / FL_SECOND),
		       (long long)(ns % FL_SECOND / 1000));
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	fl_buf_printf(out, ",\"%s\":%.*s", key, len, text);
}

/* Masked, and always UTF-8. */
static void put_argv(const struct fl_run *run, struct fl_buf *out)
{
	struct fl_buf word = FL_BUF_INIT;
	size_t start = out->len;

	fl_buf_puts(out, ",\"argv\":[");
	fl_buf_json_string(out, run->command->name, strlen(run->command->name));
	for (int i = 1; i < run->argc; i++) {
		fl_buf_reset(&word);
		fl_mask_argument(run->argv, i, &word);
		if (out->len - start + word.len > ARGV_MAX) {
			fl_buf_printf(out, ",\"(%d more)\"", run->argc - i);
			break;
		}
		fl_buf_putc(out, ',');
		fl_buf_json_string(out, fl_buf_text(&word), word.len);
	}
	fl_buf_putc(out, ']');
	fl_buf_release(&word);
}

static void put_counts(const struct fl_counts *counts, struct fl_buf *out)
{
	put_count(out, "in", counts->in);
	put_count(out, "used", counts->used);
	put_count(out, "rejected", counts->rejected);
	put_count(out, "duplicates", counts->duplicates);
	put_count(out, "filtered", counts->filtered);
	put_count(out, "late", counts->late);
	put_count(out, "uncommitted", counts->uncommitted);
	put_count(out, "rounded", counts->rounded);
	put_count(out, "unchecked", counts->unchecked);
	put_count(out, "out", counts->out);
	put_count(out, "bytes_in", counts->bytes_in);
	put_count(out, "bytes_out", counts->bytes_out);
}

void fl_account_record(const struct fl_run *run,
		       const struct fl_figures *figures, int status,
		       const char *error, struct fl_buf *out)
{
	const char *name = run->command->name;
	char ts[FL_TIME_TEXT], started[FL_TIME_TEXT], host[256];
	size_t len;

	/* Microseconds: as fine as any store's time type. */
	fl_time_print(figures->ended_ns / 1000 * 1000, ts);
	fl_time_print(run->started_ns / 1000 * 1000, started);
	fl_buf_printf(out,
		      "{\"type\":\"run\",\"ts\":\"%s\",\"provider\":\"%s\","
		      "\"id\":\"%s\",\"started\":\"%s\",\"status\":%d",
		      ts, name, figures->id, started, status);
	if (run->pipeline && *run->pipeline &&
	    fl_utf8_valid(run->pipeline, strlen(run->pipeline)))
		put_string(out, "pipeline", run->pipeline,
			   strlen(run->pipeline));
	if (gethostname(host, sizeof(host) - 1) == 0) {
		host[sizeof(host) - 1] = '\0';
		if (*host && fl_utf8_valid(host, strlen(host)))
			put_string(out, "host", host, strlen(host));
	}
	put_argv(run, out);
	put_counts(&run->io.counts, out);
	put_seconds(out, "wall_s", figures->wall_ns);
	put_seconds(out, "cpu_s", figures->cpu_ns);
	put_count(out, "max_rss_bytes", figures->max_rss_bytes);
	if (run->io.counts.dedup_horizon_ns != FL_TIME_NONE)
		put_seconds(out, "dedup_horizon_s",
			    run->io.counts.dedup_horizon_ns);
	if (error && *error) {
		/* It was cut to its room, perhaps inside a character. */
		for (len = strlen(error); len; len--) {
			if (fl_utf8_valid(error, len))
				break;
		}
		put_string(out, "error", error, len);
	}
	fl_buf_puts(out, "}\n");
}

int fl_account_append(const char *path, const struct fl_buf *record,
		      struct fl_error *err)
{
	const char *shown = fl_show(path, strlen(path), 200);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	int result;

	if (fd < 0)
		return fl_error_set(err, FL_ERR_IO,
				    "cannot append the run to '%s': %s", shown,
				    strerror(errno));
	/* One write: others append to the same file. */
	result = fl_write_all(fd, record->data, record->len, shown, err);
	if (close(fd) < 0 && result == 0)
		result = fl_error_set(err, FL_ERR_IO,
				      "cannot append the run to '%s': %s",
				      shown, strerror(errno));
	if (err->code == FL_ERR_CLOSED)
		err->code = FL_ERR_IO;
	return result;
}
