"""The clients of the soak: each request has a number, its path says what must become of it, and they watch it."""

import asyncio
import collections
import random
import socket

from content import body, digest

# What the path asks of the endpoint: the answers that are right, as (status, reason).
EXPECTED = {
    "close": {(502, "upstream_closed")},
    "reset": {(502, "upstream_reset"), (502, "upstream_closed")},
    "garbage": {(502, "upstream_protocol_error")},
    "hang": {(504, "response_timeout")},
}
# An endpoint that is away or dies: any of these, but always one of them.
FLAKY = {
    (503, "connect_refused"), (503, "connect_timeout"), (503, "no_healthy_endpoint"), (502, "upstream_closed"),
    (502, "upstream_reset"),
}
CUT = {"upstream_closed", "upstream_reset", "upstream_protocol_error"}


class Wrong(Exception):
    """The proxy did something it must not."""


class Cut(Exception):
    """A response began and did not end."""


class Clients:
    """Drives connections until told to stop; keeps what it saw."""

    def __init__(self, port, seed):
        self.port = port
        self.random = random.Random(seed)
        self.numbers = iter(range(1, 1 << 60))
        self.outcomes = collections.Counter()
        self.problems = []
        # Paths of requests that were cut or left: the access log must have a reason for each.
        self.cut = {}
        self.left = set()
        # Those that were left by RST: it can overtake the request, which then was never seen.
        self.perhaps_seen = set()
        self.running = False

    async def run(self, connections, seconds):
        self.running = True
        tasks = [asyncio.create_task(self._connection()) for _ in range(connections)]
        await asyncio.sleep(seconds)
        self.running = False
        done, late = await asyncio.wait(tasks, timeout=30)
        for task in late:
            task.cancel()
        if late:
            self.problems.append(f"{len(late)} connections never came to an end")
        for task in done:
            if task.exception():
                self.problems.append(repr(task.exception()))

    async def _connection(self):
        while self.running:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                for _ in range(self.random.randint(1, 30)):
                    if not self.running or not await self._request(reader, writer):
                        break
            except Wrong as wrong:
                self.problems.append(str(wrong))
            except (ConnectionError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.problems.append(f"an unexpected end: {error!r}")
            finally:
                writer.close()

    def _choose(self):
        return self.random.choices(
            ["good", "upload", "chunked_upload", "flaky", "midbody", "midreset", "close", "reset", "garbage", "hang",
             "leave_head", "leave_waiting", "leave_upload", "leave_download"],
            [60, 15, 10, 20, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1])[0]

    async def _request(self, reader, writer):
        """True when the connection can go on."""
        kind, number = self._choose(), next(self.numbers)
        if kind.startswith("leave_"):
            return await self._leave(kind, number, reader, writer)
        what, host, method, data = kind, "bad", "GET", b""
        if kind in ("good", "upload", "chunked_upload"):
            host = "good"
        if kind == "flaky":
            what, host = "good", "flaky"
        if kind in ("upload", "chunked_upload"):
            what, method, data = "upload", "POST", body(number + 5)
        elif kind in ("close", "reset") and number % 2:
            method, data = "POST", b"x" * (number % 5000)
        path = f"/{what}/{number}"
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
        if kind == "chunked_upload":
            writer.write((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
            for at in range(0, len(data), 5000):
                part = data[at:at + 5000]
                writer.write(b"%x\r\n%b\r\n" % (len(part), part))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
        else:
            length = f"Content-Length: {len(data)}\r\n" if method == "POST" else ""
            writer.write((head + length + "\r\n").encode() + data)
        try:
            status, reason, answer, close = await asyncio.wait_for(self._response(reader, path), 30)
        except Cut:
            if kind not in ("midbody", "midreset", "flaky"):
                raise Wrong(f"{path} of {host} was cut") from None
            self.cut[path] = kind
            self.outcomes[f"{kind} cut"] += 1
            return False
        except asyncio.TimeoutError:
            raise Wrong(f"{path} of {host} never got its answer") from None
        self._judge(kind, path, number, status, reason, answer, data)
        self.outcomes[f"{kind} {status} {reason or ''}".strip()] += 1
        return not close

    def _judge(self, kind, path, number, status, reason, answer, data):
        if status == 200 and reason is None:
            if kind in EXPECTED or kind in ("midbody", "midreset"):
                raise Wrong(f"{path} looks whole, which it cannot be")
            wanted = digest(data) if "upload" in kind else body(number) or b"-"
            if answer != wanted:
                raise Wrong(f"{path}: {len(answer)} bytes that are not the {len(wanted)} sent")
        elif kind in EXPECTED:
            if (status, reason) not in EXPECTED[kind]:
                raise Wrong(f"{path}: {status} {reason}")
        elif kind == "flaky":
            if (status, reason) not in FLAKY:
                raise Wrong(f"{path}: {status} {reason}")
        elif kind in ("midbody", "midreset") and (status, reason) in (
                (502, "upstream_reset"), (502, "upstream_closed")):
            pass  # Cut before its head was passed on: that is the honest answer.
        else:
            raise Wrong(f"{path} of {kind}: {status} {reason}")

    async def _response(self, reader, path):
        """Status, reason, body, and whether the connection ends here."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            # The bad endpoints' resets may overtake a head that was just passed on.
            if path.startswith(("/midreset", "/midbody")):
                raise Cut from None
            raise Wrong(f"{path}: no response: {error!r}") from None
        lines = head[:-4].split(b"\r\n")
        status = int(lines[0].split(b" ")[1])
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            fields[name.lower()] = value.strip()
        close = fields.get(b"connection", b"").lower() == b"close"
        reason = fields.get(b"x-sidecar-reason", b"").decode() or None
        try:
            if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
                data = b""
                while size := int((await self._line(reader)).split(b";")[0], 16):
                    data += await reader.readexactly(size)
                    await reader.readexactly(2)
                while await self._line(reader) != b"\r\n":
                    pass
            elif b"content-length" in fields:
                data = await reader.readexactly(int(fields[b"content-length"]))
            else:
                data = await reader.read(-1)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Cut from None
        return status, reason, data, close

    @staticmethod
    async def _line(reader):
        line = await reader.readline()
        if not line.endswith(b"\r\n"):
            raise Cut
        return line

    def _note_left(self, path, number):
        (self.perhaps_seen if number % 2 else self.left).add(path)

    async def _leave(self, kind, number, reader, writer):
        """Vanishes, by FIN or RST, at a moment that the kind names."""
        if kind == "leave_head":
            writer.write(b"GET /good/1 HTTP/1.1\r\nHo")
        elif kind == "leave_waiting":
            writer.write(f"GET /hang/{number} HTTP/1.1\r\nHost: bad\r\n\r\n".encode())
            self._note_left(f"/hang/{number}", number)
        elif kind == "leave_upload":
            writer.write(f"POST /upload/{number} HTTP/1.1\r\nHost: good\r\nContent-Length: 100000\r\n\r\n".encode()
                         + b"x" * 5000)
            self._note_left(f"/upload/{number}", number)
        else:
            number = number * 10  # A large body.
            writer.write(f"GET /good/{number} HTTP/1.1\r\nHost: good\r\n\r\n".encode())
            await writer.drain()
            await reader.read(100)
        await writer.drain()
        await asyncio.sleep(self.random.random() * 0.02)
        self.outcomes[kind] += 1
        if number % 2:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()
        return False
