/* near: "did you mean".
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_NEAR_H
#define FL_BASE_NEAR_H

/* The nearest of words (NULL-ended) within a small edit distance, or NULL. */
const char *fl_nearest(const char *word, const char *const *words);

#endif
