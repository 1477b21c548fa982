#include "qemu/image-header.h"

#include "base/xalloc.h"
#include "qemu/qcow2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECTOR 512u
/* Longest name of what lies below, and longest VMDK descriptor, bytes. */
#define NAME_MAX_BYTES 1023u
#define DESCRIPTOR_MAX_BYTES (64u << 10)
/* Entries of VHDX's tables that are looked through; its limit is 2047. */
#define TABLE_MAX_ENTRIES 2047u
/* Where VHDX has its first region table, bytes. */
#define VHDX_REGIONS_AT (192u << 10)
/* Sectors of the largest geometry that a VHD footer can say: its size counts
 * then (QEMU's block/vpc.c). */
#define VHD_MAX_GEOMETRY (UINT64_C(65535) * 16 * 255)

struct image {
    int fd;
    uint64_t file_bytes;
    struct image_header *header;
};

static bool
read_at(const struct image *image, uint64_t at, void *bytes, size_t len)
{
    size_t have = 0;
    while (at <= INT64_MAX - len && have < len) {
        ssize_t got = pread(image->fd, (char *)bytes + have, len - have,
                            (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    return have == len;
}

static uint64_t
little(const unsigned char *at, unsigned len)
{
    uint64_t number = 0;
    for (unsigned i = len; i > 0; i--)
        number = number << 8 | at[i - 1];
    return number;
}

static uint64_t
big(const unsigned char *at, unsigned len)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < len; i++)
        number = number << 8 | at[i];
    return number;
}

/* The name that stands at a place, or NULL. The caller frees it. */
static char *
read_name(const struct image *image, uint64_t at, uint64_t len)
{
    char name[NAME_MAX_BYTES + 1] = "";
    if (!at || !len || len > NAME_MAX_BYTES ||
        !read_at(image, at, name, (size_t)len))
        return NULL;
    return xstrdup(name);
}

/* Formats ------------------------------------------------------------------ */

/* QEMU's docs/interop/qed_spec.txt. */
static bool
read_qed(const struct image *image)
{
    unsigned char bytes[64];
    if (!read_at(image, 0, bytes, sizeof(bytes)))
        return false;
    uint64_t features = little(bytes + 16, 8);
    image->header->virtual_bytes = little(bytes + 48, 8);
    if (features & 1)
        image->header->backing =
            read_name(image, little(bytes + 56, 4), little(bytes + 60, 4));
    if (image->header->backing && features & 4)
        image->header->backing_format = xstrdup("raw");
    return true;
}

/* qcow, the first: QEMU's block/qcow.c. */
static bool
read_qcow(const struct image *image)
{
    unsigned char bytes[32];
    if (!read_at(image, 0, bytes, sizeof(bytes)) || big(bytes + 4, 4) != 1)
        return false;
    image->header->virtual_bytes = big(bytes + 24, 8);
    image->header->backing =
        read_name(image, big(bytes + 8, 8), big(bytes + 16, 4));
    return true;
}

/* VirtualBox's: QEMU's block/vdi.c. */
static bool
read_vdi(const struct image *image)
{
    unsigned char bytes[8];
    if (!read_at(image, 0x170, bytes, sizeof(bytes)))
        return false;
    image->header->virtual_bytes = little(bytes, 8);
    return true;
}

/* The text of a VMDK descriptor, zero-terminated; NULL: none. */
static char *
read_descriptor(const struct image *image, uint64_t at, uint64_t len)
{
    if (!len || len > DESCRIPTOR_MAX_BYTES)
        return NULL;
    char *text = xcalloc(1, (size_t)len + 1);
    if (read_at(image, at, text, (size_t)len))
        return text;
    free(text);
    return NULL;
}

/* parentFileNameHint="NAME" names what lies below. */
static void
take_parent(const struct image *image, const char *text)
{
    static const char key[] = "parentFileNameHint=\"";
    const char *name = text ? strstr(text, key) : NULL;
    if (name) {
        name += strlen(key);
        image->header->backing = xstrndup(name, strcspn(name, "\"\n"));
    }
}

/* VMware's with one sparse file. */
static bool
read_vmdk(const struct image *image)
{
    unsigned char bytes[44];
    if (!read_at(image, 0, bytes, sizeof(bytes)))
        return false;
    image->header->virtual_bytes = little(bytes + 12, 8) * SECTOR;
    char *text = read_descriptor(image, little(bytes + 28, 8) * SECTOR,
                                 little(bytes + 36, 8) * SECTOR);
    take_parent(image, text);
    free(text);
    return true;
}

/* VMware's with a descriptor of its own: "RW SECTORS FLAT "FILE" 0" for each
 * file. */
static bool
read_vmdk_descriptor(const struct image *image)
{
    uint64_t sectors = 0;
    uint64_t len = image->file_bytes < DESCRIPTOR_MAX_BYTES
                       ? image->file_bytes
                       : DESCRIPTOR_MAX_BYTES;
    char *text = read_descriptor(image, 0, len);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += strspn(line, "\n");
        if (!strncmp(line, "RW ", 3) || !strncmp(line, "RDONLY ", 7))
            sectors += strtoull(strchr(line, ' '), NULL, 10);
    }
    image->header->virtual_bytes = sectors * SECTOR;
    take_parent(image, text);
    free(text);
    return sectors > 0;
}

/* An entry of a VHDX table, found by its GUID: entries of 32 bytes. */
static bool
find_entry(const struct image *image, uint64_t first, uint64_t count,
           const unsigned char guid[16], unsigned char ret[32])
{
    for (uint64_t i = 0; i < count && i < TABLE_MAX_ENTRIES; i++) {
        if (read_at(image, first + 32 * i, ret, 32) && !memcmp(ret, guid, 16))
            return true;
    }
    return false;
}

/* Hyper-V's: MS-VHDX, 2.2.3 and 2.6. */
static bool
read_vhdx(const struct image *image)
{
    static const unsigned char metadata[16] = {
        0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B,
        0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E};
    static const unsigned char disk_size[16] = {
        0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48,
        0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8};
    unsigned char head[12];
    unsigned char entry[32];
    if (!read_at(image, VHDX_REGIONS_AT, head, sizeof(head)) ||
        memcmp(head, "regi", 4) != 0 ||
        !find_entry(image, VHDX_REGIONS_AT + 16, little(head + 8, 4), metadata,
                    entry))
        return false;
    uint64_t table = little(entry + 16, 8);
    if (!read_at(image, table, head, sizeof(head)) ||
        memcmp(head, "metadata", 8) != 0 ||
        !find_entry(image, table + 32, little(head + 10, 2), disk_size,
                    entry) ||
        !read_at(image, table + little(entry + 16, 4), head, 8))
        return false;
    image->header->virtual_bytes = little(head, 8);
    return true;
}

/* Whether a VHD's maker means its size, rather than its geometry, as QEMU's
 * block/vpc.c has it. */
static bool
is_size_meant(const unsigned char *creator)
{
    static const char *const creators[] = {"win ", "qem2", "d2v ", "tap",
                                           "CTXS"};
    for (size_t i = 0; i < COUNT(creators); i++) {
        size_t len = strlen(creators[i]) < 4 ? 4 : strlen(creators[i]);
        if (!memcmp(creator, creators[i], len))
            return true;
    }
    return false;
}

/* Virtual PC's: a footer, of which dynamic ones have a copy in front. */
static bool
read_vpc(const struct image *image, uint64_t footer_at)
{
    unsigned char footer[64];
    if (!read_at(image, footer_at, footer, sizeof(footer)) ||
        memcmp(footer, "conectix", 8) != 0)
        return false;
    uint64_t sectors = big(footer + 56, 2) * footer[58] * footer[59];
    if (is_size_meant(footer + 28) || sectors == VHD_MAX_GEOMETRY)
        image->header->virtual_bytes = big(footer + 48, 8);
    else
        image->header->virtual_bytes = sectors * SECTOR;
    return true;
}

static bool
read_vpc_in_front(const struct image *image)
{
    return read_vpc(image, 0);
}

static bool
read_vpc_at_end(const struct image *image)
{
    return image->file_bytes >= SECTOR &&
           read_vpc(image, image->file_bytes - SECTOR);
}

/* Parallels': QEMU's docs/interop/parallels.txt. Of the older kind the upper
 * half of the size is something else. */
static bool
read_parallels(const struct image *image)
{
    unsigned char bytes[44];
    if (!read_at(image, 0, bytes, sizeof(bytes)))
        return false;
    bool is_older = !memcmp(bytes, "WithoutFreeSpace", 16);
    image->header->virtual_bytes =
        little(bytes + 36, is_older ? 4 : 8) * SECTOR;
    return true;
}

/* LUKS, version 1: the content begins behind the keys. */
static bool
read_luks(const struct image *image)
{
    unsigned char bytes[108];
    if (!read_at(image, 0, bytes, sizeof(bytes)) || big(bytes + 6, 2) != 1)
        return false;
    uint64_t payload = big(bytes + 104, 4) * SECTOR;
    if (payload < image->file_bytes)
        image->header->virtual_bytes = image->file_bytes - payload;
    return true;
}

static bool
read_raw(const struct image *image)
{
    image->header->virtual_bytes = image->file_bytes;
    return true;
}

/* read NULL: qcow2.h reads it. */
static const struct format {
    const char *name;
    const char *magic;
    size_t magic_len;
    uint64_t magic_at;
    bool (*read)(const struct image *image);
} formats[] = {
    {"qcow2", "QFI\xFB\0\0\0\2", 8, 0, NULL},
    {"qcow2", "QFI\xFB\0\0\0\3", 8, 0, NULL},
    {"qcow", "QFI\xFB\0\0\0\1", 8, 0, read_qcow},
    {"qed", "QED\0", 4, 0, read_qed},
    {"vmdk", "KDMV", 4, 0, read_vmdk},
    {"vmdk", "# Disk DescriptorFile", 21, 0, read_vmdk_descriptor},
    {"vhdx", "vhdxfile", 8, 0, read_vhdx},
    {"vpc", "conectix", 8, 0, read_vpc_in_front},
    {"parallels", "WithoutFreeSpace", 16, 0, read_parallels},
    {"parallels", "WithouFreSpacExt", 16, 0, read_parallels},
    {"luks", "LUKS\xBA\xBE", 6, 0, read_luks},
    {"vdi", "\x7F\x10\xDA\xBE", 4, 0x40, read_vdi},
};

static const struct format raw = {"raw", "", 0, 0, read_raw};
/* Has to be said: its beginning is the disk's. */
static const struct format fixed_vpc = {"vpc", "", 0, 0, read_vpc_at_end};

/* The format of an image; NULL: not what is said. */
static const struct format *
find_format(const struct image *image, const char *said)
{
    if (said && !strcmp(said, "raw"))
        return &raw;
    for (size_t i = 0; i < COUNT(formats); i++) {
        const struct format *format = &formats[i];
        char magic[32];
        if ((!said || !strcmp(said, format->name)) &&
            read_at(image, format->magic_at, magic, format->magic_len) &&
            !memcmp(magic, format->magic, format->magic_len))
            return format;
    }
    return !said ? &raw : !strcmp(said, "vpc") ? &fixed_vpc : NULL;
}

static bool
read_qcow2(const char *path, struct image_header *header)
{
    struct qcow2_header found = {0};
    if (!qcow2_read_header(path, &found, NULL))
        return false;
    header->virtual_bytes = found.virtual_bytes;
    header->backing = found.backing;
    header->backing_format = found.backing_format;
    return true;
}

bool
image_header_read(const char *path, const char *said, struct image_header *ret)
{
    struct image_header header = {0};
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool ok = fstat(fd, &info) == 0 &&
              (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode));
    off_t end = ok ? lseek(fd, 0, SEEK_END) : -1;
    struct image image = {fd, end > 0 ? (uint64_t)end : 0, &header};
    const struct format *format = ok ? find_format(&image, said) : NULL;
    header.format = format ? format->name : NULL;
    ok = format &&
         (format->read ? format->read(&image) : read_qcow2(path, &header));
    (void)close(fd);
    if (!ok) {
        image_header_finish(&header);
        return false;
    }
    if (header.virtual_bytes > INT64_MAX)
        header.virtual_bytes = 0;
    *ret = header;
    return true;
}

void
image_header_finish(struct image_header *header)
{
    free(header->backing);
    free(header->backing_format);
    *header = (struct image_header){0};
}

char *
image_header_backing_path(const char *path, const struct image_header *header)
{
    struct qcow2_header below = {.backing = header->backing};
    return qcow2_backing_path(path, &below);
}
