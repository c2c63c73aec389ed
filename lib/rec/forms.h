/* forms: what a string of a form may hold.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_FORMS_H
#define FL_REC_FORMS_H

#include <stdbool.h>

#include "base/time.h"
#include "rec/record.h"
#include "rec/type.h"

/* What a string of the form must be, in words, or NULL when it is that; notes
 * in `fixes` what normalising must change. */
const char *fl_form_check(enum fl_form form, const struct fl_json_tok *tok,
			  unsigned *fixes);
/* Is it that, and nothing is to change? Of a string of printable ASCII. */
bool fl_form_is_plain(enum fl_form form, const struct fl_json_tok *tok);
bool fl_form_in_words(const char *const *words, const struct fl_json_tok *tok);

#endif
