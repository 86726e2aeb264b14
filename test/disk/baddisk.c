/*
 * A disk that fails: preloaded, it refuses to write or to sync the files under BAD_FOLDER with EIO, while
 * the file BAD_FLAG exists. What the flag holds says what is refused: "write", "sync", or both. A write
 * is refused before a byte of it is taken.
 *
 * All that is done to those files is told to BAD_JOURNAL, a line each, so that a test can say what a power
 * cut would have left: W offset length, S (synced), F (its sync failed), T length (cut); then the path.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

/* The path of an open file, when it lies under BAD_FOLDER; else 0. */
static int ours(int fd, char *path, size_t size) {
  const char *folder = getenv("BAD_FOLDER");
  char link[64];
  if (folder == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}

static int refused(const char *what) {
  const char *flag = getenv("BAD_FLAG");
  char text[64] = {0};
  if (flag == NULL) return 0;
  int fd = syscall(SYS_openat, AT_FDCWD, flag, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  return strstr(text, what) != NULL;
}

static void tell(const char *line, int length) {
  const char *journal = getenv("BAD_JOURNAL");
  if (journal == NULL) return;
  int fd = syscall(SYS_openat, AT_FDCWD, journal, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, length);
  syscall(SYS_close, fd);
}

static void told_write(const char *path, off64_t at, ssize_t length) {
  char line[4200];
  if (length > 0) tell(line, snprintf(line, sizeof line, "W %lld %zd %s\n", (long long)at, length, path));
}

#define FAIL return errno = EIO, -1

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  char path[4096];
  int is = ours(fd, path, sizeof path);
  if (is && refused("write")) FAIL;
  ssize_t done = REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t)(fd, bytes, count, at);
  int why = errno;
  if (is) told_write(path, at, done);
  errno = why;
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  return pwrite64(fd, bytes, count, at);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  char path[4096];
  int is = ours(fd, path, sizeof path);
  if (is && refused("write")) FAIL;
  ssize_t done = REAL(ssize_t, "write", int, const void *, size_t)(fd, bytes, count);
  int why = errno;
  if (is) told_write(path, lseek64(fd, 0, SEEK_CUR) - done, done);
  errno = why;
  return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  char path[4096];
  int is = ours(fd, path, sizeof path);
  if (is && refused("write")) FAIL;
  ssize_t done = REAL(ssize_t, "writev", int, const struct iovec *, int)(fd, parts, count);
  int why = errno;
  if (is) told_write(path, lseek64(fd, 0, SEEK_CUR) - done, done);
  errno = why;
  return done;
}

static int synced(int fd, const char *name) {
  char path[4096], line[4200];
  int is = ours(fd, path, sizeof path);
  int bad = is && refused("sync");
  int done = bad ? -1 : REAL(int, name, int)(fd);
  if (is) tell(line, snprintf(line, sizeof line, "%c %s\n", done == 0 ? 'S' : 'F', path));
  if (bad) errno = EIO;
  return done;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

int ftruncate64(int fd, off64_t length) {
  char path[4096], line[4200];
  int is = ours(fd, path, sizeof path);
  if (is && refused("write")) FAIL;
  int done = REAL(int, "ftruncate64", int, off64_t)(fd, length);
  if (is && done == 0) tell(line, snprintf(line, sizeof line, "T %lld %s\n", (long long)length, path));
  return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
