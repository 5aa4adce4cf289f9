"""What a running program costs, read from the kernel: CPU time, memory."""

from __future__ import annotations

import time
from pathlib import Path


def process_tree(pid: int) -> list[int]:
    """The process and all its descendants that are alive now."""
    tree = [pid]
    for each in tree:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                tree += [int(child) for child in children.read_text().split()]
            except FileNotFoundError:
                continue
    return tree


def cpu_ns(pids: list[int]) -> int:
    """User and system time of the processes since they began, over all their threads, also those that have ended.

    It is what `/proc/PID/stat` shows as utime + stime, but that counts ticks of 10 ms; the process's CPU clock is the
    same sum in nanoseconds. Its number is that of `clock_getcpuclockid(3)`, which Python has for threads only.
    """
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids)


def waited_ns(pids: list[int]) -> int:
    """How long threads of the processes were runnable but waited for their core: others' work, and so noise."""
    total = 0
    for pid in pids:
        for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(schedstat.read_text().split()[1])
            except FileNotFoundError:
                continue
    return total


def pss_bytes(pids: list[int]) -> int:
    """Proportional set size: private memory, plus the process's share of what it shares with others."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total
