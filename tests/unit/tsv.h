/* tsv: the lines of a file of expected results, for tests/unit.
 *
 * Fields are separated by tabs; '#' starts a comment line.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_TSV_H
#define FL_TSV_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TSV_FIELDS = 7
};

struct tsv {
	FILE *file;
	char line[4096];
	char *field[TSV_FIELDS]; /* those that are missing are "" */
	int number;
};

static void tsv_open(struct tsv *tsv, const char *path)
{
	*tsv = (struct tsv){ .file = fopen(path, "r") };
	if (!tsv->file) {
		perror(path);
		exit(1);
	}
}

/* 0 at the end, when the file is closed. */
static int tsv_next(struct tsv *tsv)
{
	static char none[] = "";
	char *p = tsv->line;

	do {
		if (!fgets(tsv->line, sizeof(tsv->line), tsv->file)) {
			fclose(tsv->file);
			return 0;
		}
		tsv->number++;
	} while (tsv->line[0] == '#');
	tsv->line[strcspn(tsv->line, "\n")] = '\0';
	for (int i = 0; i < TSV_FIELDS; i++) {
		tsv->field[i] = p ? p : none;
		if (p)
			p = strchr(p, '\t');
		if (p)
			*p++ = '\0';
	}
	return 1;
}

#endif
