#include "server/ci-info.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum cell {
    CELL_DEVICE,
    CELL_UP,
    CELL_ADDRESS,
    CELL_MASK,
    CELL_SCOPE,
    CELL_MAC,
    CELL_COUNT
};

/* Wider than any of the table. */
#define CELL_BYTES 64

/* Copies a cell without the blanks around it; one that is too long is empty. */
static void
take_cell(const char *from, size_t len, char cell[CELL_BYTES])
{
    while (len && from[0] == ' ') {
        from++;
        len--;
    }
    while (len && from[len - 1] == ' ')
        len--;
    if (len >= CELL_BYTES)
        len = 0;
    memcpy(cell, from, len);
    cell[len] = '\0';
}

/* Cuts the row behind "ci-info: |" into cells; false when they are too few. */
static bool
cut(const char *row, char cells[CELL_COUNT][CELL_BYTES])
{
    for (size_t i = 0; i < CELL_COUNT; i++) {
        size_t len = strcspn(row, "|");
        if (row[len] != '|')
            return false;
        take_cell(row, len, cells[i]);
        row += len + 1;
    }
    return true;
}

static bool
is_device(const char *text)
{
    if (!*text || strlen(text) >= sizeof(((struct ci_info *)0)->device))
        return false;
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && !strchr("._-:@", *text))
            return false;
    }
    return true;
}

static bool
is_mac(const char *text)
{
    for (int i = 0; i < 17; i++) {
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[17] == '\0';
}

bool
ci_info_parse(const char *line, struct ci_info *ret_info)
{
    static const char mark[] = "ci-info: |";
    char cells[CELL_COUNT][CELL_BYTES];
    unsigned char bytes[16];
    const char *row = strstr(line, mark);
    if (!row || !cut(row + strlen(mark), cells))
        return false;
    char *address = cells[CELL_ADDRESS];
    address[strcspn(address, "/")] = '\0';
    if (strcmp(cells[CELL_UP], "True") != 0 || !is_device(cells[CELL_DEVICE]) ||
        (inet_pton(AF_INET, address, bytes) != 1 &&
         inet_pton(AF_INET6, address, bytes) != 1))
        return false;
    struct ci_info info = {0};
    (void)snprintf(info.device, sizeof(info.device), "%.15s",
                   cells[CELL_DEVICE]);
    (void)snprintf(info.address, sizeof(info.address), "%.45s", address);
    if (is_mac(cells[CELL_MAC]))
        (void)snprintf(info.mac, sizeof(info.mac), "%.17s", cells[CELL_MAC]);
    *ret_info = info;
    return true;
}
