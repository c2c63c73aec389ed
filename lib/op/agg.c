/* agg: see agg.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/agg.h"

#define FL_AGG(name) extern const struct fl_agg fl_agg_##name;
#include "op/aggs.def"
#undef FL_AGG

const struct fl_agg *const fl_aggs[] = {
#define FL_AGG(name) &fl_agg_##name,
#include "op/aggs.def"
#undef FL_AGG
	NULL,
};

int fl_agg_refuse(struct fl_io *io, const struct fl_record *rec,
		  enum fl_reason reason, const struct fl_note *note,
		  struct fl_error *err)
{
	const struct fl_reject reject = {
		.reason = reason,
		.note = note,
		.input = rec->input,
		.line = rec->line,
		.raw = rec->bytes,
		.raw_len = rec->len,
	};

	if (io->warm)
		return 0;
	return reason == FL_REASON_late ? fl_reject_late(io, &reject, err)
					: fl_reject(io, &reject, err);
}
