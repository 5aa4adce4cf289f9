"""What the README says, held against the program."""

import re
import subprocess

from support.sidecar import BINARY, EX_CONFIG, EX_OK, ROOT, program

README = (ROOT / "README.md").read_text()


def blocks(language):
    """The texts of the fenced blocks of a language; every fence is read, so that an end is never taken for a beginning."""
    fenced = re.findall(r"^```(.*)\n((?:(?!```).*\n)*)```$", README, re.M)
    return [text for name, text in fenced if name == language]


def test_the_configurations_by_example_are_some(tmp_path, authority):
    shown = authority.issue("shop.local")
    (tmp_path / "certs").mkdir()
    examples = blocks("yaml")
    assert len(examples) == 2
    for example in examples:
        for name in re.findall(r"certs/[\w-]+\.(?:crt|key)", example):
            source = shown.key if name.endswith(".key") else shown.certificate
            (tmp_path / name).write_bytes(source.read_bytes())
        (tmp_path / "sidecar.yaml").write_text(example)
        result = program("check", tmp_path / "sidecar.yaml")
        assert result.returncode == EX_OK, result.stderr


def test_mistakes_are_reported_as_shown(tmp_path):
    (shown,) = [block for block in blocks("") if "did you mean" in block]
    (tmp_path / "sidecar.yaml").write_text("\n".join([
        "listeners:",
        "  - name: web",
        "    adress: 127.0.0.1:8000",
        "services:",
        "  - name: orders",
        "    endpoints: [127.0.0.1:9000]",
        "routes:",
        "  - name: all",
        "    service: ordrs",
        ""]))
    result = subprocess.run([BINARY, "check", "sidecar.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == EX_CONFIG
    for line in shown.splitlines():
        assert line in result.stderr


def test_every_command_of_the_table_exists():
    commands = set(re.findall(r"`(?:sidecar )?(run|check|wait|healthcheck|drain|quit)\b", README))
    assert commands == {"run", "check", "wait", "healthcheck", "drain", "quit"}
    for command in commands:
        assert program(command, "--help").returncode == EX_OK


def test_every_make_target_it_names_exists():
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"`make ([a-z-]+)", README)) | set(re.findall(r"^make ([a-z-]+)", README, re.M))
    assert named and named <= known
