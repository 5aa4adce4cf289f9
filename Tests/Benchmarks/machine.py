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
    """To be asked after the load: connection tracking is known by the connections it has seen."""
    found = []
    if not cores.are_pinned:
        found.append("fewer than two cores: nothing is pinned, proxies and load generator disturb each other")
    if _tracks_connections() or _has_nat_rules():
        found.append("the firewall tracks connections (NAT rules do that): some microseconds more for every proxy")
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def _tracks_connections() -> bool:
    try:
        return int(Path("/proc/sys/net/netfilter/nf_conntrack_count").read_text()) > 0
    except OSError:
        return False


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
