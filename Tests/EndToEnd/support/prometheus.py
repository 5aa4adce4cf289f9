"""The text format 0.0.4, read strictly."""

import re

_SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')


class Metrics:
    """Samples, types and help of one scrape. Fails on a line that is none of them and on a sample given twice."""

    def __init__(self, text):
        assert text.endswith("\n")
        self.types, self.help, self.samples = {}, {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                assert name not in self.types, f"TYPE of {name} twice"
                self.types[name] = kind
            elif line.startswith("# HELP "):
                name, _, words = line[7:].partition(" ")
                self.help[name] = words
            elif line and not line.startswith("#"):
                match = _SAMPLE.match(line)
                assert match, f"not a sample: {line!r}"
                labels = match.group(2) or ""
                pairs = _LABEL.findall(labels)
                assert labels.rstrip(",") == ",".join(f'{k}="{v}"' for k, v in pairs), f"labels of {line!r}"
                key = (match.group(1), frozenset(pairs))
                assert key not in self.samples, f"{line!r} occurs twice"
                self.samples[key] = float(match.group(3))

    def of(self, name, **labels):
        """All samples of this name with at least these labels, as (labels, value)."""
        wanted = set(labels.items())
        return [(dict(pairs), value) for (n, pairs), value in self.samples.items() if n == name and wanted <= pairs]

    def sum(self, name, **labels):
        return sum(value for _, value in self.of(name, **labels))

    def names(self):
        return {name for name, _ in self.samples}
