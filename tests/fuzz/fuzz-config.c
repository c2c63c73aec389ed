/* fuzz-config: any bytes as a config file, as a command line, as something to
 * mask.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "cli/help.h"
#include "cli/option.h"
#include "cli/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

static struct {
	bool flag;
	uint64_t count, size;
	double rate;
	const char *text;
	struct fl_list list;
	int64_t span;
} values;

static const struct fl_option options[] = {
	FL_OPT_FLAG('f', "flag", &values.flag, "a flag"),
	FL_OPT_U64('n', "count", "N", &values.count, "a number"),
	FL_OPT_REAL('r', "rate", "X", &values.rate, "a real"),
	FL_OPT_TEXT('t', "text", "TEXT", &values.text, "a text"),
	FL_OPT_LIST('l', "list", "A,...", &values.list, "a list"),
	FL_OPT_DURATION('d', "span", "DUR", &values.span, "a span"),
	FL_OPT_SIZE('s', "size", "SIZE", &values.size, "a size"),
	FL_OPT_END,
};

static int set(void *arg, const struct fl_config_line *line,
	       struct fl_error *err)
{
	struct fl_settings *settings = arg;
	struct fl_setting *setting =
		fl_settings_find(settings, line->key, strlen(line->key));

	CHECK(line->line >= 1 && line->section && line->value);
	CHECK(fl_utf8_valid(line->key, strlen(line->key)));
	CHECK(fl_utf8_valid(line->value, strlen(line->value)));
	if (!setting)
		return 0;
	return fl_settings_set(settings, setting, line->value, FL_LAYER_FILE,
			       "file", line->key, err);
}

/* What is read can be shown, and what is shown can be read. */
static void as_file(const char *bytes, size_t size)
{
	struct fl_settings settings = FL_SETTINGS_INIT;
	struct fl_error err = { .code = FL_OK };
	struct fl_buf shown = FL_BUF_INIT;

	memset(&values, 0, sizeof(values));
	fl_settings_add(&settings, FL_SECTION_OWN, options, false);
	if (fl_config_parse(bytes, size, &settings.arena, set, &settings,
			    &err) < 0)
		CHECK(err.code == FL_ERR_USAGE && *err.text);
	fl_settings_show(&settings, "fl-x", true, &shown);
	fl_settings_release(&settings);

	memset(&values, 0, sizeof(values));
	fl_settings_add(&settings, FL_SECTION_OWN, options, false);
	fl_error_clear(&err);
	CHECK(fl_config_parse(shown.data, shown.len, &settings.arena, set,
			      &settings, &err) == 0);
	fl_settings_release(&settings);
	fl_buf_release(&shown);
}

static int pass(void *arg, char *word, struct fl_error *err)
{
	(void)arg;
	(void)word;
	(void)err;
	return 0;
}

/* Words end at line feeds and NUL. */
static void as_arguments(const char *bytes, size_t size)
{
	enum {
		WORDS = 30
	};
	char *argv[WORDS + 2] = { (char[]){ "fl-x" } };
	struct fl_settings settings = FL_SETTINGS_INIT;
	struct fl_error err = { .code = FL_OK };
	struct fl_buf out = FL_BUF_INIT;
	char *copy = malloc(size + 1);
	int argc = 1;

	CHECK(copy);
	memcpy(copy, bytes, size);
	copy[size] = '\0';
	for (size_t i = 0; i < size && argc <= WORDS; i++) {
		argv[argc++] = copy + i;
		i += strcspn(copy + i, "\n");
		copy[i] = '\0';
	}
	memset(&values, 0, sizeof(values));
	fl_settings_add(&settings, FL_SECTION_OWN, options, false);
	if (fl_settings_parse(&settings, "fl-x", argc, argv, pass, NULL, NULL,
			      &err) < 0)
		CHECK(err.code == FL_ERR_USAGE && *err.text);
	fl_settings_release(&settings);
	fl_mask_command("fl-x", argv, 1000, &out);
	CHECK(fl_utf8_valid(out.data, out.len));
	fl_buf_reset(&out);
	fl_wrap(copy, 10, 10, &out);
	fl_buf_release(&out);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_file((const char *)data, size);
	as_arguments((const char *)data, size);
	return 0;
}
