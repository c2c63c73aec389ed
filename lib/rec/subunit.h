/* subunit: currencies quoted in hundredths or thousandths.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_SUBUNIT_H
#define FL_REC_SUBUNIT_H

#include <stddef.h>

#include "base/decimal.h"

struct fl_subunit {
	const char *code; /* as providers write it: GBp */
	const char *main; /* ISO 4217: GBP */
	struct fl_decimal scale;
};

/* NULL: the code names no subunit.
 * source  Yahoo: GBp, ZAc, ILA, KWF; Alpha Vantage: GBX */
const struct fl_subunit *fl_subunit_find(const char *code, size_t len);

#endif
