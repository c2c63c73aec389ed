/* Options, config files, help texts and the small words of cli.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/option.h"

#include "base/mem.h"
#include "base/time.h"
#include "cli/help.h"
#include "cli/run.h"
#include "cli/text.h"
#include "tap.h"

/* --- a table with one option of each kind ----------------------------------
 */

static struct {
	bool flag, other;
	uint64_t count, size;
	double rate;
	const char *text;
	struct fl_list list;
	int64_t span;
	char called[64];
} got;

static int take(void *target, const char *value, struct fl_error *err)
{
	if (value && strcmp(value, "bad") == 0)
		return fl_error_set(err, FL_ERR_USAGE, "--call is not for bad");
	snprintf(target, sizeof(got.called), "%s", value ? value : "(none)");
	return 0;
}

static const struct fl_option grouped[] = {
	FL_OPT_FLAG('o', "other", &got.other, "of a group"),
	FL_OPT_END,
};

static const struct fl_option table[] = {
	FL_OPT_FLAG('f', "flag", &got.flag, "a flag"),
	FL_OPT_U64('n', "count", "N", &got.count, "a number [3]"),
	FL_OPT_REAL(0, "rate", "X", &got.rate, "a real"),
	FL_OPT_TEXT('t', "text", "TEXT", &got.text, "a text"),
	FL_OPT_LIST('l', "list", "A,...", &got.list, "a list"),
	FL_OPT_DURATION(0, "span", "DUR", &got.span, "a span"),
	FL_OPT_SIZE(0, "size", "SIZE", &got.size, "a size"),
	FL_OPT_CALL('c', "call", "V", take, got.called, "a call"),
	FL_OPT_CALL(0, "bare", NULL, take, got.called, "no value"),
	FL_OPT_CALL(0, "maybe", "[=V]", take, got.called, "a value or none"),
	FL_OPT_GROUP(grouped),
	FL_OPT_FLAG(0, "hidden", &got.other, NULL),
	FL_OPT_FLAG(0, "help", &got.other, "show this help"),
	FL_OPT_END,
};

static char operands[200];
static struct fl_settings settings = FL_SETTINGS_INIT;
static struct fl_error err;

static int take_operand(void *arg, char *word, struct fl_error *error)
{
	size_t len = strlen(operands);

	(void)arg;
	snprintf(operands + len, sizeof(operands) - len, "%s%s", len ? " " : "",
		 word);
	return strcmp(word, "refused")
		       ? 0
		       : fl_error_set(error, FL_ERR_USAGE, "refused");
}

static void begin(void)
{
	fl_settings_release(&settings);
	memset(&got, 0, sizeof(got));
	got.count = 3;
	operands[0] = '\0';
	fl_error_clear(&err);
	fl_settings_add(&settings, FL_SECTION_OWN, table, false);
}

/* Words between single blanks; "''" is an empty one. */
static int parse(const char *line)
{
	static char copy[400];
	char *argv[40] = { (char[]){ "fl-x" } };
	int argc = 1;

	begin();
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *p = strtok(copy, " "); p; p = strtok(NULL, " "))
		argv[argc++] = strcmp(p, "''") ? p : p + 2;
	return fl_settings_parse(&settings, "fl-x", argc, argv, take_operand,
				 NULL, NULL, &err);
}

static void test_forms(void)
{
	is_int(parse("--count 5 a --flag b"), 0, "options follow operands");
	is_int(got.count, 5, "--x V");
	ok(got.flag, "a flag");
	is_str(operands, "a b", "operands in order");
	is_int(parse("--count=6 --text="), 0, "--x=V");
	is_int(got.count, 6, "--x=V has its value");
	is_str(got.text, "", "--x= is an empty value");
	is_int(parse("-n7"), 0, "-n7");
	is_int(got.count, 7, "-n7 has its value");
	is_int(parse("-n 8"), 0, "-n 8");
	is_int(got.count, 8, "-n 8 has its value");
	is_int(parse("-fon9"), 0, "letters together");
	ok(got.flag && got.other && got.count == 9, "letters, the last valued");
	is_int(parse("-- -n --count"), 0, "-- ends the options");
	is_str(operands, "-n --count", "what follows -- is operands");
	is_int(parse("- -"), 0, "- is an operand");
	is_str(operands, "- -", "- stays -");
	is_int(parse("--text -x"), 0, "a value may begin with -");
	is_str(got.text, "-x", "and stays as it is");
	is_int(parse("--text --"), 0, "even be --");
	is_int(parse("--text=--count -f"), 0, "or an option, behind =");
	is_str(got.text, "--count", "behind = it is a value");
	is_int(parse("--flag=no"), 0, "a flag takes no");
	ok(!got.flag, "and is off then");
	is_int(parse("--other"), 0, "an option of a group");
	ok(got.other, "is set");
	is_int(parse("--count 1 --count 2"), 0, "an option twice");
	is_int(got.count, 2, "the last holds");
	is_int(parse("--bare"), 0, "a call without value");
	is_str(got.called, "(none)", "gets none");
	is_int(parse("--maybe a"), 0, "a value that may be left out");
	is_str(got.called, "(none)", "is left out before an operand");
	is_str(operands, "a", "which stays one");
	is_int(parse("--maybe=v"), 0, "or stands behind =");
	is_str(got.called, "v", "and is taken");
	is_int(parse("refused"), -1, "an operand can be refused");
	is_int(err.code, FL_ERR_USAGE, "with its error");
}

static void test_values(void)
{
	is_int(parse("--rate 0.25 --size 64K --span 1h30m --list a,b -l c"), 0,
	       "values of all kinds");
	ok(got.rate == 0.25, "a real");
	is_int(got.size, 65536, "a size");
	is_int(got.span, 90 * FL_MINUTE, "a span");
	is_int(got.list.count, 3, "lists add up");
	is_str(got.list.items[0], "a", "the first item");
	is_str(got.list.items[2], "c", "the last item");
	ok(!got.list.items[3], "then NULL");
	is_int(parse("--count 18446744073709551615"), 0, "the largest number");
	ok(got.count == UINT64_MAX, "is exact");
	is_int(parse("--size 5"), 0, "a size in bytes");
	is_int(parse("--size 2g"), 0, "a size in small letters");
	is_int(got.size, INT64_C(2) << 30, "is the same");
}

static void refused(const char *line, const char *text)
{
	is_int(parse(line), -1, "refused: %s", line);
	is_str(err.text, text, "and why");
	is_int(err.code, FL_ERR_USAGE, "as misuse");
}

static void test_errors(void)
{
	refused("--cuont 5",
		"unknown option '--cuont' (did you mean '--count'?)");
	refused("--cou 5", "unknown option '--cou' (did you mean '--count'?)");
	refused("--nothing", "unknown option '--nothing'; try 'fl-x --help'");
	refused("--hidde", "unknown option '--hidde'; try 'fl-x --help'");
	refused("-z", "unknown option '-z'; try 'fl-x --help'");
	refused("-span 5", "unknown option '-span' (did you mean '--span'?)");
	refused("--a\x01", "unknown option '--a\\x01'; try 'fl-x --help'");
	refused("--count", "option '--count' needs a value: --count N");
	refused("-n", "option '--count' needs a value: --count N");
	refused("--text --flag", "option '--text' needs a value before "
				 "'--flag': --text TEXT");
	refused("--count x", "--count takes a whole number, not 'x'");
	refused("--count -1", "--count takes a whole number, not '-1'");
	refused("--count 1.5", "--count takes a whole number, not '1.5'");
	refused("--count 18446744073709551616",
		"--count takes a whole number, not '18446744073709551616'");
	refused("--count ''", "--count takes a whole number, not ''");
	refused("--rate 0x1p3", "--rate takes a number, not '0x1p3'");
	refused("--rate inf", "--rate takes a number, not 'inf'");
	refused("--rate 1e999", "--rate takes a number, not '1e999'");
	refused("--size 1Q",
		"--size takes a size such as 64K, 32M or 1G, not '1Q'");
	refused("--size 64KB",
		"--size takes a size such as 64K, 32M or 1G, not '64KB'");
	refused("--size 99999999999T", "--size takes a size such as 64K, 32M "
				       "or 1G, not '99999999999T'");
	refused("--span 1x",
		"--span: '1x' is no duration; say for example 10s, 5m, 4h, 7d, "
		"1wk, 3mo or 1y");
	refused("--list a,,b", "--list: an empty item in 'a,,b'");
	refused("--list a,", "--list: an empty item in 'a,'");
	refused("--list ''", "--list is empty");
	refused("--flag=maybe", "--flag takes yes or no, not 'maybe'");
	refused("--bare=maybe", "--bare takes yes or no, not 'maybe'");
	refused("--call bad", "--call is not for bad");
}

/* --- layers ----------------------------------------------------------------
 */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static int read_config(const char *path, const char *text)
{
	write_file(path, text);
	return fl_settings_file(&settings, path, true, "fl-x", "sub", NULL,
				NULL, &err);
}

static const char *from_of(const char *name)
{
	const struct fl_setting *setting =
		fl_settings_find(&settings, name, strlen(name));

	return setting->from ? setting->from : "default";
}

static void test_layers(const char *path)
{
	char text[400];

	setenv("FL_COUNT", "20", 1);
	setenv("FL_TEXT", "variable", 1);
	setenv("FL_RATE", "", 1);
	setenv("FL_HELP", "yes", 1);
	is_int(parse("--count 10"), 0, "an option");
	is_int(fl_settings_environment(&settings, &err), 0, "a variable");
	is_int(read_config(path, "# all\n"
				 "count = 30\n"
				 "text = file\n"
				 "rate = 1.5 # comment\n"
				 "list = \"a b\",c\n"
				 "\n"
				 "[fl-x]\n"
				 "size = 1K\n"
				 "[fl-x sub]\n"
				 "size = 2K\n"
				 "[fl-y]\n"
				 "nonsense = 1\n"),
	       -1, "quotes end a value");
	fl_error_clear(&err);
	is_int(read_config(path, "# all\r\n"
				 "count = 30\r\n"
				 "  text=file\r\n"
				 "rate =1.5 # comment\n"
				 "list = \"a b,c#d\"  # comment\n"
				 "list = e\n"
				 "size = 3K\n"
				 "other-command = 1\n"
				 "\n"
				 "[fl-x]\n"
				 "size = 1K\n"
				 "flag = on\n"
				 "[ fl-x  sub ] # both\n"
				 "size = 2K\n"
				 "[fl-y]\n"
				 "nonsense = 1\n"
				 "flag = off"),
	       0, "a file: %s", err.text);
	is_int(got.count, 10, "an option goes before all");
	is_str(from_of("count"), "option", "and says so");
	is_str(got.text, "variable", "a variable before a file");
	is_str(from_of("text"), "FL_TEXT", "and says so");
	ok(got.rate == 1.5, "an empty variable is none");
	snprintf(text, sizeof(text), "'%s' line 4", path);
	is_str(from_of("rate"), text, "a file says its line");
	is_int(got.list.count, 3, "lists of one file add up");
	is_str(got.list.items[1], "c#d", "quotes keep a #");
	is_int(got.size, 2048, "what is said of a subcommand goes first");
	ok(got.flag, "what is said of another command does not count");
	ok(!got.other, "FL_HELP is no setting");
	is_int(settings.other_count, 1, "other commands' keys are kept");
	is_str(settings.others[0].key, "other-command", "by name");
	is_int(read_config(path, "rate = 7\nspan = 1m\n"), 0, "a weaker file");
	ok(got.rate == 1.5, "does not change what holds");
	is_int(got.span, FL_MINUTE, "but adds");
	unsetenv("FL_COUNT");
	unsetenv("FL_TEXT");
	unsetenv("FL_RATE");
	unsetenv("FL_HELP");
}

static void bad_config(const char *path, const char *text, const char *why)
{
	char want[500];

	begin();
	is_int(read_config(path, text), -1, "refused: %s",
	       fl_show(text, strlen(text), 40));
	snprintf(want, sizeof(want), "'%s' %s", path, why);
	is_str(err.text, want, "and why");
}

static void test_bad_config(const char *path)
{
	bad_config(path, "\ncount\n",
		   "line 2: a setting is KEY = VALUE, the key a long option's "
		   "name");
	bad_config(path, "= 5\n",
		   "line 1: a setting is KEY = VALUE, the key a long option's "
		   "name");
	bad_config(path, "--count = 5\n",
		   "line 1: a setting is KEY = VALUE, the key a long option's "
		   "name");
	bad_config(path, "[fl-x\n", "line 1: a section is [fl-clean]");
	bad_config(path, "text = \"a\n",
		   "line 1: a value in quotes ends with a quote");
	bad_config(path, "text = a\xff\n", "line 1: not UTF-8 text");
	bad_config(path, "count = x\n",
		   "line 1: count takes a whole number, not 'x'");
	bad_config(path, "[fl-x]\ncuont = 1\n",
		   "line 2: fl-x has no option 'cuont' (did you mean "
		   "'count'?)");
	bad_config(path, "help = yes\n",
		   "line 1: 'help' is given on the command line only");
	begin();
	is_int(fl_settings_file(&settings, "/nonexistent/x", false, "fl-x",
				NULL, NULL, NULL, &err),
	       0, "a file need not be there");
	is_int(fl_settings_file(&settings, "/nonexistent/x", true, "fl-x", NULL,
				NULL, NULL, &err),
	       -1, "unless it was named");
	is_str(err.text,
	       "cannot read the config file '/nonexistent/x': No such file or "
	       "directory",
	       "and why");
	fl_error_clear(&err);
	is_int(fl_settings_file(&settings, "/", true, "fl-x", NULL, NULL, NULL,
				&err),
	       -1, "a folder is no file");
	fl_error_clear(&err);
	is_int(fl_settings_file(&settings, "/dev/zero", true, "fl-x", NULL,
				NULL, NULL, &err),
	       -1, "a file has a ceiling");
	ok(strstr(err.text, "more than 1 MiB") != NULL, "and says so");
}

/* What --show-config prints, read as a config file, gives the same. */
static void test_show(const char *path)
{
	struct fl_buf shown = FL_BUF_INIT, again = FL_BUF_INIT;

	parse("--text a#b\"c\\ --list x,y --span 90s --size 32M "
	      "--call postgres://u:secret@h/db --count 12");
	fl_settings_show(&settings, "fl-x", true, &shown);
	ok(strstr(shown.data, "text = \"a#b\\\"c\\\\\"") != NULL, "quoted");
	ok(strstr(shown.data, "call = postgres://u:***@h/db") != NULL,
	   "secrets are masked");
	ok(strstr(shown.data, "count = 12                      # option\n") !=
		   NULL,
	   "with its origin");
	ok(strstr(shown.data, "flag = no                       # default\n") !=
		   NULL,
	   "what is not set shows its default");
	ok(!strstr(shown.data, "hidden") && !strstr(shown.data, "help"),
	   "hidden and acting options are no settings");
	begin();
	is_int(read_config(path, shown.data), 0, "it reads back: %s", err.text);
	is_str(got.text, "a#b\"c\\", "with the same text");
	is_int(got.span, 90 * FL_SECOND, "the same span");
	is_int(got.size, 32 << 20, "the same size");
	is_int(got.list.count, 2, "the same list");
	fl_settings_show(&settings, "fl-x", true, &again);
	ok(strstr(again.data, "line") != NULL, "and says so");
	fl_buf_release(&shown);
	fl_buf_release(&again);
}

/* --- help ------------------------------------------------------------------
 */

static const struct fl_option sub_table[] = {
	FL_OPT_U64(0, "count", "N", &got.count, "another count"),
	FL_OPT_TEXT(0, "map", "F=COL,...", &got.text, "it's [a] 'map': x"),
	FL_OPT_END,
};
static const struct fl_subcommand sub = {
	.name = "csv",
	.summary = "read CSV",
	.synopsis = "[FILE...]",
	.examples = "fl-x csv a.csv",
	.options = sub_table,
};
static const struct fl_subcommand *const subs[] = { &sub, NULL };
static const struct fl_command command = {
	.name = "fl-x",
	.summary = "do what it does",
	.synopsis = "SOURCE [OPTION...]\n--list",
	.examples = "fl-x csv a\nfl-x csv b",
	.notes = "A note.",
	.options = table,
	.subcommands = subs,
};

static void test_help(void)
{
	struct fl_buf out = FL_BUF_INIT;

	fl_help_text(&command, NULL, &out);
	ok(strncmp(out.data,
		   "fl-x: do what it does\n\n  fl-x csv a\n  fl-x csv b\n"
		   "usage: fl-x SOURCE [OPTION...]\n       fl-x --list\n"
		   "sources: csv      (fl-x SOURCE --help: its options)\n"
		   "options:\n  -f, --flag ",
		   60) == 0,
	   "the head of --help");
	ok(strstr(out.data, "\n  -n, --count N           a number [3]\n") !=
		   NULL,
	   "an option with letter and value");
	ok(strstr(out.data, "\n      --maybe[=V]         a value") != NULL,
	   "a value that may be left out");
	ok(strstr(out.data, "hidden") == NULL, "hidden options are hidden");
	ok(strstr(out.data, "\nA note.\n") != NULL, "notes come last");
	for (const char *line = out.data; line && *line;) {
		const char *lf = strchr(line, '\n');

		if (lf - line > 80)
			note("%.*s", (int)(lf - line), line);
		if (lf - line > 80)
			break;
		line = lf + 1;
		if (!*line)
			ok(true, "no line is longer than 80");
	}
	fl_buf_reset(&out);
	fl_help_text(&command, &sub, &out);
	ok(strncmp(out.data,
		   "fl-x csv: read CSV\n\n  fl-x csv a.csv\n"
		   "usage: fl-x csv [FILE...]\noptions of csv:\n"
		   "      --count N           another count\n",
		   100) == 0,
	   "--help of a subcommand");
	ok(strstr(out.data, "a number [3]") == NULL,
	   "its own options hide others of that name");
	fl_buf_reset(&out);
	fl_help_man(&command, &out);
	ok(strstr(out.data, ".It Fl n , Fl \\-count Ar \"N\"\na number [3].\n"),
	   "an item of the manual");
	ok(strstr(out.data, ".It Fl \\-maybe Ns Ar \"[=V]\"\n"),
	   "an item whose value may be left out");
	ok(strstr(out.data, ".Ss Options of fl-x csv\nread CSV.\n"),
	   "a subcommand has its own part");
	fl_buf_reset(&out);
	is_int(fl_help_completion(&command, "bash", &out, &err), 0, "bash");
	is_int(fl_help_completion(&command, "zsh", &out, &err), 0, "zsh");
	ok(strstr(out.data, "'--map=[it'\\''s \\[a\\] '\\''map'\\''\\: x]"),
	   "zsh's own characters are escaped");
	is_int(fl_help_completion(&command, "csh", &out, &err), -1, "not csh");
	fl_buf_release(&out);
	fl_error_clear(&err);
}

/* --- words -----------------------------------------------------------------
 */

static void test_words(void)
{
	static const char *const words[] = { "yahoo",  "alphavantage",
					     "csv",    "log",
					     "syslog", "store",
					     "sim",    NULL };
	char text[32];

	is_str(fl_nearest("yaho", words), "yahoo", "a letter is missing");
	is_str(fl_nearest("yahooo", words), "yahoo", "a letter too many");
	is_str(fl_nearest("yhaoo", words), "yahoo", "letters swapped");
	is_str(fl_nearest("YAHOO", words), "yahoo", "capitals");
	is_str(fl_nearest("alpha", words), "alphavantage", "a beginning");
	is_str(fl_nearest("cvs", words), "csv", "a short word");
	is_str(fl_nearest("syslgo", words), "syslog", "the nearer of two");
	is_str(fl_nearest("kafka", words), NULL, "another word");
	is_str(fl_nearest("xyz", words), NULL, "another short word");
	is_str(fl_nearest("", words), NULL, "no word");
	is_str(fl_grouped(0, text), "0", "0");
	is_str(fl_grouped(999, text), "999", "999");
	is_str(fl_grouped(1000, text), "1,000", "1000");
	is_str(fl_grouped(1234567, text), "1,234,567", "1234567");
	is_str(fl_grouped(UINT64_MAX, text), "18,446,744,073,709,551,615",
	       "the largest");
	is_str(fl_bytes_text(0, text), "0 B", "0 bytes");
	is_str(fl_bytes_text(999, text), "999 B", "999 bytes");
	is_str(fl_bytes_text(1200, text), "1.2 kB", "1.2 kB");
	is_str(fl_bytes_text(720e6, text), "720 MB", "720 MB");
	is_str(fl_bytes_text(9.97e6, text), "10 MB", "no 10.0 MB");
	is_str(fl_bytes_text(999.6e6, text), "1.0 GB", "no 1000 MB");
	is_str(fl_seconds_text(1500000, text), "1.5 ms", "milliseconds");
	is_str(fl_seconds_text(610000000, text), "0.61 s", "0.61 s");
	is_str(fl_seconds_text(999000000, text), "1.0 s", "no 1.00 s");
	is_str(fl_seconds_text(12 * FL_SECOND, text), "12.0 s", "12.0 s");
	is_str(fl_seconds_text(120 * FL_SECOND, text), "120 s", "120 s");
	is_str(fl_seconds_text(1205 * FL_SECOND, text), "20 min 5 s",
	       "minutes");
	is_str(fl_seconds_text(3 * FL_HOUR + 7 * FL_MINUTE, text), "3 h 7 min",
	       "hours");
}

static void masked(const char *text, const char *want)
{
	struct fl_buf out = FL_BUF_INIT;

	fl_mask(text, &out);
	is_str(fl_buf_text(&out), want, "masked: %s", text);
	fl_buf_release(&out);
}

static void test_masking(void)
{
	char *argv[] = { (char[]){ "/usr/bin/fl-x" },
			 (char[]){ "--password" },
			 (char[]){ "hunter2" },
			 (char[]){ "it's" },
			 (char[]){ "mysql://u:p@h" },
			 (char[]){ "" },
			 NULL };
	struct fl_buf out = FL_BUF_INIT;

	masked("AAPL", "AAPL");
	masked("", "");
	masked("postgres://u:p@h:5432/db", "postgres://u:***@h:5432/db");
	masked("postgres://u:p/w@h/db", "postgres://u:***@h/db");
	masked("postgres://u:p@ss@h/db", "postgres://u:***@h/db");
	masked("postgres://u@h:5432/db", "postgres://u@h:5432/db");
	masked("postgres://h:5432/db", "postgres://h:5432/db");
	masked("mysql://:p@h", "mysql://:***@h");
	masked("u:p@h", "u:***@h");
	masked("me@h", "me@h");
	masked("dir/a:b@c.ndjson", "dir/a:b@c.ndjson");
	masked("host=h password=p w dbname=d", "host=h password=***");
	masked("--X=sasl.password=a:b@c", "--X=sasl.password=***");
	masked("https://h/?apikey=abc&x=1", "https://h/?apikey=***");
	masked("https://u:p@h/?token=abc", "https://u:***@h/?token=***");
	masked("PASSWORD=x", "PASSWORD=***");
	masked("a\xff\xc3\xa9", "a\xef\xbf\xbd\xc3\xa9");
	fl_mask_command("fl-x", argv, 1000, &out);
	is_str(out.data, "fl-x --password *** 'it'\\''s' mysql://u:***@h ''",
	       "a command line");
	fl_buf_reset(&out);
	fl_mask_command("fl-x", argv, 20, &out);
	is_str(out.data, "fl-x --password *** (3 more)", "a long command line");
	fl_buf_release(&out);
}

int main(void)
{
	char path[] = "/tmp/fl-option.XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0) {
		perror(path);
		return 1;
	}
	test_forms();
	test_values();
	test_errors();
	test_layers(path);
	test_bad_config(path);
	test_show(path);
	test_help();
	test_words();
	test_masking();
	fl_settings_release(&settings);
	remove(path);
	return done_testing();
}
