/* PL_SHADOW holds what a disk would hold if the power went now and nothing unsynced had survived of the folder PL_ROOT:
   after each successful fsync or fdatasync the file is copied there; after that of a folder, what was deleted goes.
   The copy reads the same descriptor: opening and closing the file once more would drop SQLite's POSIX locks. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONG (PATH_MAX * 2)
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void forget_deleted(const char *root, const char *shadow) {
    char path[LONG];
    struct dirent *entry;
    DIR *folder = opendir(shadow);
    if (!folder) abort();
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", root, entry->d_name);
        if (!access(path, F_OK)) continue;
        snprintf(path, sizeof path, "%s/%s", shadow, entry->d_name);
        unlink(path);
    }
    closedir(folder);
}

static void copy(int file, const char *target) {
    char temporary[LONG + 8], piece[65536];
    ssize_t size;
    off_t at = 0;
    snprintf(temporary, sizeof temporary, "%s.new", target);
    int out = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (out < 0) abort();
    for (; (size = pread(file, piece, sizeof piece, at)) > 0; at += size)
        if (write(out, piece, size) != size) abort();
    close(out);
    if (rename(temporary, target)) abort();
}

static void keep(int file) {
    const char *root = getenv("PL_ROOT"), *shadow = getenv("PL_SHADOW");
    char link[64], path[PATH_MAX], target[LONG];
    struct stat what;
    if (!root || !shadow) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return;
    path[size] = 0;
    if (strncmp(path, root, strlen(root)) || fstat(file, &what)) return;
    pthread_mutex_lock(&one_at_a_time);
    if (S_ISDIR(what.st_mode)) {
        forget_deleted(root, shadow);
    } else {
        snprintf(target, sizeof target, "%s/%s", shadow, strrchr(path, '/') + 1);
        copy(file, target);
    }
    pthread_mutex_unlock(&one_at_a_time);
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int failed = real(file);
    if (!failed) keep(file);
    return failed;
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int failed = real(file);
    if (!failed) keep(file);
    return failed;
}
