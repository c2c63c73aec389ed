/* sessions-data: lib/rec/calendars.txt inside of the program, so that nothing
 * has to be installed beside it. The Makefile knows that this depends on it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/sessions-file.h"

/* The assembler of gcc and clang alike; the path is the build's, which runs in
 * the top folder. */
__asm__(".pushsection .rodata\n"
	".globl fl_calendars_text\n"
	".hidden fl_calendars_text\n"
	".globl fl_calendars_text_end\n"
	".hidden fl_calendars_text_end\n"
	"fl_calendars_text:\n"
	".incbin \"lib/rec/calendars.txt\"\n"
	"fl_calendars_text_end:\n"
	".byte 0\n"
	".popsection\n");
