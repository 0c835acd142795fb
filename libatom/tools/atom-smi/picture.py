#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes a picture (SVG) of what `atom-smi top` shows after some seconds: picture.py ATOM-SMI SECONDS OUT.svg"""
import fcntl
import html
import os
import pty
import select
import struct
import sys
import termios
import time

import pyte

COLUMNS, LINES = 112, 20
CHARACTER = (7.8, 17)  # points
MARGIN = 12
COLOURS = {"default": "#d0d0d0", "green": "#4ec94e", "brown": "#e0b030", "red": "#f05050"}  # pyte says brown for yellow


def watch(program, seconds):
    """The screen of the program after so many seconds."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        os.execve(program, [program, "top"], dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8"))
    until = time.monotonic() + seconds
    while (rest := until - time.monotonic()) > 0:
        if select.select([terminal], [], [], rest)[0]:
            stream.feed(os.read(terminal, 65536))
    os.write(terminal, b"q")
    os.waitpid(pid, 0)
    return screen


def runs_of(line):
    """Text of a line in pieces of one look: (column, text, colour, bold)."""
    runs = []
    for column in range(COLUMNS):
        cell = line[column]
        look = (COLOURS.get(cell.fg, COLOURS["default"]), cell.bold)
        if runs and runs[-1][2:] == look:
            runs[-1] = (runs[-1][0], runs[-1][1] + cell.data, *look)
        else:
            runs.append((column, cell.data, *look))
    return [run for run in runs if run[1].strip()]


def draw(screen):
    width, height = COLUMNS * CHARACTER[0] + 2 * MARGIN, LINES * CHARACTER[1] + 2 * MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" font-family="monospace" font-size="13">',
           '<title>atom-smi top</title>', '<rect width="100%" height="100%" rx="8" fill="#181818"/>']
    for number in range(LINES):
        for column, text, colour, bold in runs_of(screen.buffer[number]):
            blanks = len(text) - len(text.lstrip())
            text = text.strip()
            x, y = MARGIN + (column + blanks) * CHARACTER[0], MARGIN + (number + 0.75) * CHARACTER[1]
            weight = ' font-weight="bold"' if bold else ""
            out.append(f'<text x="{x:.1f}" y="{y:.1f}" textLength="{len(text) * CHARACTER[0]:.1f}" fill="{colour}"{weight} '
                       f'xml:space="preserve">{html.escape(text)}</text>')
    return "\n".join([*out, "</svg>", ""])


if __name__ == "__main__":
    with open(sys.argv[3], "w", encoding="utf-8") as picture:
        picture.write(draw(watch(sys.argv[1], float(sys.argv[2]))))
