#pragma once

#include "base/xalloc.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory of a test's own, and files in it. */

/* The caller frees the path and removes the directory (scratch_remove). */
static inline char *
scratch_new(void)
{
    char *path = xstrdup("/tmp/guestmux-test-XXXXXX");
    if (!mkdtemp(path))
        abort();
    return path;
}

/* DIRECTORY/NAME; the caller frees it. */
static inline char *
scratch_path(const char *directory, const char *name)
{
    return xasprintf("%s/%s", directory, name);
}

/* Removes a directory with all that is in it; frees path. */
static inline void
scratch_remove(char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry = NULL;
    while (directory && (entry = readdir(directory))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        char *inner = scratch_path(path, entry->d_name);
        struct stat info;
        if (lstat(inner, &info) == 0 && S_ISDIR(info.st_mode)) {
            scratch_remove(inner);
            continue;
        }
        (void)unlink(inner);
        free(inner);
    }
    if (directory)
        (void)closedir(directory);
    (void)rmdir(path);
    free(path);
}

static inline void
scratch_write(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "we");
    if (!file || fwrite(text, 1, len, file) != len || fclose(file) != 0)
        abort();
}

/* The file's content, terminated; the caller frees it. NULL: none. */
static inline char *
scratch_read(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *text = xcalloc(1, 65536);
    size_t got = fread(text, 1, 65535, file);
    text[got] = '\0';
    (void)fclose(file);
    return text;
}

/* Permission bits; 0 when there is no such file. */
static inline unsigned
scratch_mode(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 ? info.st_mode & 07777u : 0;
}
