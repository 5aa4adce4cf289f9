#!/usr/bin/env python3
"""Reads the tree and says what breaks the rules of the house, one line each; the exit status is 1 if anything does.

    Tests/Tidy/tidy.py [ROOT]

The rules: the top level holds what belongs there and nothing else; every room imports what the picture below allows, and
nobody Foundation; `unsafe` stands only where bytes and C meet, next to a `SAFETY:` reason; every package type says what it
is; no open ends; no file that should be two.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

TOP_LEVEL = {
    "Package.swift", "Package.resolved", "Sources", "Tests", "docker", "examples", "sidecar.yaml", "Makefile", "README.md",
    "LICENSE", ".gitignore", ".swift-format", ".ci",
}
# What tools leave behind and no commit holds.
IGNORED = re.compile(r"\.git|\.build.*|\.venv|__pycache__|\.swiftpm")

# Room: the rooms and libraries it may import, beside EVERYWHERE. Arrows point down.
ROOMS = {
    "Core": set(),
    "IO": {"Core", "CLinux", "COpenSSL", "CAres"},
    "HTTP": {"Core", "CNGHTTP2"},
    "Config": {"Core", "CYAML"},
    "Traffic": {"HTTP", "Config", "Core", "CPCRE2", "COpenSSL", "FoundationEssentials"},
    "Proxy": {"Traffic", "IO", "HTTP", "Config", "Core", "Logging", "FoundationEssentials"},
    "sidecar": {"Proxy", "Config", "ArgumentParser"},
    "sidecar-sync": {"Config", "CMariaDB", "ArgumentParser"},
}
EVERYWHERE = {"Swift", "Glibc", "Synchronization"}
# HTTP understands bytes and Traffic decides: neither has a reason to speak to the system.
WITHOUT_SYSTEM = {"HTTP", "Traffic"}
C_MODULES = "CModules"

UNSAFE_ALLOWED = (
    "Sources/Core/Buffer.swift", "Sources/Core/Slab.swift", "Sources/Core/ASCII.swift", "Sources/Core/AtomicCells.swift", "Sources/Core/BufferPool.swift",
    "Sources/Core/Cell.swift", "Sources/Core/Table.swift", "Sources/Core/Row.swift", "Sources/Core/JSONWriter.swift",
    "Sources/IO/",
    "Sources/HTTP/HeaderBlock.swift", "Sources/HTTP/MessageHead.swift", "Sources/HTTP/H2/",
    "Sources/Config/Document/YAMLParser.swift", "Sources/Config/Loading/FileContents.swift",
    "Sources/Traffic/Routing/Pattern.swift", "Sources/Traffic/Routing/PatternScratch.swift", "Sources/Traffic/Auth/",
    "Sources/Proxy/Telemetry/",
    "Sources/sidecar/ExitCodes.swift", "Sources/sidecar/LoadedConfiguration.swift",
    "Sources/sidecar-sync/",
)
LINES_MAX = 600
OPEN_ENDS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
CHECKED_SUFFIXES = {".swift", ".py", ".h", ".yaml", ".yml", ".md", ".sh", ".modulemap", ""}

IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:package|public|internal|private|fileprivate)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)")
PACKAGE_TYPE = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*package\s+(?:final\s+)?(?:class|struct|enum|protocol|actor)\s+(\w+)")
TYPE_OPENER = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+|[a-z]+(?:\(\w+\))?\s+)*?(?:class|struct|enum|protocol|actor|extension)\s+[A-Z]")
PROPERTY = re.compile(r"\s*(?:@?\w+(?:\([^)]*\))?\s+)*(?:var|let)\s+\w+")
# A declaration's head goes on after a line that ends so, or before one that begins so.
CONTINUED, CONTINUING = (",", "(", "->", "where", "<"), ("{", "->", "where", ")", ">")
ATTRIBUTE = re.compile(r"\s*@\w+(?:\([^)]*\))?\s*")
UNSAFE = re.compile(r"\bunsafe\b")


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


def without_comments_and_strings(text: str) -> str:
    """The Swift source with comments and the insides of string literals blanked; lines stay where they are."""
    out = []
    position = 0
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|(#*)"""(.*?)"""\1|(#*)"((?:\\.|[^"\\\n])*)"\3', re.S)
    for match in pattern.finditer(text):
        out.append(text[position:match.start()])
        out.append(re.sub(r"[^\n]", " ", match.group()))
        position = match.end()
    out.append(text[position:])
    return "".join(out)


def declarations(lines: list[str]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """For each line of code the first and last line of the member it stands in, or itself; and where types begin and end.

    `lines` are without comments and strings. A member is whatever opens a brace inside types only.
    """
    regions = [(number, number) for number in range(len(lines))]
    types = []
    stack: list[tuple[bool, int]] = []  # whether a type opened the brace, and the line where its declaration began
    start = 0  # where the statement that is being read began
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        for index, character in enumerate(line):
            if character == "{":
                head = " ".join(lines[start:number] + [line[:index]])
                in_types = all(is_type for is_type, _ in stack)
                stack.append((in_types and bool(TYPE_OPENER.match(head.strip())), start))
                start = number
            elif character == "}" and stack:
                is_type, opened = stack.pop()
                if is_type:
                    types.append((opened, number))
                elif all(outer for outer, _ in stack):
                    for inside in range(opened, number + 1):
                        regions[inside] = (opened, number)
                start = number + 1
        following = next((later.strip() for later in lines[number + 1:] if later.strip()), "")
        continues = line.rstrip().endswith(CONTINUED) or following.startswith(CONTINUING)
        if not continues and not ATTRIBUTE.fullmatch(line) and all(is_type for is_type, _ in stack):
            start = number + 1
    return regions, types


class Tree:
    def __init__(self, root: Path):
        self.root = root
        self.findings: list[Finding] = []

    def report(self, path: Path | str, line: int, message: str) -> None:
        relative = path.relative_to(self.root).as_posix() if isinstance(path, Path) else path
        self.findings.append(Finding(relative, line, message))

    def files(self, folder: Path):
        for path in sorted(folder.iterdir()):
            if IGNORED.fullmatch(path.name):
                continue
            if path.is_dir():
                yield from self.files(path)
            else:
                yield path

    def check(self) -> list[Finding]:
        self.check_layout()
        for path in self.files(self.root):
            if path.suffix not in CHECKED_SUFFIXES:
                continue
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            self.check_open_ends(path, text)
            if path.suffix in {".swift", ".py"}:
                self.check_length(path, text)
            if path.suffix == ".swift":
                self.check_swift(path, text)
        return sorted(self.findings)

    def check_layout(self) -> None:
        for path in sorted(self.root.iterdir()):
            if path.name not in TOP_LEVEL and not IGNORED.fullmatch(path.name):
                self.report(path, 0, "does not belong at the top level")
        for path in sorted((self.root / "Sources").iterdir()):
            if path.name not in ROOMS and path.name != C_MODULES:
                self.report(path, 0, "is no room of the house")
        for path in self.files(self.root / "Sources" / C_MODULES) if (self.root / "Sources" / C_MODULES).exists() else ():
            if path.name not in {"module.modulemap", "shim.h"}:
                self.report(path, 0, "a C module is a module map and a shim.h, nothing else")

    def check_open_ends(self, path: Path, text: str) -> None:
        for number, line in enumerate(text.splitlines(), 1):
            if OPEN_ENDS.search(line):
                self.report(path, number, "an open end: finish it, or open an issue")

    def check_length(self, path: Path, text: str) -> None:
        lines = text.count("\n")
        if lines > LINES_MAX:
            self.report(path, lines, f"more than {LINES_MAX} lines: look for two rooms in one")

    def check_swift(self, path: Path, text: str) -> None:
        parts = path.relative_to(self.root).parts
        original = text.splitlines()
        code = without_comments_and_strings(text).splitlines()
        for number, line in enumerate(code, 1):
            if match := IMPORT.match(line):
                self.check_import(path, parts, number, match.group(1))
        if parts[0] == "Sources":
            self.check_documentation(path, original, code)
            self.check_unsafe(path, original, code)

    def check_import(self, path: Path, parts: tuple[str, ...], number: int, module: str) -> None:
        if module == "Foundation":
            self.report(path, number, "imports Foundation, which is linked nowhere")
            return
        if parts[0] != "Sources" or parts[1] not in ROOMS:
            return
        room = parts[1]
        allowed = ROOMS[room] | (EVERYWHERE - {"Glibc"} if room in WITHOUT_SYSTEM else EVERYWHERE)
        if module not in allowed:
            self.report(path, number, f"{room} must not import {module}")

    def check_documentation(self, path: Path, original: list[str], code: list[str]) -> None:
        for number, line in enumerate(code):
            match = PACKAGE_TYPE.match(line)
            if not match:
                continue
            above = number - 1
            while above >= 0 and original[above].startswith("@"):
                above -= 1
            if above < 0 or not original[above].startswith("///"):
                self.report(path, number + 1, f"{match.group(1)} does not say what it is")

    def check_unsafe(self, path: Path, original: list[str], code: list[str]) -> None:
        uses = [number for number, line in enumerate(code) if UNSAFE.search(line)]
        if not uses:
            return
        relative = path.relative_to(self.root).as_posix()
        if not relative.startswith(UNSAFE_ALLOWED):
            self.report(path, uses[0] + 1, "is not where `unsafe` is allowed")
            return
        regions, types = declarations(code)
        # A reason above a stored property speaks for all that its type does with it.
        reasons = [number for number, line in enumerate(original) if "SAFETY:" in line]
        properties = [number for number in reasons if self.precedes_property(number, original, code, regions)]
        covered = [(first, last) for first, last in types if any(first <= number <= last for number in properties)]
        reported: set[tuple[int, int]] = set()
        for number in uses:
            first, last = regions[number]
            # The comments right above belong to it.
            while first > 0 and re.match(r"\s*(//|@)", original[first - 1]):
                first -= 1
            if any(first <= reason <= last for reason in reasons) or (first, last) in reported:
                continue
            if any(opened <= number <= closed for opened, closed in covered):
                continue
            reported.add((first, last))
            self.report(path, number + 1, "`unsafe` without a SAFETY: reason in its declaration")

    @staticmethod
    def precedes_property(number: int, original: list[str], code: list[str], regions: list[tuple[int, int]]) -> bool:
        while number < len(original) and re.match(r"\s*//", original[number]):
            number += 1
        return number < len(code) and regions[number] == (number, number) and bool(PROPERTY.match(code[number]))


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    findings = Tree(root).check()
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
