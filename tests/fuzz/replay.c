/* Runs a fuzz target on files, and on every prefix of small ones: the corpus as
 * an ordinary test, under any compiler. replay FILE|DIRECTORY… */

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Files up to here are also replayed cut at each byte. */
#define PREFIX_BYTES 600
#define FILE_MAX_BYTES ((size_t)1 << 20)

static bool
replay_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (!file) {
        perror(path);
        return false;
    }
    static uint8_t data[FILE_MAX_BYTES];
    size_t size = fread(data, 1, sizeof(data), file);
    (void)fclose(file);
    for (size_t len = size < PREFIX_BYTES ? 0 : size; len <= size; len++) {
        /* of its own, so that a sanitizer sees reads beyond the end */
        uint8_t *copy = malloc(len ? len : 1);
        if (!copy)
            return false;
        memcpy(copy, data, len);
        (void)LLVMFuzzerTestOneInput(copy, len);
        free(copy);
    }
    return true;
}

static bool
replay(const char *path, int *count)
{
    struct stat info;
    if (stat(path, &info)) {
        perror(path);
        return false;
    }
    if (!S_ISDIR(info.st_mode)) {
        ++*count;
        return replay_file(path);
    }
    DIR *directory = opendir(path);
    if (!directory) {
        perror(path);
        return false;
    }
    bool is_good = true;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        is_good = replay(name, count) && is_good;
    }
    (void)closedir(directory);
    return is_good;
}

int
main(int argc, char **argv)
{
    bool is_good = true;
    int count = 0;
    for (int i = 1; i < argc; i++)
        is_good = replay(argv[i], &count) && is_good;
    printf("%d files replayed\n", count);
    return is_good && count ? EXIT_SUCCESS : EXIT_FAILURE;
}
