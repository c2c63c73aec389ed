/* lake-folder: objects of a lake as files of a folder; see lake-objects.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/lake-objects.h"

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

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"
#include "store/crash.h"

struct folder {
	int fd;
	int lock;      /* of the drafts; -1: not held */
	bool unsynced; /* files wait for syncfs() */
	char *stuck;   /* what could not be removed first, and why; NULL */
	int stuck_errno;
};

struct fl_object_out {
	struct fl_objects *objects;
	char *path;
	int fd;
};

struct fl_object_in {
	struct fl_objects *objects;
	char *path;
	int fd;
	uint64_t wanted; /* bytes that are read before any others */
};

enum {
	/* More folders than these are synced with all that is. */
	FEW_FOLDERS = 16,
	STALE_S = 3600, /* drafts this old may be swept */
};

/* "cannot <doing> 'lake/<path>': <errno>".  returns -1 */
static int fault(const struct fl_objects *objects, const char *doing,
		 const char *path, struct fl_error *err)
{
	int number = errno;
	char *whole = fl_sprintf("%s%s", objects->place, path);

	fl_error_set(err, number == ENOMEM ? FL_ERR_AGAIN : FL_ERR_IO,
		     "cannot %s '%s': %s", doing,
		     fl_show(whole, strlen(whole), 300), strerror(number));
	free(whole);
	return -1;
}

static int fd_of(const struct fl_objects *objects)
{
	return ((const struct folder *)objects->state)->fd;
}

/* --- syncing ---------------------------------------------------------------
 */

/* The names in one folder are durable. */
static int sync_folder(struct fl_objects *objects, const char *path,
		       struct fl_error *err)
{
	int fd = openat(fd_of(objects), *path ? path : ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = 0;

	if (fd < 0 && errno == ENOENT) /* removed: nothing to keep */
		return 0;
	if (fd < 0 || fsync(fd) < 0)
		result = fault(objects, "sync", path, err);
	if (fd >= 0)
		close(fd);
	return result;
}

/* All that was written so far is durable, folders too. */
static int sync_all(struct fl_objects *objects, struct fl_error *err)
{
	return syncfs(fd_of(objects)) < 0 ? fault(objects, "write", "", err)
					  : 0;
}

/* The folder of an object, and with `all` those above it. */
static void add_folders(struct fl_map *dirs, const char *path, bool all)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	*fl_map_at(dirs, path, len) = dirs;
	while (all && len) {
		do {
			len--;
		} while (len && path[len] != '/');
		*fl_map_at(dirs, path, len) = dirs;
	}
}

static int sync_folders(struct fl_objects *objects, const struct fl_map *dirs,
			struct fl_error *err)
{
	if (dirs->count > FEW_FOLDERS)
		return sync_all(objects, err);
	for (size_t i = 0; i < dirs->count; i++) {
		if (sync_folder(objects, dirs->entries[i].key, err) < 0)
			return -1;
	}
	return 0;
}

/* --- opening ---------------------------------------------------------------
 */

/* returns 1; 0 it is not there; -1 */
static int open_there(struct fl_objects *objects, const char *path,
		      struct fl_error *err)
{
	struct folder *folder;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno == ENOTDIR)
		return fl_error_set(err, FL_ERR_REFUSED, "'%s' is no folder",
				    objects->place);
	if (fd < 0)
		return fault(objects, "open", "", err);
	objects->state = folder = fl_zalloc(sizeof(*folder));
	folder->fd = fd;
	folder->lock = -1;
	return 1;
}

static int open_folder(struct fl_objects *objects, const char *path, bool make,
		       struct fl_error *err)
{
	bool made = false;
	int got;

	objects->place = fl_strdup(fl_show(path, strlen(path), 300));
	if (make) {
		made = mkdir(path, 0777) == 0;
		if (!made && errno != EEXIST && errno != EISDIR)
			return fl_error_set(err, FL_ERR_IO,
					    "cannot make '%s': %s",
					    objects->place, strerror(errno));
	}
	got = open_there(objects, path, err);
	if (got == 0 && make) {
		errno = ENOENT;
		return fault(objects, "open", "", err);
	}
	if (got > 0 && made && sync_folder(objects, "..", err) < 0)
		return -1;
	return got;
}

static void close_folder(struct fl_objects *objects)
{
	struct folder *folder = objects->state;

	if (folder->lock >= 0)
		close(folder->lock);
	close(folder->fd);
	free(folder->stuck);
	free(folder);
}

/* The folder of a path; free() it. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? fl_strndup(path, (size_t)(slash - path)) : fl_strdup("");
}

/* The folders before the name; sync: each durable in the one above it. */
static int make_parents(struct fl_objects *objects, const char *path, bool sync,
			struct fl_error *err)
{
	char *dir = fl_strdup(path);
	int result = 0;

	for (char *slash = strchr(dir, '/'); slash && result == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(fd_of(objects), dir, 0777) < 0) {
			if (errno != EEXIST)
				result = fault(objects, "make", dir, err);
		} else if (sync) {
			char *above = folder_of(dir);

			result = sync_folder(objects, above, err);
			free(above);
		}
		*slash = '/';
	}
	free(dir);
	return result;
}

/* --- writing ---------------------------------------------------------------
 */

static int create_fd(struct fl_objects *objects, const char *path,
		     struct fl_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = openat(fd_of(objects), path, flags, 0666);

	if (fd < 0 && errno == ENOENT) {
		if (make_parents(objects, path, true, err) < 0)
			return -1;
		fd = openat(fd_of(objects), path, flags, 0666);
	}
	return fd < 0 ? fault(objects, "write", path, err) : fd;
}

static int create_file(struct fl_objects *objects, const char *path,
		       struct fl_object_out **out, struct fl_error *err)
{
	int fd = create_fd(objects, path, err);

	if (fd < 0)
		return -1;
	*out = fl_zalloc(sizeof(**out));
	(*out)->objects = objects;
	(*out)->path = fl_sprintf("%s%s", objects->place, path);
	(*out)->fd = fd;
	return 0;
}

static int write_file(struct fl_object_out *out, const void *bytes, size_t len,
		      struct fl_error *err)
{
	return fl_write_all(out->fd, bytes, len, out->path, err);
}

/* Sync it where asked to, and close it, also when that fails. */
static int close_fd(struct fl_objects *objects, const char *path, int fd,
		    bool sync, struct fl_error *err)
{
	int result = 0;

	if (sync && fsync(fd) < 0)
		result = fault(objects, "write", path, err);
	if (close(fd) < 0 && result == 0)
		result = fault(objects, "write", path, err);
	return result;
}

/* Of many files each for itself would take long. */
static int seal_file(struct fl_object_out **out, bool keep, bool few,
		     struct fl_error *err)
{
	struct fl_object_out *file = *out;
	struct folder *folder = file->objects->state;
	const char *path = file->path + strlen(file->objects->place);
	int result = close_fd(file->objects, path, file->fd, keep && few, err);

	folder->unsynced = folder->unsynced || !few;
	free(file->path);
	free(file);
	*out = NULL;
	return result;
}

static int settle(struct fl_objects *objects, const char *drafts,
		  struct fl_error *err)
{
	struct folder *folder = objects->state;

	if (folder->unsynced && sync_all(objects, err) < 0)
		return -1;
	if (!folder->unsynced && drafts &&
	    sync_folder(objects, drafts, err) < 0)
		return -1;
	folder->unsynced = false;
	return 0;
}

/* --- names -----------------------------------------------------------------
 */

/* returns 1; 0 the name is taken; -1 */
static int link_to(struct fl_objects *objects, const char *draft,
		   const char *path, struct fl_error *err)
{
	for (int tries = 0; tries < 2; tries++) {
		if (linkat(fd_of(objects), draft, fd_of(objects), path, 0) == 0)
			return 1;
		if (errno == EEXIST)
			return 0;
		if (errno != ENOENT ||
		    make_parents(objects, path, true, err) < 0)
			break;
	}
	return fault(objects, "write", path, err);
}

/* Whoever sees the name sees all of it, and link(2) refuses a name that is
 * taken. */
static int claim(struct fl_objects *objects, const char *draft,
		 const char *path, const void *bytes, size_t len,
		 struct fl_error *err)
{
	char *dir = folder_of(path);
	char *shown = fl_sprintf("%s%s", objects->place, path);
	int fd = create_fd(objects, draft, err);
	int result = fd < 0 ? -1 : fl_write_all(fd, bytes, len, shown, err);

	if (fd >= 0 && close_fd(objects, path, fd, result == 0, err) < 0)
		result = -1;
	if (result == 0)
		result = link_to(objects, draft, path, err);
	if (fd >= 0)
		unlinkat(fd_of(objects), draft, 0);
	if (result > 0 && sync_folder(objects, dir, err) < 0)
		result = 2;
	free(shown);
	free(dir);
	return result;
}

/* link(2) is what it is on every file system that may hold a lake. */
static int prove(struct fl_objects *objects, const char *path,
		 const void *bytes, size_t len, struct fl_error *err)
{
	(void)objects;
	(void)path;
	(void)bytes;
	(void)len;
	(void)err;
	return 0;
}

/* Rename, over what may be there; folders before the new name are made.
 * returns 1; 2 folders were made; 0 there is no `from` (any more); -1 */
static int rename_to(struct fl_objects *objects, const char *from,
		     const char *to, struct fl_error *err)
{
	int dir = fd_of(objects);

	if (renameat(dir, from, dir, to) == 0)
		return 1;
	if (errno != ENOENT)
		return fault(objects, "write", to, err);
	if (faccessat(dir, from, F_OK, 0) < 0)
		return 0;
	if (make_parents(objects, to, false, err) < 0)
		return -1;
	if (renameat(dir, from, dir, to) == 0)
		return 2;
	return errno == ENOENT ? 0 : fault(objects, "write", to, err);
}

/* While we hold the lock of our drafts nobody removes them, so `ours` says
 * nothing new. */
static int publish(struct fl_objects *objects,
		   const struct fl_lake_named *named, size_t count, bool ours,
		   struct fl_error *err)
{
	struct fl_map dirs = FL_MAP_INIT;
	int result = 0;

	(void)ours;
	for (size_t i = 0; i < count && result == 0; i++) {
		int got = rename_to(objects, named[i].from, named[i].to, err);

		if (got < 0)
			result = -1;
		/* Who put it there before us may have died before this. */
		add_folders(&dirs, named[i].to, got != 1);
		fl_crash_at("lake_published", i + 1);
	}
	if (result == 0)
		result = sync_folders(objects, &dirs, err);
	fl_map_release(&dirs, NULL);
	return result;
}

/* A folder in which something is stays. */
static void remove_name(struct fl_objects *objects, const char *path)
{
	struct folder *folder = objects->state;
	int result = unlinkat(fd_of(objects), path, 0);

	if (result < 0 && errno == EISDIR)
		result = unlinkat(fd_of(objects), path, AT_REMOVEDIR);
	if (result == 0 || errno == ENOENT || errno == ENOTEMPTY ||
	    errno == EEXIST || folder->stuck)
		return;
	folder->stuck_errno = errno;
	folder->stuck = fl_strdup(path);
}

static int removed(struct fl_objects *objects, struct fl_error *err)
{
	struct folder *folder = objects->state;
	char *path = folder->stuck;

	if (!path)
		return 0;
	folder->stuck = NULL;
	errno = folder->stuck_errno;
	fault(objects, "remove", path, err);
	free(path);
	return -1;
}

/* --- reading ---------------------------------------------------------------
 */

static int get_file(struct fl_objects *objects, const char *path,
		    struct fl_object_in **in, struct fl_error *err)
{
	int fd = openat(fd_of(objects), path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : fault(objects, "open", path, err);
	*in = fl_zalloc(sizeof(**in));
	(*in)->objects = objects;
	(*in)->path = fl_strdup(path);
	(*in)->fd = fd;
	return 1;
}

static ssize_t pull_file(void *arg, void *bytes, size_t size,
			 struct fl_error *err)
{
	struct fl_object_in *in = arg;
	ssize_t got;

	if (in->wanted && size > in->wanted)
		size = (size_t)in->wanted;
	do {
		got = read(in->fd, bytes, size);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return fault(in->objects, "read", in->path, err);
	in->wanted -= in->wanted ? (uint64_t)got : 0;
	return got;
}

static void seek_file(void *arg, uint64_t at, uint64_t count)
{
	struct fl_object_in *in = arg;

	/* What cannot be sought is found out by who reads. */
	(void)lseek(in->fd, (off_t)at, SEEK_SET);
	in->wanted = count;
}

static void end_file(struct fl_object_in **in)
{
	close((*in)->fd);
	free((*in)->path);
	free(*in);
	*in = NULL;
}

static int list_folder(struct fl_objects *objects, const char *path,
		       int (*each)(void *arg, const char *name), void *arg,
		       struct fl_error *err)
{
	int fd = openat(fd_of(objects), *path ? path : ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!dir) {
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		fault(objects, "read", path, err);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (result == 0 && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			result = each(arg, entry->d_name);
	}
	if (result == 0 && errno)
		result = fault(objects, "read", path, err);
	closedir(dir);
	return result;
}

static int64_t changed(struct fl_objects *objects, const char *path)
{
	struct stat st;

	if (fstatat(fd_of(objects), path, &st, 0) < 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * FL_SECOND + st.st_mtim.tv_nsec;
}

static bool is_restless(struct fl_objects *objects, const char *path,
			int64_t before)
{
	int64_t now = changed(objects, path);

	/* A file system's clock ticks a few hundred times a second. */
	return now != before || fl_now_ns() - now < FL_SECOND / 100;
}

/* --- who lives -------------------------------------------------------------
 */

/* Take the lock of a path, which the process holds until it closes the
 * descriptor or dies. returns it; -1 somebody else has it, or no such path */
static int lock_path(struct fl_objects *objects, const char *path)
{
	int fd = openat(fd_of(objects), path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Seconds since the path was last changed; -1 when it is not there. */
static int64_t age_of(struct fl_objects *objects, const char *path)
{
	struct stat st;

	if (fstatat(fd_of(objects), path, &st, 0) < 0)
		return -1;
	return time(NULL) > st.st_mtime ? time(NULL) - st.st_mtime : 0;
}

static int hold(struct fl_objects *objects, const char *drafts,
		struct fl_error *err)
{
	char *lock = fl_sprintf("%s/lock", drafts);
	struct folder *folder = objects->state;
	int fd = create_fd(objects, lock, err);

	if (fd >= 0) {
		close(fd);
		folder->lock = lock_path(objects, lock);
	}
	free(lock);
	return fd < 0 ? -1 : 0;
}

static void let_go(struct fl_objects *objects, const char *drafts)
{
	char *lock = fl_sprintf("%s/lock", drafts);

	remove_name(objects, lock);
	remove_name(objects, drafts);
	free(lock);
}

/* A writer holds the lock of its folder while it lives; the age is for those
 * who have made one and not locked it yet, and for file systems without locks.
 */
static bool is_abandoned(struct fl_objects *objects, const char *drafts,
			 int *lock)
{
	char *path = fl_sprintf("%s/lock", drafts);
	bool locked = age_of(objects, path) >= 0;
	bool old = age_of(objects, drafts) >= STALE_S;

	if (old)
		*lock = lock_path(objects, path);
	free(path);
	return old && (*lock >= 0 || !locked);
}

const struct fl_objects_ops fl_objects_folder = {
	.open = open_folder,
	.close = close_folder,
	.hold = hold,
	.let_go = let_go,
	.is_abandoned = is_abandoned,
	.create = create_file,
	.write = write_file,
	.seal = seal_file,
	.settle = settle,
	.claim = claim,
	.prove = prove,
	.publish = publish,
	.get = get_file,
	.pull = pull_file,
	.seek = seek_file,
	.end = end_file,
	.list = list_folder,
	.changed = changed,
	.is_restless = is_restless,
	.remove = remove_name,
	.removed = removed,
};
