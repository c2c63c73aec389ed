/* run: begin, operands, signals, end; see run.h.
 *
 * A process has one run, and signal handlers know nothing but globals: what
 * they and fl_run_end need stands here, not in struct fl_run.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "cli/account.h"
#include "cli/group.h"
#include "cli/help.h"
#include "cli/option.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "io/stream.h"
#include "rec/record.h"

#ifndef FL_VERSION
#define FL_VERSION "unknown"
#endif

enum {
	DRAIN_S = 5,    /* for a pipe to end after the first signal */
	AGAIN_MS = 300, /* a second signal before that is the first's echo */
	TICKS = 1024,   /* calls of fl_run_tick between looks at a clock */
	VIA_MAX = 8 * 1024, /* bytes of this command in a mark */
};

const char fl_run_version[] = FL_VERSION;

static volatile sig_atomic_t stop;
static volatile int64_t stopped_ms;

static struct fl_settings settings = FL_SETTINGS_INIT;
static char *via; /* of io */
static bool stdout_closed;
static bool gave_operand;
static unsigned ticks;

/* --- signals ---------------------------------------------------------------
 */

static int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static void on_stop(int number)
{
	int saved = errno;

	if (!stop) {
		stopped_ms = clock_ms();
		__atomic_store_n(&stop, number, __ATOMIC_RELAXED);
		alarm(DRAIN_S); /* also ends a read that blocks */
	} else if (clock_ms() - stopped_ms >= AGAIN_MS) {
		/* timeout(1) signals the process and then its group: only what
		 * comes later is a second wish. */
		signal(number, SIG_DFL);
		raise(number); /* pending until we return */
	}
	errno = saved;
}

static void on_alarm(int number)
{
	(void)number;
	if (stop)
		__atomic_store_n(&stop, stop | FL_STOP_NOW, __ATOMIC_RELAXED);
}

static void catch_signal(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler }, old;

	/* What was ignored when we came (nohup, jobs in the background of a
	 * script) stays so. No SA_RESTART: what waits must look. */
	sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN &&
	    number != SIGALRM)
		return;
	sigaction(number, &action, NULL);
}

static int stop_signal(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED) & (FL_STOP_NOW - 1);
}

/* End as a program that had not caught the signal. */
static _Noreturn void end_by(int number)
{
	sigset_t set;

	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
	_exit(128 + number);
}

/* --- begin -----------------------------------------------------------------
 */

static void say(const struct fl_run *run, const char *text)
{
	struct fl_buf line = FL_BUF_INIT;

	fl_buf_printf(&line, "%s: %s\n", run->command->name, text);
	fl_progress_message(line.data, line.len);
	fl_buf_release(&line);
}

static void release(struct fl_run *run)
{
	free(run->operands);
	run->operands = NULL;
	free(via);
	via = NULL;
	run->io.via = NULL;
	fl_settings_release(&settings);
}

static _Noreturn void give_up(struct fl_run *run, const struct fl_error *err)
{
	say(run, err->text);
	release(run);
	exit((int)err->code);
}

/* What --help and its like print; ends the program. */
static _Noreturn void answer(struct fl_run *run, struct fl_buf *text)
{
	struct fl_error err = { .code = FL_OK };

	if (stdout_closed)
		fl_error_set(&err, FL_ERR_IO, "standard output is closed");
	else
		(void)fl_write_all(STDOUT_FILENO, text->data, text->len,
				   "standard output", &err);
	fl_buf_release(text);
	if (err.code == FL_ERR_CLOSED)
		end_by(SIGPIPE);
	if (err.code != FL_OK)
		give_up(run, &err);
	release(run);
	exit(0);
}

/* Without this the next file opened would get the number of a standard stream,
 * and records or messages would go into it. Opened the wrong way round, so that
 * using the stream is an error, as it would be when closed. */
static void fill_standard_streams(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		stdout_closed |= fd == STDOUT_FILENO;
		if (open("/dev/null", modes[fd]) != fd)
			_exit(FL_ERR_IO);
	}
}

static int take_operand(void *arg, char *word, struct fl_error *err)
{
	struct fl_run *run = arg;
	const struct fl_command *command = run->command;

	if (!run->sub && command->subcommand && !run->operand_count) {
		run->sub = command->subcommand(word, err);
		if (run->sub) {
			run->word = word;
			fl_settings_add(&settings, run->sub->name,
					run->sub->options, true);
			return 0;
		}
		if (err->code != FL_OK)
			return -1;
	}
	run->operands[run->operand_count++] = word;
	return 0;
}

/* The subcommand, other than the one that was named, that has the option. */
static const char *elsewhere(void *arg, const char *name)
{
	static char text[200];
	const struct fl_run *run = arg;
	const struct fl_command *command = run->command;

	for (size_t i = 0; command->subcommands && command->subcommands[i];
	     i++) {
		const struct fl_subcommand *sub = command->subcommands[i];
		struct fl_settings of = FL_SETTINGS_INIT;
		bool has;

		fl_settings_add(&of, sub->name, sub->options, false);
		has = fl_settings_find(&of, name, strlen(name)) != NULL;
		fl_settings_release(&of);
		if (!has || sub == run->sub)
			continue;
		if (run->sub)
			snprintf(text, sizeof(text), "%s %s has it, %s has not",
				 command->name, sub->name, run->sub->name);
		else
			snprintf(text, sizeof(text),
				 "it goes behind: %s %s --%s", command->name,
				 sub->name, name);
		return text;
	}
	return NULL;
}

/* What is answered at once, whatever the other settings. */
static void answer_help(struct fl_run *run)
{
	struct fl_buf text = FL_BUF_INIT;
	struct fl_error err = { .code = FL_OK };

	if (fl_common.help)
		fl_help_text(run->command, run->sub, &text);
	else if (fl_common.version)
		fl_buf_printf(&text, "%s (FinanceLake) " FL_VERSION "\n",
			      run->command->name);
	else if (fl_common.help_man)
		fl_help_man(run->command, &text);
	else if (!fl_common.help_completion)
		return;
	else if (fl_help_completion(run->command, fl_common.help_completion,
				    &text, &err) < 0)
		give_up(run, &err);
	answer(run, &text);
}

static int read_files(struct fl_run *run, struct fl_error *err)
{
	const char *name = run->command->name;
	const char *sub = run->sub ? run->sub->name : NULL;
	char *own = fl_common.config ? NULL : fl_config_path();
	const char *user = fl_common.config ? fl_common.config : own;
	int result = 0;

	if (user)
		result = fl_settings_file(&settings, user, fl_common.config,
					  name, sub, elsewhere, run, err);
	free(own);
	return result < 0 ? -1
			  : fl_settings_file(&settings, FL_CONFIG_SYSTEM, false,
					     name, sub, elsewhere, run, err);
}

/* Does the command write records, by its options? */
static bool writes_records(void)
{
	const char *title = fl_group_title(fl_options_writes);

	for (size_t i = 0; i < settings.count; i++) {
		if (settings.items[i].section == title)
			return true;
	}
	return false;
}

static void tick(void *arg)
{
	fl_progress_draw(arg);
}

static void begin_io(struct fl_run *run)
{
	struct fl_io *io = &run->io;
	struct fl_buf command = FL_BUF_INIT;

	io->command = run->command->name;
	io->hooks = &fl_record_hooks;
	io->counts.dedup_horizon_ns = FL_TIME_NONE;
	io->reject_fd = -1;
	io->stop = &stop;
	io->tick = tick;
	io->tick_arg = run;
	fl_mask_command(run->command->name, run->argv, VIA_MAX, &command);
	io->via = via = fl_buf_take(&command);
}

void fl_run_begin(struct fl_run *run, const struct fl_command *command,
		  int argc, char **argv)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_buf text = FL_BUF_INIT;

	*run = (struct fl_run){
		.command = command,
		.argc = argc,
		.argv = argv,
		.started_ns = fl_now_ns(),
		.started_mono_ns = fl_monotonic_ns(),
		.event_ns = FL_TIME_NONE,
	};
	fl_log_name = command->name;
	fill_standard_streams();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of write */
	run->operands = fl_zalloc(((size_t)argc + 1) * sizeof(char *));
	begin_io(run);
	fl_help_settings(&settings, command, NULL);
	if (fl_settings_parse(&settings, command->name, argc, argv,
			      take_operand, elsewhere, run, &err) < 0)
		give_up(run, &err);
	answer_help(run);
	if (fl_settings_environment(&settings, &err) < 0 ||
	    read_files(run, &err) < 0)
		give_up(run, &err);
	if (fl_common.show_config) {
		fl_settings_show(&settings, command->name,
				 strstr(command->synopsis, "PLACE") != NULL,
				 &text);
		answer(run, &text);
	}
	fl_log_on = fl_common.verbose;
	if (fl_groups_apply(&run->io, run->started_ns, &settings.arena, &err) <
	    0)
		give_up(run, &err);
	if (stdout_closed && writes_records()) {
		fl_error_set(&err, FL_ERR_IO, "standard output is closed");
		give_up(run, &err);
	}
	if (fl_common.quiet || fl_common.verbose)
		fl_progress_off(); /* -v: the line is for messages */
	catch_signal(SIGINT, on_stop);
	catch_signal(SIGTERM, on_stop);
	catch_signal(SIGALRM, on_alarm);
}

/* --- in between ------------------------------------------------------------
 */

const char *fl_run_setting(const struct fl_run *run, const char *name)
{
	char variable[64];
	const char *value = getenv(fl_option_variable(name, variable));

	(void)run;
	if (value && *value)
		return value;
	for (size_t i = 0; i < settings.other_count; i++) {
		if (strcmp(settings.others[i].key, name) == 0)
			return settings.others[i].value;
	}
	return NULL;
}

int fl_run_as_of(struct fl_run *run, int64_t now_ns, struct fl_error *err)
{
	return fl_groups_as_of(run->io.zone, now_ns, err);
}

void fl_run_tell(const struct fl_run *run, const char *text)
{
	say(run, text);
}

void fl_run_pass_over(const struct fl_run *run, struct fl_error *err)
{
	struct fl_buf text = FL_BUF_INIT;

	fl_buf_printf(&text, "%s; going on with the next", err->text);
	say(run, fl_buf_text(&text));
	fl_buf_release(&text);
	fl_error_clear(err);
}

/* The next input is standard input: what kind is it? */
static void look_at_stdin(struct fl_run *run)
{
	static bool told;
	struct stat st;

	run->io.drains = fstat(STDIN_FILENO, &st) == 0 &&
			 (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	if (told || fl_common.quiet || !isatty(STDIN_FILENO) ||
	    !isatty(STDERR_FILENO))
		return;
	told = true;
	fprintf(stderr,
		"%s: reading records from the terminal; Ctrl-D ends (%s --help "
		"shows examples)\n",
		run->command->name, run->command->name);
}

const char *fl_run_operand(struct fl_run *run)
{
	const char *path = NULL;

	if (fl_run_stopping(run))
		return NULL;
	if (run->operand_next < run->operand_count)
		path = run->operands[run->operand_next++];
	else if (!gave_operand)
		path = "-";
	gave_operand = true;
	run->io.drains = false;
	if (path && strcmp(path, "-") == 0)
		look_at_stdin(run);
	return path;
}

void fl_run_tick(struct fl_run *run)
{
	if (++ticks % TICKS == 0)
		fl_progress_draw(run);
}

int fl_run_inputs(struct fl_run *run,
		  int (*each)(void *arg, const char *path,
			      struct fl_error *err),
		  void *arg, struct fl_error *err)
{
	enum fl_code first = FL_OK;
	int failed = 0, count = 0;
	const char *path;

	for (; (path = fl_run_operand(run)); count++) {
		int result = each(arg, path, err);

		if (result == 0)
			continue;
		if (result < 0 || !run->io.keep_going ||
		    (err->code != FL_ERR_IO && err->code != FL_ERR_DATA))
			return -1;
		if (first == FL_OK)
			first = err->code;
		fl_run_pass_over(run, err);
		failed++;
	}
	if (failed)
		fl_error_set(err, first, "%d of %d inputs could not be read",
			     failed, count);
	return failed > 0;
}

bool fl_run_stopping(const struct fl_run *run)
{
	return fl_stop_requested(&run->io);
}

/* --- end -------------------------------------------------------------------
 */

static void close_rejects(struct fl_io *io, struct fl_error *err)
{
	if (io->reject_fd_owned && close(io->reject_fd) < 0)
		fl_error_set(err, FL_ERR_IO, "cannot write '%s': %s",
			     io->rejects, strerror(errno));
	io->reject_fd = -1;
	io->reject_fd_owned = false;
}

static void check_share(const struct fl_io *io, struct fl_error *err)
{
	const struct fl_counts *counts = &io->counts;
	char rejected[32], in[32];

	if (io->max_reject_share >= 0 &&
	    (double)counts->rejected >
		    io->max_reject_share * (double)counts->in)
		fl_error_set(err, FL_ERR_DATA,
			     "more rejects than --max-rejects allows: %s of %s "
			     "records",
			     fl_grouped(counts->rejected, rejected),
			     fl_grouped(counts->in, in));
}

/* The exit status; *number is the signal to end by, or 0. A stop that was asked
 * for explains that something is missing, but not that something is wrong. */
static int find_status(const struct fl_io *io, const struct fl_error *err,
		       int *number)
{
	bool limited =
		io->max_rejects != UINT64_MAX || io->max_reject_share >= 0;

	*number = 0;
	if (err->code == FL_OK || err->code == FL_ERR_AGAIN ||
	    err->code == FL_ERR_CLOSED)
		*number = stop_signal();
	if (!*number && err->code == FL_ERR_CLOSED)
		*number = SIGPIPE;
	if (*number)
		return 128 + *number;
	if (err->code != FL_OK)
		return (int)err->code;
	return (io->counts.rejected && !limited) || io->counts.late ? 1 : 0;
}

static enum fl_stats find_stats(const struct fl_run *run,
				const struct fl_error *err)
{
	const struct fl_counts *counts = &run->io.counts;

	if (fl_common.stats != FL_STATS_AUTO)
		return fl_common.stats;
	if (fl_common.quiet || err->code == FL_ERR_CLOSED)
		return FL_STATS_NONE;
	if (fl_common.verbose)
		return FL_STATS_TEXT;
	/* What failed before it did anything has no account to give. */
	if (err->code == FL_ERR_USAGE ||
	    (err->code != FL_OK && !counts->in && !counts->out))
		return FL_STATS_NONE;
	return isatty(STDERR_FILENO) || counts->rejected || counts->late ||
			       err->code != FL_OK
		       ? FL_STATS_TEXT
		       : FL_STATS_NONE;
}

static void report(const struct fl_run *run, const struct fl_figures *figures,
		   int status, const struct fl_error *err)
{
	const char *error = err->code == FL_OK || err->code == FL_ERR_CLOSED
				    ? NULL
				    : err->text;
	struct fl_buf text = FL_BUF_INIT;

	if (error)
		fl_buf_printf(&text, "%s: %s\n", run->command->name, error);
	switch (find_stats(run, err)) {
	case FL_STATS_TEXT:
		fl_account_rejects(run, &text);
		fl_account_line(run, figures, &text);
		break;
	case FL_STATS_JSON:
		fl_account_record(run, figures, status, error, &text);
		break;
	case FL_STATS_AUTO:
	case FL_STATS_NONE:
		break;
	}
	fl_progress_message(fl_buf_text(&text), text.len);
	fl_buf_release(&text);
}

/* Append the run record; when that fails it is an error like any other. */
static int keep_record(const struct fl_run *run,
		       const struct fl_figures *figures, int status,
		       int *number, struct fl_error *err)
{
	struct fl_error later = { .code = FL_OK };
	struct fl_buf record = FL_BUF_INIT;

	fl_account_record(run, figures, status,
			  err->code == FL_OK || err->code == FL_ERR_CLOSED
				  ? NULL
				  : err->text,
			  &record);
	if (fl_account_append(fl_common.runs, &record, &later) < 0) {
		if (err->code == FL_OK || err->code == FL_ERR_CLOSED) {
			*err = later;
			status = find_status(&run->io, err, number);
		} else {
			say(run, later.text);
		}
	}
	fl_buf_release(&record);
	return status;
}

int fl_run_end(struct fl_run *run, struct fl_error *err)
{
	struct fl_figures figures;
	int status, number;

	close_rejects(&run->io, err);
	if (err->code == FL_OK)
		check_share(&run->io, err);
	/* One record out for one in: what was written was used. */
	if (!run->account && !run->io.counts.used)
		run->io.counts.used = run->io.counts.out;
	fl_account_measure(run, &figures);
	status = find_status(&run->io, err, &number);
	if (fl_common.runs)
		status = keep_record(run, &figures, status, &number, err);
	report(run, &figures, status, err);
	release(run);
	if (number) {
		if (number != SIGPIPE)
			fflush(NULL);
		end_by(number);
	}
	return status;
}
