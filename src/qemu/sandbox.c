#include "qemu/sandbox.h"

#ifdef __linux__

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elf.h>

/* More program headers or dynamic entries than any linker writes. */
#define MAX_HEADERS 256
#define MAX_DYNAMIC 1024

/* A 64-bit ELF file of this machine's byte order, in memory. Every offset in
 * it is checked before it is followed. */
struct image {
    const unsigned char *bytes;
    size_t len;
};

/* Copies a structure out, which may stand at any offset. */
static bool
take(const struct image *image, uint64_t offset, void *ret_object, size_t size)
{
    if (size > image->len || offset > image->len - size)
        return false;
    memcpy(ret_object, image->bytes + offset, size);
    return true;
}

static bool
take_segment(const struct image *image, const Elf64_Ehdr *header,
             unsigned index, Elf64_Phdr *ret_segment)
{
    return index < header->e_phnum && index < MAX_HEADERS &&
           header->e_phentsize == sizeof(*ret_segment) &&
           take(image, header->e_phoff + index * sizeof(*ret_segment),
                ret_segment, sizeof(*ret_segment));
}

/* The place in the file of an address in memory; 0 when there is none. */
static uint64_t
file_offset(const struct image *image, const Elf64_Ehdr *header,
            uint64_t address)
{
    Elf64_Phdr segment;
    for (unsigned i = 0; take_segment(image, header, i, &segment); i++) {
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address - segment.p_vaddr < segment.p_filesz)
            return segment.p_offset + (address - segment.p_vaddr);
    }
    return 0;
}

static bool
has_prefix_at(const struct image *image, uint64_t offset, const char *prefix)
{
    size_t len = strlen(prefix);
    return len <= image->len && offset <= image->len - len &&
           !memcmp(image->bytes + offset, prefix, len);
}

/* Whether a library whose name begins so is among those the file needs. */
static bool
needs_library(const struct image *image, const char *prefix)
{
    Elf64_Ehdr header;
    if (!take(image, 0, &header, sizeof(header)) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    Elf64_Phdr dynamic = {0};
    unsigned at = 0;
    while (take_segment(image, &header, at, &dynamic) &&
           dynamic.p_type != PT_DYNAMIC)
        at++;
    if (dynamic.p_type != PT_DYNAMIC)
        return false;
    Elf64_Dyn entry;
    uint64_t strings = 0;
    for (unsigned i = 0; i < MAX_DYNAMIC; i++) {
        if (!take(image, dynamic.p_offset + i * sizeof(entry), &entry,
                  sizeof(entry)) ||
            entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_STRTAB)
            strings = file_offset(image, &header, entry.d_un.d_ptr);
    }
    for (unsigned i = 0; strings && i < MAX_DYNAMIC; i++) {
        if (!take(image, dynamic.p_offset + i * sizeof(entry), &entry,
                  sizeof(entry)) ||
            entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_NEEDED &&
            has_prefix_at(image, strings + entry.d_un.d_val, prefix))
            return true;
    }
    return false;
}

bool
sandbox_is_supported(const char *program)
{
    int fd = open(program, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return false;
    struct stat info;
    bool is_supported = false;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        size_t len = (size_t)info.st_size;
        void *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) {
            struct image image = {bytes, len};
            is_supported = needs_library(&image, "libseccomp.so");
            (void)munmap(bytes, len);
        }
    }
    (void)close(fd);
    return is_supported;
}

#else

bool
sandbox_is_supported(const char *program)
{
    (void)program;
    return false;
}

#endif
