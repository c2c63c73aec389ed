/* indicator: see indicator.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/indicator.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"

enum {
	INDICATORS_MAX = 64,
	DECIMALS_MAX = 4, /* of a parameter: more is a slip, not a wish */
};

const struct fl_indicator *const fl_indicators[] = {
#define FL_INDICATOR(name) &fl_ind_##name,
#include "op/indicators.def"
#undef FL_INDICATOR
	NULL,
};

static unsigned count_params(const struct fl_indicator *ind)
{
	unsigned n = 0;

	while (ind->params[n].name)
		n++;
	return n;
}

/* "macd:FAST:SLOW:SIGNAL" */
static void put_form(const struct fl_indicator *ind, struct fl_buf *out)
{
	fl_buf_puts(out, ind->name);
	for (unsigned i = 0; ind->params[i].name; i++)
		fl_buf_printf(out, ":%s", ind->params[i].name);
}

static const struct fl_indicator *find(const char *name, struct fl_error *err)
{
	const char *names[INDICATORS_MAX + 1];
	const char *near;
	size_t n = 0;

	for (; fl_indicators[n]; n++) {
		if (n == INDICATORS_MAX)
			FL_BUG("more indicators than INDICATORS_MAX");
		names[n] = fl_indicators[n]->name;
		if (strcmp(names[n], name) == 0)
			return fl_indicators[n];
	}
	names[n] = NULL;
	near = fl_nearest(name, names);
	fl_error_set(err, FL_ERR_USAGE,
		     near ? "no indicator '%s' (did you mean '%s'?); fl-agg "
			    "--list-indicators shows them"
			  : "no indicator '%s'; fl-agg --list-indicators "
			    "shows them",
		     fl_show(name, strlen(name), 60), near);
	return NULL;
}

static int bad_param(const struct fl_indicator *ind,
		     const struct fl_ind_param *param, const char *text,
		     struct fl_error *err)
{
	struct fl_buf form = FL_BUF_INIT;

	put_form(ind, &form);
	fl_error_set(err, FL_ERR_USAGE,
		     "%s: %s is a %snumber from %g to %g%s, "
		     "not '%s'",
		     fl_buf_text(&form), param->name,
		     param->real ? "" : "whole ",
		     param->automatic ? 1 : param->least, param->most,
		     param->real ? ", of at most 4 decimals" : "",
		     fl_show(text, strlen(text), 60));
	fl_buf_release(&form);
	return -1;
}

static int read_param(const struct fl_indicator *ind,
		      const struct fl_ind_param *param, const char *text,
		      double *out, struct fl_error *err)
{
	struct fl_decimal value;

	if (fl_decimal_parse(text, strlen(text), &value) != FL_DECIMAL_EXACT ||
	    value.scale > (param->real ? DECIMALS_MAX : 0))
		return bad_param(ind, param, text, err);
	*out = fl_decimal_to_double(value);
	if (*out < (param->automatic ? 1 : param->least) || *out > param->most)
		return bad_param(ind, param, text, err);
	return 0;
}

static int read_params(const struct fl_indicator *ind, char *rest,
		       double *params, struct fl_error *err)
{
	unsigned count = count_params(ind), n = 0;
	struct fl_buf form = FL_BUF_INIT;
	const char *word;

	for (unsigned i = 0; i < count; i++)
		params[i] = ind->params[i].preset;
	for (; (word = strsep(&rest, ":")); n++) {
		if (n >= count)
			continue;
		if (read_param(ind, &ind->params[n], word, &params[n], err) < 0)
			return -1;
	}
	if (n <= count)
		return 0;
	put_form(ind, &form);
	fl_error_set(err, FL_ERR_USAGE,
		     count ? "%s has %u parameter%s at most, not %u: %s"
			   : "%s has no parameters",
		     ind->name, count, count > 1 ? "s" : "", n,
		     fl_buf_text(&form));
	fl_buf_release(&form);
	return -1;
}

static char *make_name(const struct fl_ind_spec *spec, const char *output,
		       const char *price)
{
	const struct fl_indicator *ind = spec->ind;
	struct fl_buf name = FL_BUF_INIT;

	fl_buf_puts(&name, ind->name);
	if (*output)
		fl_buf_printf(&name, "_%s", output);
	for (unsigned i = 0; ind->params[i].name; i++) {
		char text[FL_DECIMAL_TEXT];
		struct fl_decimal value;
		size_t len;

		if (ind->params[i].automatic && spec->params[i] == 0)
			continue;
		if (!fl_decimal_from_double(spec->params[i], &value))
			FL_BUG("a parameter out of range");
		len = fl_decimal_print(value, text);
		for (size_t c = 0; c < len; c++) {
			if (text[c] == '.')
				text[c] = 'p';
		}
		fl_buf_putc(&name, '_');
		fl_buf_append(&name, text, len);
	}
	if (ind->by_price && strcmp(price, "close") != 0)
		fl_buf_printf(&name, "_%s", price);
	return fl_buf_take(&name);
}

int fl_ind_spec_parse(const char *text, const char *price,
		      struct fl_ind_spec *spec, struct fl_error *err)
{
	char *words = fl_strdup(text), *rest = words;
	const char *name = strsep(&rest, ":"), *wrong = NULL;
	int result = -1;

	*spec = (struct fl_ind_spec){ .ind = find(name, err) };
	if (!spec->ind || read_params(spec->ind, rest, spec->params, err) < 0)
		goto done;
	if (spec->ind->check)
		wrong = spec->ind->check(spec->params);
	if (wrong) {
		fl_error_set(err, FL_ERR_USAGE, "'%s': %s",
			     fl_show(text, strlen(text), 60), wrong);
		goto done;
	}
	spec->size = (spec->ind->size(spec->params) + 15) / 16 * 16;
	for (unsigned i = 0; spec->ind->outputs[i]; i++, spec->outputs++) {
		spec->names[i] = make_name(spec, spec->ind->outputs[i], price);
		spec->keys[i] = fl_sprintf("\"%s\":", spec->names[i]);
		spec->key_lens[i] = strlen(spec->keys[i]);
	}
	result = 0;
done:
	free(words);
	return result;
}

void fl_ind_spec_release(struct fl_ind_spec *spec)
{
	for (unsigned i = 0; i < spec->outputs; i++) {
		free(spec->names[i]);
		free(spec->keys[i]);
	}
	*spec = (struct fl_ind_spec){ .ind = NULL };
}

/* --- what there is ---------------------------------------------------------
 */

/* "macd:12:26:9", with the parameters that hold when none are typed; those that
 * the bars give are shown by their name. */
static void put_preset(const struct fl_indicator *ind, struct fl_buf *out)
{
	fl_buf_puts(out, ind->name);
	for (unsigned i = 0; ind->params[i].name; i++) {
		if (ind->params[i].automatic)
			fl_buf_printf(out, "[:%s]", ind->params[i].name);
		else
			fl_buf_printf(out, ":%g", ind->params[i].preset);
	}
}

static void put_names(const struct fl_indicator *ind, const char *between,
		      struct fl_buf *out)
{
	struct fl_ind_spec spec;
	struct fl_error err = { .code = FL_OK };

	if (fl_ind_spec_parse(ind->name, "close", &spec, &err) < 0)
		FL_BUG("an indicator's presets are refused");
	for (unsigned i = 0; i < spec.outputs; i++)
		fl_buf_printf(out, "%s%s", i ? between : "", spec.names[i]);
	fl_ind_spec_release(&spec);
}

void fl_indicators_list(struct fl_buf *out)
{
	for (size_t i = 0; fl_indicators[i]; i++) {
		const struct fl_indicator *ind = fl_indicators[i];
		struct fl_buf preset = FL_BUF_INIT;

		put_preset(ind, &preset);
		fl_buf_printf(out, "%-14s %s: ", fl_buf_text(&preset),
			      ind->summary);
		put_names(ind, " ", out);
		fl_buf_putc(out, '\n');
		fl_buf_release(&preset);
	}
}

void fl_indicators_manual(struct fl_buf *out)
{
	fl_buf_puts(out, ".Bl -tag -width \"macd:12:26:9\" -compact\n");
	for (size_t i = 0; fl_indicators[i]; i++) {
		const struct fl_indicator *ind = fl_indicators[i];

		fl_buf_puts(out, ".It Cm ");
		put_preset(ind, out);
		fl_buf_printf(out, "\n%s:\n.Li ", ind->summary);
		put_names(ind, " , ", out);
		fl_buf_puts(out, "\n");
	}
	fl_buf_puts(out, ".El\n");
}
