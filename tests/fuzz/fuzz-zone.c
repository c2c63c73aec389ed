/* fuzz-zone: any bytes as a TZif file.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/zone-tzif.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_zone_table table;

	if (fl_zone_table_read(&table, data, size, &err) < 0) {
		CHECK(err.code == FL_ERR_DATA && !table.at && !table.count);
		return 0;
	}
	CHECK(table.count && table.at[0] == INT64_MIN);
	for (size_t i = 0; i < table.count; i++) {
		CHECK(table.offsets[i] >= FL_ZONE_OFFSET_MIN &&
		      table.offsets[i] <= FL_ZONE_OFFSET_MAX);
		CHECK(!i || table.at[i] > table.at[i - 1]);
		CHECK(!i || table.offsets[i] != table.offsets[i - 1]);
	}
	fl_zone_table_release(&table);
	return 0;
}
