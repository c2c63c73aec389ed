/* indicator: what is drawn beside prices, one file each (lib/op/ind_<name>.c),
 * registered in indicators.def.
 *
 * An indicator takes the bars of one series in order of time, one step each, in
 * a state of a fixed size, and gives figures once it has seen enough bars. They
 * are estimates, in double. A figure's name is
 *
 *	NAME[_OUTPUT][_PARAMETER...][_PRICE]
 *
 * with all parameters, also those that were not typed, so that one name is
 * always one thing: macd is written as macd_12_26_9, macd_signal_12_26_9 and
 * macd_hist_12_26_9. The point of a number is a p (bb_upper_20_2p5). PRICE
 * stands there when it is another than the close, sma_20_hl2.
 *
 * source  the definitions and starting values are those of TA-Lib 0.6, where it
 *         has the indicator
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_INDICATOR_H
#define FL_OP_INDICATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/error.h"

#define FL_IND_PARAMS  3
#define FL_IND_OUTPUTS 3
#define FL_IND_MOST    10000 /* bars of a window */

/* A bar as indicators see it. */
struct fl_ind_bar {
	double open, high, low, close;
	double price;    /* that of --price */
	double volume;   /* NAN: unknown */
	double turnover; /* NAN: unknown */
	double per_year; /* bars in a year of trade */
	int64_t day;     /* trading date; one and the same from 1d up */
};

struct fl_ind_param {
	const char *name; /* as help shows it, "N" */
	double least, most;
	double preset;
	bool real; /* else a whole number */
	/* 0 stands for what the bars say, and is left out of names. */
	bool automatic;
};

struct fl_indicator {
	const char *name;
	const char *summary; /* for --list-indicators and the manual */
	struct fl_ind_param params[FL_IND_PARAMS + 1]; /* ended by name NULL */
	/* What stands behind the name; "" is the name alone. NULL-ended. */
	const char *outputs[FL_IND_OUTPUTS + 1];
	bool by_price;  /* goes by --price */
	bool by_volume; /* gives nothing for bars without a volume */
	bool by_day;    /* wants bar->day */
	/* Rules across parameters: what is wrong, or NULL. NULL: none. */
	const char *(*check)(const double *params);
	size_t (*size)(const double *params); /* of the state, zero at first */
	/* So many bars come before the first with that output. */
	unsigned (*warm_up)(const double *params, unsigned output);
	/* Take the next bar. out[output] is NAN before, and stays so for a
	 * figure that there is none of yet. */
	void (*step)(void *state, const double *params,
		     const struct fl_ind_bar *bar, double *out);
};

#define FL_INDICATOR(name) extern const struct fl_indicator fl_ind_##name;
#include "op/indicators.def"
#undef FL_INDICATOR
extern const struct fl_indicator *const fl_indicators[]; /* NULL-ended */

/* One indicator that was asked for. */
struct fl_ind_spec {
	const struct fl_indicator *ind;
	double params[FL_IND_PARAMS];
	size_t size; /* of its state, rounded up to align */
	/* Owned: the name, and the same as a JSON key, "sma_20": */
	char *names[FL_IND_OUTPUTS], *keys[FL_IND_OUTPUTS];
	size_t key_lens[FL_IND_OUTPUTS];
	unsigned outputs;
};

/* Read "sma:20" or "macd". `price` is the word of --price.
 * errors  FL_ERR_USAGE unknown (with a near one), a parameter out of range */
int fl_ind_spec_parse(const char *text, const char *price,
		      struct fl_ind_spec *spec, struct fl_error *err);
void fl_ind_spec_release(struct fl_ind_spec *spec);

/* One line each, for people; as rows of mdoc for the manual. */
void fl_indicators_list(struct fl_buf *out);
void fl_indicators_manual(struct fl_buf *out);

#endif
