"""Ports nobody else uses: below the kernel's ephemeral range, so that no client's own port can take one."""

import os
import socket

_next = 20000 + (os.getpid() * 97) % 10000


def _free(port):
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def free_port():
    """A port that is free on both loopback addresses, another one each time."""
    global _next
    while True:
        _next = 20000 + (_next - 20000 + 1) % 12000
        if _free(_next):
            return _next


def other_local_address():
    """This machine's own address beside loopback, or None. Nothing is sent: the kernel only picks a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address
