#pragma once

#include "base/error.h"
#include "server/switch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* One end of a cable between a guest's QEMU and the switch: a unix stream
 * socket on which QEMU listens (-netdev stream,server=on), each frame behind
 * its length in four bytes, big-endian. When the server dies QEMU listens again
 * and drops what the guest sends; the next server connects. */
struct lan_port;

/* Most bytes that wait for a QEMU that does not take them; what comes then is
 * lost. */
#define LAN_PORT_QUEUE_BYTES (256u << 10)
/* Bytes that are read at once, so that no port keeps the loop for long. */
#define LAN_PORT_READ_BYTES (64u << 10)
/* Room that a read needs: a frame's beginning may stand before it. */
#define LAN_PORT_SCRATCH_BYTES (LAN_PORT_READ_BYTES + 4u + SWITCH_FRAME_MAX)

struct lan_port_handlers {
    /* frame: borrowed, at most SWITCH_FRAME_MAX bytes. */
    void (*on_frame)(void *data, const uint8_t *frame, size_t len);
    /* One that was longer, and is passed over. */
    void (*on_long)(void *data);
    /* All frames of one read were told. */
    void (*on_batch)(void *data);
    /* It was connected, or is not any more. */
    void (*on_change)(void *data);
};

/* scratch: LAN_PORT_SCRATCH_BYTES, shared by all ports of a loop. handlers,
 * data, scratch: borrowed. */
struct lan_port *lan_port_new(uv_loop_t *loop, uint8_t *scratch,
                              const struct lan_port_handlers *handlers,
                              void *data);
void lan_port_free(struct lan_port *port);

/* Connects to a QEMU's socket, and again whenever that breaks; path NULL: lets
 * go. Nothing when it is the same as before. */
void lan_port_connect(struct lan_port *port, const char *path);

/* Queues a frame; false when there is no room, or nobody there. */
bool lan_port_send(struct lan_port *port, const uint8_t *frame, size_t len);
/* Writes what is queued as far as QEMU takes it. */
void lan_port_flush(struct lan_port *port);

bool lan_port_is_connected(const struct lan_port *port);
