/* Small files in the state folder.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "folder.h"
#include "io/state.h"
#include "tap.h"

static char top[] = "/tmp/fl-state-XXXXXX";

static int read_back(struct fl_buf *out)
{
	struct fl_error err = { .code = FL_OK };

	fl_buf_reset(out);
	return fl_state_read("x", out, &err);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

int main(void)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_buf out = { .max = 100 };
	char *dir, *path, *other, *folders;

	if (!mkdtemp(top))
		return 1;
	dir = fl_sprintf("%s/a/b", top);
	path = fl_sprintf("%s/x", dir);
	other = fl_sprintf("%s/y", dir);
	setenv("FL_STATE_DIR", dir, 1);
	umask(0);

	is_int(read_back(&out), 0, "nothing is there at first");
	is_int(mode_of(dir), 0700, "the folder is ours alone");
	is_int(fl_state_write("x", "secret", 6, &err), 0, "it is written");
	is_int(mode_of(path), 0600, "for us alone, whatever the umask");
	is_int(read_back(&out), 1, "and read back");
	is_str(fl_buf_text(&out), "secret", "as it was");
	is_int(fl_state_write("x", "two", 3, &err), 0, "once more");
	is_int(read_back(&out) == 1 && strcmp(fl_buf_text(&out), "two") == 0, 1,
	       "it is replaced whole");
	chmod(path, 0640);
	is_int(read_back(&out), 0, "what others may read is not trusted");
	is_int(fl_state_write("x", "three", 5, &err), 0, "it is replaced, too");
	is_int(mode_of(path), 0600, "by one of our own");
	rename(path, other);
	is_int(symlink(other, path), 0, "a link in its place");
	is_int(read_back(&out), 0, "is not followed");
	fl_state_remove("x");
	is_int(access(path, F_OK), -1, "it is removed");
	is_int(access(other, F_OK), 0, "not what it named");
	mkdir(path, 0700);
	is_int(fl_state_write("x", "four", 4, &err), -1,
	       "a folder is in the way");
	is_int(err.code, FL_ERR_IO, "that is a fault of local files");
	fl_error_clear(&err);
	setenv("FL_STATE_DIR", "/dev/null/x", 1);
	is_int(fl_state_write("x", "four", 4, &err), -1,
	       "no folder can be made");
	is_str(err.text,
	       "cannot make the folder '/dev/null/x': Not a directory",
	       "and it says why");
	fl_error_clear(&err);
	unsetenv("FL_STATE_DIR");
	unsetenv("STATE_DIRECTORY");
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "", 1);
	is_int(fl_state_path("x", &err) == NULL && err.code == FL_ERR_USAGE, 1,
	       "nowhere to put it is told");
	folders = fl_sprintf("%s/s1:%s/s2", top, top);
	setenv("STATE_DIRECTORY", folders, 1);
	fl_error_clear(&err);
	free(other);
	other = fl_state_path("x", &err);
	is_str(other ? other + strlen(top) : "", "/s1/x",
	       "the first of systemd's folders");

	fl_buf_release(&out);
	free(dir);
	free(path);
	free(other);
	free(folders);
	folder_remove(top);
	return done_testing();
}
