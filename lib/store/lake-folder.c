/* lake-folder: see lake-folder.h. A lake on S3 answers the same calls in its
 * own words: a claim is If-None-Match, an object that is not published yet an
 * upload that is not completed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/lake-folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"

int fl_folder_fault(const struct fl_folder *folder, const char *doing,
		    const char *path, struct fl_error *err)
{
	int number = errno;
	char *whole = fl_sprintf("%s%s", folder->place, path);

	fl_error_set(err, number == ENOMEM ? FL_ERR_AGAIN : FL_ERR_IO,
		     "cannot %s '%s': %s", doing,
		     fl_show(whole, strlen(whole), 300), strerror(number));
	free(whole);
	return -1;
}

int fl_folder_open(struct fl_folder *folder, const char *path,
		   struct fl_error *err)
{
	folder->place = fl_strdup(fl_show(path, strlen(path), 300));
	folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd >= 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	if (errno == ENOTDIR)
		return fl_error_set(err, FL_ERR_REFUSED, "'%s' is no folder",
				    fl_show(path, strlen(path), 300));
	return fl_folder_fault(folder, "open", "", err);
}

int fl_folder_make(struct fl_folder *folder, const char *path,
		   struct fl_error *err)
{
	bool made = mkdir(path, 0777) == 0;
	int got;

	if (!made && errno != EEXIST && errno != EISDIR)
		return fl_error_set(err, FL_ERR_IO, "cannot make '%s': %s",
				    fl_show(path, strlen(path), 300),
				    strerror(errno));
	got = fl_folder_open(folder, path, err);
	if (got == 0)
		return fl_folder_fault(folder, "open", "", err);
	if (got > 0 && made && fl_folder_sync(folder, "..", err) < 0)
		return -1;
	return got;
}

void fl_folder_close(struct fl_folder *folder)
{
	if (folder->fd >= 0)
		close(folder->fd);
	folder->fd = -1;
	free(folder->place);
	folder->place = NULL;
}

/* The folder of a path; free() it. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? fl_strndup(path, (size_t)(slash - path)) : fl_strdup("");
}

/* The folders before the name; sync: each durable in the one above it. */
static int make_parents(struct fl_folder *folder, const char *path, bool sync,
			struct fl_error *err)
{
	char *dir = fl_strdup(path);
	int result = 0;

	for (char *slash = strchr(dir, '/'); slash && result == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(folder->fd, dir, 0777) < 0) {
			if (errno != EEXIST)
				result = fl_folder_fault(folder, "make", dir,
							 err);
		} else if (sync) {
			char *above = folder_of(dir);

			result = fl_folder_sync(folder, above, err);
			free(above);
		}
		*slash = '/';
	}
	free(dir);
	return result;
}

int fl_folder_create(struct fl_folder *folder, const char *path,
		     struct fl_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = openat(folder->fd, path, flags, 0666);

	if (fd < 0 && errno == ENOENT) {
		if (make_parents(folder, path, true, err) < 0)
			return -1;
		fd = openat(folder->fd, path, flags, 0666);
	}
	return fd < 0 ? fl_folder_fault(folder, "write", path, err) : fd;
}

int fl_folder_seal(struct fl_folder *folder, const char *path, int fd,
		   bool sync, struct fl_error *err)
{
	int result = 0;

	if (sync && fsync(fd) < 0)
		result = fl_folder_fault(folder, "write", path, err);
	if (close(fd) < 0 && result == 0)
		result = fl_folder_fault(folder, "write", path, err);
	return result;
}

int fl_folder_sync_all(struct fl_folder *folder, struct fl_error *err)
{
	return syncfs(folder->fd) < 0
		       ? fl_folder_fault(folder, "write", "", err)
		       : 0;
}

int fl_folder_sync(struct fl_folder *folder, const char *path,
		   struct fl_error *err)
{
	int fd = openat(folder->fd, *path ? path : ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = 0;

	if (fd < 0 && errno == ENOENT) /* removed: nothing to keep */
		return 0;
	if (fd < 0 || fsync(fd) < 0)
		result = fl_folder_fault(folder, "sync", path, err);
	if (fd >= 0)
		close(fd);
	return result;
}

/* returns 1; 0 the name is taken; -1 */
static int link_to(struct fl_folder *folder, const char *draft,
		   const char *path, struct fl_error *err)
{
	for (int tries = 0; tries < 2; tries++) {
		if (linkat(folder->fd, draft, folder->fd, path, 0) == 0)
			return 1;
		if (errno == EEXIST)
			return 0;
		if (errno != ENOENT ||
		    make_parents(folder, path, true, err) < 0)
			break;
	}
	return fl_folder_fault(folder, "write", path, err);
}

/* Whoever sees the name sees all of it, and link(2) refuses a name that is
 * taken. */
int fl_folder_claim(struct fl_folder *folder, const char *draft,
		    const char *path, const void *bytes, size_t len,
		    struct fl_error *err)
{
	char *dir = folder_of(path);
	char *shown = fl_sprintf("%s%s", folder->place, path);
	int fd = fl_folder_create(folder, draft, err);
	int result = fd < 0 ? -1 : fl_write_all(fd, bytes, len, shown, err);

	if (fd >= 0 && fl_folder_seal(folder, path, fd, result == 0, err) < 0)
		result = -1;
	if (result == 0)
		result = link_to(folder, draft, path, err);
	if (fd >= 0)
		unlinkat(folder->fd, draft, 0);
	if (result > 0 && fl_folder_sync(folder, dir, err) < 0)
		result = 2;
	free(shown);
	free(dir);
	return result;
}

int fl_folder_publish(struct fl_folder *folder, const char *from,
		      const char *to, struct fl_error *err)
{
	if (renameat(folder->fd, from, folder->fd, to) == 0)
		return 1;
	if (errno != ENOENT)
		return fl_folder_fault(folder, "write", to, err);
	if (faccessat(folder->fd, from, F_OK, 0) < 0)
		return 0;
	if (make_parents(folder, to, false, err) < 0)
		return -1;
	if (renameat(folder->fd, from, folder->fd, to) == 0)
		return 2;
	return errno == ENOENT ? 0 : fl_folder_fault(folder, "write", to, err);
}

int fl_folder_read(struct fl_folder *folder, const char *path,
		   struct fl_error *err)
{
	int fd = openat(folder->fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		fl_folder_fault(folder, "open", path, err);
	return fd;
}

int fl_folder_list(struct fl_folder *folder, const char *path,
		   int (*each)(void *arg, const char *name), void *arg,
		   struct fl_error *err)
{
	int fd = openat(folder->fd, *path ? path : ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!dir) {
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		fl_folder_fault(folder, "read", path, err);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (result == 0 && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			result = each(arg, entry->d_name);
	}
	if (result == 0 && errno)
		result = fl_folder_fault(folder, "read", path, err);
	closedir(dir);
	return result;
}

int64_t fl_folder_changed(struct fl_folder *folder, const char *path)
{
	struct stat st;

	if (fstatat(folder->fd, path, &st, 0) < 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * FL_SECOND + st.st_mtim.tv_nsec;
}

bool fl_folder_is_restless(struct fl_folder *folder, const char *path,
			   int64_t before)
{
	int64_t now = fl_folder_changed(folder, path);

	/* A file system's clock ticks a few hundred times a second. */
	return now != before || fl_now_ns() - now < FL_SECOND / 100;
}

void fl_folder_remove(struct fl_folder *folder, const char *path)
{
	if (unlinkat(folder->fd, path, 0) < 0 && errno == EISDIR)
		unlinkat(folder->fd, path, AT_REMOVEDIR);
}

int fl_folder_lock(struct fl_folder *folder, const char *path)
{
	int fd = openat(folder->fd, path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int64_t fl_folder_age(struct fl_folder *folder, const char *path)
{
	struct stat st;

	if (fstatat(folder->fd, path, &st, 0) < 0)
		return -1;
	return time(NULL) > st.st_mtime ? time(NULL) - st.st_mtime : 0;
}
