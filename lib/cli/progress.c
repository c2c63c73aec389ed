/* progress: see progress.h.
 *
 * The stages of a pipeline share one terminal. The last one, whose output is no
 * pipe, has the line; its cursor rests at the line's start, so that what others
 * print begins there and wipes it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"
#include "base/utf8.h"
#include "io/stream.h"

#define EVERY_NS    (FL_SECOND / 5)
#define FIRST_NS    (FL_SECOND / 2) /* short runs show none */
#define BEHIND_SHOW FL_HOUR         /* older events are history, not live */

static const char wipe[] = "\r\033[K";

enum ability {
	ABILITY_UNKNOWN,
	ABILITY_YES,
	ABILITY_NO,
};

static enum ability terminal, line;
static bool drawn;
static int64_t drawn_ns;

/* The kernel's tick is fine enough and costs no system call. */
static int64_t coarse_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * FL_SECOND + ts.tv_nsec;
}

/* Does standard error understand the wiping? */
static bool can_wipe(void)
{
	const char *term = getenv("TERM");

	if (terminal == ABILITY_UNKNOWN)
		terminal = isatty(STDERR_FILENO) && term && *term &&
					   strcmp(term, "dumb") != 0
				   ? ABILITY_YES
				   : ABILITY_NO;
	return terminal == ABILITY_YES;
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool has_line(const struct fl_run *run)
{
	if (line == ABILITY_UNKNOWN)
		line = can_wipe() && !is_pipe(STDOUT_FILENO) &&
				       !(run->io.out && isatty(STDOUT_FILENO))
			       ? ABILITY_YES
			       : ABILITY_NO;
	/* Whoever is in the background now may be in front later. */
	return line == ABILITY_YES && tcgetpgrp(STDERR_FILENO) == getpgrp();
}

void fl_progress_off(void)
{
	line = ABILITY_NO;
}

static void put_event(int64_t event_ns, struct fl_buf *out)
{
	int64_t behind = fl_now_ns() - event_ns;
	char text[FL_TIME_TEXT], span[32];

	fl_time_print(event_ns - event_ns % FL_SECOND, text);
	/* 2026-11-20T16:21:07.000Z */
	fl_buf_printf(out, "  at %.10s %.8sZ", text, text + 11);
	if (behind >= 0 && behind < BEHIND_SHOW)
		fl_buf_printf(out, ", %s behind",
			      fl_seconds_text(behind, span));
}

static void put_line(const struct fl_run *run, int64_t spent_ns,
		     struct fl_buf *out)
{
	const struct fl_counts *counts = &run->io.counts;
	uint64_t rows = counts->in ? counts->in : counts->out;
	double rate = spent_ns > 0 ? (double)rows * 1e9 / (double)spent_ns : 0;
	int64_t seconds = spent_ns / FL_SECOND;
	char text[32];

	fl_buf_printf(out, "%s: ", run->command->name);
	if (run->progress_what)
		fl_buf_printf(out, "%s  ",
			      fl_show(run->progress_what,
				      strlen(run->progress_what), 60));
	fl_buf_printf(out, "%s rows", fl_grouped(rows, text));
	fl_buf_printf(out, "  %s/s", fl_grouped((uint64_t)rate, text));
	if (seconds < 3600)
		fl_buf_printf(out, "  %d:%02d", (int)(seconds / 60),
			      (int)(seconds % 60));
	else
		fl_buf_printf(out, "  %d:%02d:%02d", (int)(seconds / 3600),
			      (int)(seconds / 60 % 60), (int)(seconds % 60));
	if (run->event_ns != FL_TIME_NONE)
		put_event(run->event_ns, out);
	fl_buf_printf(out, "  %s rejected", fl_grouped(counts->rejected, text));
}

/* A line that wraps could not be wiped. */
static void cut_line(struct fl_buf *out)
{
	struct winsize size = { .ws_col = 0 };
	size_t room = 80;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		room = size.ws_col;
	while (out->len && fl_utf8_columns(out->data, out->len) >= room) {
		do
			out->len--;
		while (((unsigned char)out->data[out->len] & 0xc0) == 0x80);
	}
}

void fl_progress_draw(const struct fl_run *run)
{
	struct fl_buf text = FL_BUF_INIT;
	struct fl_buf out = FL_BUF_INIT;
	struct fl_error err = { .code = FL_OK };
	int64_t now_ns;

	if (line == ABILITY_NO)
		return;
	now_ns = coarse_ns();
	if (now_ns - run->started_mono_ns < FIRST_NS ||
	    now_ns - drawn_ns < EVERY_NS || !has_line(run))
		return;
	drawn_ns = now_ns;
	drawn = true;
	put_line(run, now_ns - run->started_mono_ns, &text);
	cut_line(&text);
	fl_buf_puts(&out, wipe);
	fl_buf_append(&out, text.data, text.len);
	fl_buf_putc(&out, '\r');
	(void)fl_write_all(STDERR_FILENO, out.data, out.len, "standard error",
			   &err);
	fl_buf_release(&text);
	fl_buf_release(&out);
}

void fl_progress_message(const char *text, size_t len)
{
	struct fl_buf out = FL_BUF_INIT;
	struct fl_error err = { .code = FL_OK };

	/* In a pipeline the line may be another stage's. */
	if (can_wipe() && (drawn || (len && (is_pipe(STDIN_FILENO) ||
					     is_pipe(STDOUT_FILENO)))))
		fl_buf_puts(&out, wipe);
	fl_buf_append(&out, text, len);
	drawn = false;
	/* Nobody is left to tell when this fails. One write: the stages of a
	 * pipeline share standard error. */
	if (out.len)
		(void)fl_write_all(STDERR_FILENO, out.data, out.len,
				   "standard error", &err);
	fl_buf_release(&out);
}
