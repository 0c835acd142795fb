# SPDX-License-Identifier: MIT
"""The user's terminal during an interactive session."""

import contextlib
import os
import signal
import socket
import termios
import tty


class RawTerminal:
    """Passes every key to the guest, also ^C, and follows the size of the window."""

    def size(self) -> tuple:
        """Rows and columns."""
        size = os.get_terminal_size(0)
        return size.lines, size.columns

    @contextlib.contextmanager
    def raw(self, on_resize: socket.socket):
        """Raw mode inside of the block; sizes go to `on_resize` as lines "ROWS COLUMNS"."""
        saved = termios.tcgetattr(0)

        def report(*_):
            with contextlib.suppress(OSError):
                on_resize.send(b"%d %d\n" % self.size())

        previous = signal.signal(signal.SIGWINCH, report)
        tty.setraw(0)
        try:
            yield
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
            signal.signal(signal.SIGWINCH, previous)
