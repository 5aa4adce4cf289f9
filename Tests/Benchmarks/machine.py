"""Where the figures come from, and what about the machine would spoil them."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from process import Cores


def description() -> dict[str, str]:
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{int(memory.split()[1]) / (1 << 20):.0f} GiB",
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "Linux"),
        "kernel": platform.release(),
    }


def warnings(cores: Cores) -> list[str]:
    """What holds before the run begins."""
    found = []
    if not cores.are_pinned:
        found.append("fewer than two cores: nothing is pinned, proxies and load generator disturb each other")
    if _has_nat_rules():
        found.append("NAT rules are loaded: connection tracking adds some microseconds to every proxy's requests")
    if os.getloadavg()[0] > 0.5:
        found.append(f"the machine is busy (load average {os.getloadavg()[0]:.1f}): expect noise")
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def _has_nat_rules() -> bool:
    """Looks without loading anything: `iptables -t nat -L` itself would load what it is asked about."""
    try:
        if "nat" in Path("/proc/net/ip_tables_names").read_text().split():
            return True
    except OSError:
        pass
    nft = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")
    if not nft:
        return False
    ruleset = subprocess.run([nft, "list", "ruleset"], capture_output=True, text=True)
    return "type nat hook" in ruleset.stdout
