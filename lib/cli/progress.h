/* progress: one line on the terminal, redrawn while records pass.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_CLI_PROGRESS_H
#define FL_CLI_PROGRESS_H

#include "cli/run.h"

/* Redraw if it is time; never when standard error is no terminal, we are in its
 * background, or another stage of the pipeline has the line. */
void fl_progress_draw(const struct fl_run *run);
/* No progress line in this run. */
void fl_progress_off(void);
/* Write a message, whole lines, over what stands in the terminal's line. */
void fl_progress_message(const char *text, size_t len);

#endif
