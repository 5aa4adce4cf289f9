#!/usr/bin/env python3
"""The tidy checker must pass a tidy tree and find each violation that is planted in one."""

import tempfile
import unittest
from pathlib import Path

from tidy import Tree, without_comments_and_strings

TIDY = {
    "Package.swift": "// swift-tools-version: 6.2\n",
    "Sources/Core/Buffer.swift": """/// Bytes.
@safe
package final class Buffer {
    private var base: UnsafeMutableRawPointer

    /// The first byte.
    package var first: UInt8 {
        // SAFETY: there is always one.
        unsafe base.load(as: UInt8.self)
    }
}
""",
    "Sources/IO/Socket.swift": """package import Core
import Glibc

/// A socket.
package enum Socket {
    private enum Kind { case stream }
}
""",
    "Sources/Traffic/Plan.swift": "import Config\nimport Core\n\n/// Decides.\npackage struct Plan {}\n",
    "Sources/CModules/CLinux/shim.h": "#pragma once\n",
    "Sources/CModules/CLinux/module.modulemap": "module CLinux {}\n",
    "Tests/IOTests/SocketTests.swift": "import Testing\n@testable import IO\n",
}


class TidyTests(unittest.TestCase):
    def findings(self, **planted):
        """What is found in a tidy tree with these files added or replaced; `__` in a name stands for a slash."""
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            for name, text in {**TIDY, **{key.replace("__", "/"): text for key, text in planted["files"].items()}}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return [str(finding) for finding in Tree(root).check()]

    def assert_found(self, name, text, *expected):
        """Exactly these parts of messages, in order, when `name` holds `text`."""
        found = self.findings(files={name: text})
        self.assertEqual(len(found), len(expected), found)
        for finding, part in zip(found, expected):
            self.assertIn(part, finding)

    def test_a_tidy_tree_passes(self):
        self.assertEqual(self.findings(files={}), [])

    def test_what_does_not_belong_at_the_top_level_is_found(self):
        self.assert_found("notes.txt", "", "notes.txt: does not belong at the top level")
        self.assert_found("scripts/build", "", "scripts: does not belong at the top level")

    def test_a_folder_that_is_no_room_is_found(self):
        self.assert_found("Sources/Helpers/Help.swift", "", "Sources/Helpers: is no room")

    def test_a_c_module_with_code_is_found(self):
        self.assert_found("Sources/CModules/CLinux/code.c", "", "code.c: a C module is")

    def test_an_import_against_the_arrows_is_found(self):
        for line in ["import HTTP", "package import HTTP", "@testable import HTTP", "private import struct HTTP.Head"]:
            self.assert_found("Sources/IO/Head.swift", f"{line}\n", "Head.swift:1: IO must not import HTTP")
        self.assert_found("Sources/Core/Time.swift", "import IO\n", "Core must not import IO")
        self.assert_found("Sources/HTTP/Clock.swift", "import Glibc\n", "HTTP must not import Glibc")
        self.assert_found("Sources/Traffic/Log.swift", "import Logging\n", "Traffic must not import Logging")

    def test_foundation_is_found_everywhere(self):
        for name in ["Sources/Core/Date.swift", "Sources/Proxy/Date.swift", "Tests/CoreTests/DateTests.swift"]:
            self.assert_found(name, "import Foundation\n", "imports Foundation")

    def test_an_import_in_a_comment_or_a_string_is_none(self):
        self.assert_found("Sources/IO/Text.swift", '// import HTTP\n/*\nimport HTTP\n*/\nlet a = """\nimport HTTP\n"""\n')

    def test_unsafe_outside_its_places_is_found(self):
        self.assert_found(
            "Sources/Traffic/Plan.swift", "/// Decides.\npackage struct Plan {\n    var x = unsafe y\n}\n",
            "Plan.swift:3: is not where `unsafe` is allowed")

    def test_unsafe_without_a_reason_is_found(self):
        text = """/// A pipe.
package final class Pipe {
    init() {
        // SAFETY: one reason is not for all.
        unsafe make()
    }

    private func read(
        _ count: Int
    ) -> Int
    where Int: Equatable {
        unsafe take(count)
    }

    var size: Int { unsafe measured() }
}
"""
        self.assert_found("Sources/IO/Pipe.swift", text, "Pipe.swift:12: `unsafe` without", "Pipe.swift:15: `unsafe` without")

    def test_a_reason_above_or_within_a_declaration_counts(self):
        text = """/// A pipe.
package final class Pipe {
    // SAFETY: above.
    @inline(__always)
    private func read() -> Int { unsafe take() }

    func write() {
        if true {
            // SAFETY: deep within.
            unsafe put()
        }
    }
}
"""
        self.assert_found("Sources/IO/Pipe.swift", text)

    def test_a_reason_above_a_stored_property_speaks_for_its_type_only(self):
        text = """/// A pipe.
package final class Pipe {
    // SAFETY: owned, freed at the end.
    private let base: Pointer

    deinit { unsafe base.deallocate() }
}

/// Another.
package final class Other {
    deinit { unsafe base.deallocate() }
}
"""
        self.assert_found("Sources/IO/Pipe.swift", text, "Pipe.swift:11: `unsafe` without")

    def test_the_word_in_comments_strings_and_names_is_not_the_keyword(self):
        text = 'import Config\n\n/// Decides, never unsafe.\npackage struct Plan {\n    let text = "unsafe", unsafeCount = 1\n}\n'
        self.assert_found("Sources/Traffic/Plan.swift", text)

    def test_a_package_type_without_a_sentence_is_found(self):
        for line in ["package struct A {}", "package final class A {}", "package enum A {}", "package protocol A {}"]:
            self.assert_found("Sources/Core/A.swift", f"import Glibc\n\n{line}\n", "A.swift:3: A does not say what it is")
        self.assert_found("Sources/Core/A.swift", "/// A.\n@safe\npackage struct A {}\n")
        self.assert_found("Sources/Core/A.swift", "// A.\npackage struct A {}\n", "does not say")

    def test_an_open_end_is_found(self):
        for word in ["TO" "DO", "FIX" "ME"]:
            self.assert_found("Sources/Core/A.swift", f"// {word}: later\n", "A.swift:1: an open end")
            self.assert_found("Tests/EndToEnd/test_a.py", f"# {word}\n", "an open end")

    def test_a_long_file_is_found(self):
        self.assert_found("Sources/Core/A.swift", "\n" * 600)
        self.assert_found("Sources/Core/A.swift", "\n" * 601, "more than 600 lines")

    def test_blanking_keeps_lines_and_columns(self):
        for text in ['let a = "x\\"y" // z\n', 'a /* b\nc */ d\n', 'a = #"raw " quote"# + b\n', 'a = """\n  b\n  """\nc\n']:
            blanked = without_comments_and_strings(text)
            self.assertEqual([len(line) for line in blanked.splitlines()], [len(line) for line in text.splitlines()])
        self.assertEqual(without_comments_and_strings('f("unsafe")  // unsafe').strip(), "f(        )")


if __name__ == "__main__":
    unittest.main()
