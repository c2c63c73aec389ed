/* subunit: see subunit.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/subunit.h"

#include <string.h>

static const struct fl_subunit subunits[] = {
	{ "GBp", "GBP", { 1, 2 } }, { "GBX", "GBP", { 1, 2 } },
	{ "ZAc", "ZAR", { 1, 2 } }, { "ZAC", "ZAR", { 1, 2 } },
	{ "ILA", "ILS", { 1, 2 } }, { "KWF", "KWD", { 1, 3 } },
};

const struct fl_subunit *fl_subunit_find(const char *code, size_t len)
{
	/* Nearly every code is USD, EUR or JPY: no subunit ends like them. */
	if (len != 3 || code[2] == 'D' || code[2] == 'R' || code[2] == 'Y')
		return NULL;
	for (size_t i = 0; i < sizeof(subunits) / sizeof(*subunits); i++) {
		if (memcmp(code, subunits[i].code, 3) == 0)
			return &subunits[i];
	}
	return NULL;
}
