"""What consoles print, in the benchmarks: each corpus is a kind of output."""

import random

MIB = 1 << 20


def log_lines(count, seed=1):
    """Lines as a kernel and its services log them, about 80 columns."""
    chance = random.Random(seed)
    texts = (
        "pci 0000:00:1f.2: reg 0x24: [mem 0xfebd1000-0xfebd1fff]",
        "systemd[1]: Started Daily apt download activities.",
        "ata1: SATA link down (SStatus 0 SControl 300)",
        "EXT4-fs (vda1): mounted filesystem with ordered data mode",
        "sshd[812]: Accepted publickey for admin from 10.0.2.2 port 51234",
        "Freeing unused kernel image (initmem) memory: 2612K",
        "audit: type=1400 apparmor=\"STATUS\" operation=\"profile_load\"",
        "input: Power Button as /devices/LNXSYSTM:00/LNXPWRBN:00/input/in",
    )
    clock = 0.0
    for _ in range(count):
        clock += chance.random() / 10
        yield f"[{clock:12.6f}] {chance.choice(texts)}\n"


def htop_screen(chance, rows=50, cols=200, changed=None):
    """One repaint of a process table; changed: the rows that differ, all by
    default."""
    parts = ["\x1b[H"]
    for row in range(rows):
        if changed is not None and row not in changed:
            parts.append("\r\n" if row < rows - 1 else "")
            continue
        cells = (f"\x1b[32m{chance.randrange(99999):7}\x1b[m root      20   0 "
                 f"\x1b[1m{chance.randrange(9999999):8}\x1b[m "
                 f"{chance.randrange(999999):7} {chance.randrange(99999):6} S "
                 f"\x1b[36m{chance.random() * 100:5.1f}\x1b[m "
                 f"{chance.random() * 100:4.1f}  0:{chance.randrange(60):02}."
                 f"{chance.randrange(100):02} \x1b[32m/usr/bin/\x1b[1mprogram"
                 f"{chance.randrange(1000)}\x1b[m --option={row}\x1b[K")
        parts.append(cells + ("\r\n" if row < rows - 1 else ""))
    return "".join(parts)


def repeated(make, size, pieces=40):
    """size bytes of make(chance), a few pieces over and over."""
    chance = random.Random(2)
    texts = [make(chance).encode() for _ in range(pieces)]
    out, total, index = [], 0, 0
    while total < size:
        out.append(texts[index % pieces])
        total += len(out[-1])
        index += 1
    return b"".join(out)


def dense_line(chance):
    """A colour every other cell: what lolcat and chafa make."""
    cells = []
    for _ in range(80):
        colour = (f"\x1b[38;5;{chance.randrange(256)}m"
                  if chance.random() < 0.5 else
                  f"\x1b[38;2;{chance.randrange(256)};"
                  f"{chance.randrange(256)};{chance.randrange(256)}m")
        cells.append(colour + chance.choice("abcdefgh") + "x")
    return "".join(cells) + "\x1b[m\r\n"


def wide_line(chance):
    """CJK, accents made of two characters, emoji."""
    pieces = ("漢字", "かな", "한글", "e\u0301", "ñ", "ü", "→", "✓", "😀",
              "plain", "Größe", "Ελληνικά", "русский")
    return " ".join(chance.choice(pieces) for _ in range(24)) + "\r\n"


def make(name, size):
    """size bytes (about) of that corpus."""
    if name == "log lines":
        return b"".join(line.encode() for line in log_lines(size // 75))
    if name == "y\\r":
        return b"y\r" * (size // 2)
    if name == "htop-like":
        return repeated(htop_screen, size)
    if name == "dense colour":
        return repeated(dense_line, size)
    if name == "UTF-8/wide":
        return repeated(wide_line, size)
    if name == "yes":
        return b"y\n" * (size // 2)
    raise ValueError(name)


# Name -> (MiB a run, MiB/s wanted against the better peer, CPU per MiB).
CORPORA = {
    "log lines": (48, 1.2, 0.7),
    "y\\r": (24, 1.2, 0.7),
    "htop-like": (32, 1.5, 0.5),
    "dense colour": (32, 2.0, 0.5),
    "UTF-8/wide": (16, 2.0, 0.5),
    "yes": (16, 2.0, 0.5),
}
