/* folder: removes what a test has made.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_FOLDER_H
#define FL_FOLDER_H

#include <ftw.h>
#include <stdio.h>

static int folder_remove_one(const char *path, const struct stat *st, int kind,
			     struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

/* The folder with all that is in it. */
static void folder_remove(const char *path)
{
	nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
