/* preload-fault: fails one call of the program, by LD_PRELOAD.
 *
 *	FL_FAULT=KIND:WHICH:HOW  FL_FAULT_COUNT=FILE LD_PRELOAD=preload-fault.so
 *
 * KIND   read    read pread readv recv
 *        write   write pwrite writev send; not to standard error, where the
 *                message about the fault has to go
 *        malloc  malloc calloc realloc reallocarray posix_memalign
 *                aligned_alloc memalign
 *        open fsync (fdatasync, syncfs) rename (renameat, linkat) close mmap
 *        ftruncate
 *        thread  pthread_create
 *        none    nothing: the program runs as without us
 * WHICH  a number k: the k-th such call of the process, from 1; `each`: all
 *        (EINTR: every other one, since a call that is never let through is
 *        no interruption)
 * HOW    EAGAIN EIO ENOSPC ENOMEM EINTR EDQUOT EMFILE EACCES; `short`: fewer
 *bytes than asked for, 7 at most, 1 in a single call. malloc knows ENOMEM
 *        alone, which is the default.
 *
 * The k-th call and nothing else fails: what is failing for good shows in the
 * calls after it, and is another k. Calls are counted from the first line of
 * main, so that the loader's do not count. A call that fails has not been made,
 * but close, after which the descriptor is gone, as Linux does it.
 *
 * FILE gets two numbers of 64 bits in the machine's order, as the program runs,
 * so that they are there however it ends: the calls, and how many were failed.
 * Under AddressSanitizer say ASAN_OPTIONS=verify_asan_link_order=0.
 *
 * SPDX-License-Identifier: Apache-2.0 */
/* The library's checked variants are inline functions under the same names. */
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* The libc's headers know these by other names, or not as functions. */
#undef read
#undef pread
#undef open
#undef openat

enum kind {
	KIND_NONE,
	KIND_READ,
	KIND_WRITE,
	KIND_MALLOC,
	KIND_OPEN,
	KIND_FSYNC,
	KIND_RENAME,
	KIND_CLOSE,
	KIND_MMAP,
	KIND_FTRUNCATE,
	KIND_THREAD,
};

enum {
	SHORT = -1, /* in place of an errno */
	SHORT_BYTES = 7,
	EARLY_BYTES = 64 * 1024,
};

static const char *const kinds[] = {
	[KIND_NONE] = "none",     [KIND_READ] = "read",
	[KIND_WRITE] = "write",   [KIND_MALLOC] = "malloc",
	[KIND_OPEN] = "open",     [KIND_FSYNC] = "fsync",
	[KIND_RENAME] = "rename", [KIND_CLOSE] = "close",
	[KIND_MMAP] = "mmap",     [KIND_FTRUNCATE] = "ftruncate",
	[KIND_THREAD] = "thread",
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "EIO", EIO },       { "ENOSPC", ENOSPC }, { "ENOMEM", ENOMEM },
	{ "EINTR", EINTR },   { "EDQUOT", EDQUOT }, { "EMFILE", EMFILE },
	{ "EACCES", EACCES }, { "EAGAIN", EAGAIN }, { "short", SHORT },
};

static struct {
	enum kind kind;
	uint64_t which; /* 0: each */
	int how;
	uint64_t *counts; /* counted, failed */
	bool on;
} fault;

/* --- what is asked for -------------------------------------------------------
 */

static _Noreturn void misuse(const char *what)
{
	/* Past our own functions, which may be told to fail. */
	syscall(SYS_write, 2, "preload-fault: ", 15);
	syscall(SYS_write, 2, what, strlen(what));
	syscall(SYS_write, 2, "\n", 1);
	syscall(SYS_exit_group, 2);
	for (;;)
		;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

static void read_fault(const char *text)
{
	size_t len = strcspn(text, ":");
	bool known = false;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (is_word(text, len, kinds[i])) {
			fault.kind = (enum kind)i;
			known = true;
		}
	}
	if (!known)
		misuse("FL_FAULT: no such kind of call");
	fault.how = fault.kind == KIND_MALLOC ? ENOMEM : EIO;
	text += len;
	if (*text++ != ':')
		return;
	len = strcspn(text, ":");
	if (!is_word(text, len, "each")) {
		for (size_t i = 0; i < len; i++) {
			if (text[i] < '0' || text[i] > '9')
				misuse("FL_FAULT: which call? a number or each");
			fault.which =
				fault.which * 10 + (uint64_t)(text[i] - '0');
		}
		/* 0 asks for none: to count. */
		if (!fault.which)
			fault.which = UINT64_MAX;
	}
	text += len;
	if (*text++ != ':')
		return;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (strcmp(text, errors[i].name) == 0) {
			fault.how = errors[i].number;
			return;
		}
	}
	misuse("FL_FAULT: no such way to fail");
}

static void open_counts(const char *path)
{
	static uint64_t nowhere[2];
	const size_t size = sizeof(nowhere);
	long fd;
	void *map;

	fault.counts = nowhere;
	if (!path)
		return;
	fd = syscall(SYS_openat, AT_FDCWD, path,
		     O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || syscall(SYS_ftruncate, fd, size) < 0)
		misuse("FL_FAULT_COUNT cannot be opened");
	map = (void *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
			      MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		misuse("FL_FAULT_COUNT cannot be mapped");
	syscall(SYS_close, fd);
	fault.counts = map;
}

static int (*real_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **env)
{
	const char *text = getenv("FL_FAULT");
	int status;

	if (text) {
		open_counts(getenv("FL_FAULT_COUNT"));
		read_fault(text);
		fault.on = fault.kind != KIND_NONE;
	}
	status = real_main(argc, argv, env);
	fault.on = false;
	return status;
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end)
{
	int (*start)(int (*)(int, char **, char **), int, char **,
		     void (*)(void), void (*)(void), void (*)(void), void *);

	*(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
	real_main = main;
	return start(counted_main, argc, argv, init, fini, rtld_fini,
		     stack_end);
}

/* --- when to fail ------------------------------------------------------------
 */

/* Is it this call's turn? Counts it. */
static bool is_due(enum kind kind)
{
	uint64_t number;

	if (!fault.on || fault.kind != kind)
		return false;
	number = __atomic_add_fetch(&fault.counts[0], 1, __ATOMIC_RELAXED);
	if (fault.which ? number != fault.which
			: fault.how == EINTR && number % 2 == 0)
		return false;
	__atomic_add_fetch(&fault.counts[1], 1, __ATOMIC_RELAXED);
	return true;
}

/* true: fail, with errno set. Cuts *size instead where that is asked for. */
static bool fails(enum kind kind, size_t *size)
{
	size_t most = fault.which ? 1 : SHORT_BYTES;

	if (!is_due(kind))
		return false;
	if (fault.how != SHORT) {
		errno = fault.how;
		return true;
	}
	if (size && *size > most)
		*size = most;
	return false;
}

/* The function of that name behind us. */
static void *next(void **known, const char *name)
{
	if (!*known)
		*known = dlsym(RTLD_NEXT, name);
	if (!*known)
		misuse(name);
	return *known;
}

#define NEXT(name)                                                             \
	static void *next_##name;                                              \
	__typeof__(&name) real_##name;                                         \
	*(void **)&real_##name = next(&next_##name, #name)

/* --- input and output --------------------------------------------------------
 */

ssize_t read(int fd, void *bytes, size_t size)
{
	NEXT(read);
	return fails(KIND_READ, &size) ? -1 : real_read(fd, bytes, size);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t at)
{
	NEXT(pread);
	return fails(KIND_READ, &size) ? -1 : real_pread(fd, bytes, size, at);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at)
{
	NEXT(pread64);
	return fails(KIND_READ, &size) ? -1 : real_pread64(fd, bytes, size, at);
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
	NEXT(readv);
	return fails(KIND_READ, NULL) ? -1 : real_readv(fd, parts, count);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	NEXT(recv);
	return fails(KIND_READ, &size) ? -1 : real_recv(fd, bytes, size, flags);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	NEXT(write);
	return fd != 2 && fails(KIND_WRITE, &size)
		       ? -1
		       : real_write(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	NEXT(pwrite);
	return fails(KIND_WRITE, &size) ? -1 : real_pwrite(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
	NEXT(pwrite64);
	return fails(KIND_WRITE, &size) ? -1
					: real_pwrite64(fd, bytes, size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	NEXT(writev);
	return fd != 2 && fails(KIND_WRITE, NULL)
		       ? -1
		       : real_writev(fd, parts, count);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	NEXT(send);
	return fails(KIND_WRITE, &size) ? -1
					: real_send(fd, bytes, size, flags);
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(args, unsigned)
					     : 0;
}

#define OPEN(name, type)                                                       \
	int name(const char *path, int flags, ...)                             \
	{                                                                      \
		va_list args;                                                  \
		mode_t mode;                                                   \
		NEXT(name);                                                    \
		va_start(args, flags);                                         \
		mode = mode_of(flags, args);                                   \
		va_end(args);                                                  \
		return fails(KIND_OPEN, NULL)                                  \
			       ? -1                                            \
			       : real_##name(path, flags, mode);               \
	}
#define OPENAT(name)                                                           \
	int name(int folder, const char *path, int flags, ...)                 \
	{                                                                      \
		va_list args;                                                  \
		mode_t mode;                                                   \
		NEXT(name);                                                    \
		va_start(args, flags);                                         \
		mode = mode_of(flags, args);                                   \
		va_end(args);                                                  \
		return fails(KIND_OPEN, NULL)                                  \
			       ? -1                                            \
			       : real_##name(folder, path, flags, mode);       \
	}

OPEN(open, int)
OPEN(open64, int)
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
	NEXT(close);
	if (!fails(KIND_CLOSE, NULL))
		return real_close(fd);
	real_close(fd);
	errno = fault.how;
	return -1;
}

int fsync(int fd)
{
	NEXT(fsync);
	return fails(KIND_FSYNC, NULL) ? -1 : real_fsync(fd);
}

int fdatasync(int fd)
{
	NEXT(fdatasync);
	return fails(KIND_FSYNC, NULL) ? -1 : real_fdatasync(fd);
}

int syncfs(int fd)
{
	NEXT(syncfs);
	return fails(KIND_FSYNC, NULL) ? -1 : real_syncfs(fd);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	NEXT(renameat);
	return fails(KIND_RENAME, NULL)
		       ? -1
		       : real_renameat(from_folder, from, to_folder, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to,
	   int flags)
{
	NEXT(linkat);
	return fails(KIND_RENAME, NULL)
		       ? -1
		       : real_linkat(from_folder, from, to_folder, to, flags);
}

int rename(const char *from, const char *to)
{
	NEXT(rename);
	return fails(KIND_RENAME, NULL) ? -1 : real_rename(from, to);
}

int ftruncate(int fd, off_t size)
{
	NEXT(ftruncate);
	return fails(KIND_FTRUNCATE, NULL) ? -1 : real_ftruncate(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	NEXT(ftruncate64);
	return fails(KIND_FTRUNCATE, NULL) ? -1 : real_ftruncate64(fd, size);
}

void *mmap(void *at, size_t size, int access, int flags, int fd, off_t from)
{
	NEXT(mmap);
	return fails(KIND_MMAP, NULL)
		       ? MAP_FAILED
		       : real_mmap(at, size, access, flags, fd, from);
}

void *mmap64(void *at, size_t size, int access, int flags, int fd, off64_t from)
{
	NEXT(mmap64);
	return fails(KIND_MMAP, NULL)
		       ? MAP_FAILED
		       : real_mmap64(at, size, access, flags, fd, from);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		   void *(*run)(void *), void *arg)
{
	NEXT(pthread_create);
	return fails(KIND_THREAD, NULL)
		       ? EAGAIN
		       : real_pthread_create(thread, attributes, run, arg);
}

/* --- memory ------------------------------------------------------------------
 *
 * dlsym() allocates itself at times: until the real functions are known, memory
 * comes from here and is never given back. */

static _Alignas(max_align_t) char early[EARLY_BYTES];
static size_t early_used;

static bool is_early(const void *p)
{
	return (const char *)p >= early &&
	       (const char *)p < early + EARLY_BYTES;
}

static void *early_alloc(size_t size)
{
	const size_t align = _Alignof(max_align_t);
	char *p;

	size = (size + align - 1) / align * align + align;
	if (size > EARLY_BYTES - early_used)
		misuse("too much memory is asked for before there is any");
	p = early + early_used;
	early_used += size;
	memcpy(p, &size, sizeof(size)); /* for realloc: with this head */
	return p + align;
}

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*reallocarray)(void *, size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	void (*free)(void *);
	int state; /* 0 unknown, 1 being looked up, 2 known */
} memory;

static bool is_known(void)
{
	if (memory.state == 0) {
		memory.state = 1;
		*(void **)&memory.malloc = dlsym(RTLD_NEXT, "malloc");
		*(void **)&memory.calloc = dlsym(RTLD_NEXT, "calloc");
		*(void **)&memory.realloc = dlsym(RTLD_NEXT, "realloc");
		*(void **)&memory.reallocarray =
			dlsym(RTLD_NEXT, "reallocarray");
		*(void **)&memory.posix_memalign =
			dlsym(RTLD_NEXT, "posix_memalign");
		*(void **)&memory.aligned_alloc =
			dlsym(RTLD_NEXT, "aligned_alloc");
		*(void **)&memory.memalign = dlsym(RTLD_NEXT, "memalign");
		*(void **)&memory.free = dlsym(RTLD_NEXT, "free");
		memory.state = 2;
	}
	return memory.state == 2;
}

void *malloc(size_t size)
{
	if (!is_known())
		return early_alloc(size);
	return fails(KIND_MALLOC, NULL) ? NULL : memory.malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (!is_known())
		return early_alloc(count * size); /* static: zero already */
	return fails(KIND_MALLOC, NULL) ? NULL : memory.calloc(count, size);
}

/* Take memory from the early store along to where it can be freed. */
static void *leave_early(const void *old, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	void *p = is_known() ? memory.malloc(size) : early_alloc(size);
	size_t had;

	memcpy(&had, (const char *)old - align, sizeof(had));
	had -= align;
	if (p)
		memcpy(p, old, had < size ? had : size);
	return p;
}

void *realloc(void *old, size_t size)
{
	if (old && is_early(old))
		return leave_early(old, size);
	if (!is_known())
		return early_alloc(size);
	return fails(KIND_MALLOC, NULL) ? NULL : memory.realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	if (!is_known() || (old && is_early(old)))
		return realloc(old, count * size);
	return fails(KIND_MALLOC, NULL) ? NULL
					: memory.reallocarray(old, count, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	if (!is_known())
		misuse("aligned memory is asked for before there is any");
	return fails(KIND_MALLOC, NULL) ? ENOMEM
					: memory.posix_memalign(p, align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	if (!is_known())
		misuse("aligned memory is asked for before there is any");
	return fails(KIND_MALLOC, NULL) ? NULL
					: memory.aligned_alloc(align, size);
}

void *memalign(size_t align, size_t size);
void *memalign(size_t align, size_t size)
{
	if (!is_known())
		misuse("aligned memory is asked for before there is any");
	return fails(KIND_MALLOC, NULL) ? NULL : memory.memalign(align, size);
}

void free(void *p)
{
	if (p && !is_early(p) && is_known())
		memory.free(p);
}
