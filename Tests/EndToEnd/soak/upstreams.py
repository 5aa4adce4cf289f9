"""The endpoints of the soak, a process of their own: one that behaves, and two that do not.

Prints the ports of `good`, `bad` and `flaky` as one line, then serves until its input ends. A request's path says what
is to happen: `/good/N` answers N's body, `/upload/N` the digest of what came; `/close/N`, `/reset/N`, `/garbage/N`,
`/hang/N`, `/midbody/N`, `/midreset/N` misbehave as named. The flaky one dies with all its connections and comes back.
"""

import asyncio
import resource
import socket
import sys
import threading

from content import body, digest

CHUNK = 8192


def lingerless(writer):
    """Closes with RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def upload(reader, head):
    """The request's body, in either framing."""
    lower = head.lower()
    if b"\r\ntransfer-encoding: chunked" in lower:
        data = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            data += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readline()
        return data
    at = lower.find(b"\r\ncontent-length:")
    if at < 0:
        return b""
    return await reader.readexactly(int(lower[at + 17:lower.index(b"\r\n", at + 2)]))


def chunked(data):
    parts = [b"%x\r\n%b\r\n" % (len(data[i:i + CHUNK]), data[i:i + CHUNK]) for i in range(0, len(data), CHUNK)]
    return b"".join(parts) + b"0\r\n\r\n"


async def serve(reader, writer):
    """One connection: requests until one of them ends it."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b" ", 2)
            _, what, number = target.split(b"?")[0].split(b"/")
            number = int(number)
            sent = await upload(reader, head)
            data = body(number) or b"-"
            if what == b"close":
                break
            if what in (b"reset",):
                return lingerless(writer)
            if what == b"garbage":
                writer.write(b"\x00\xffgarbage %d\r\n\r\n" % number)
                await writer.drain()
                break
            if what == b"hang":
                await reader.read()
                break
            if what in (b"midbody", b"midreset"):
                head = b"Content-Length: %d\r\n\r\n" % (len(data) + 1)
                if number % 2:
                    head, data = b"Transfer-Encoding: chunked\r\n\r\n", chunked(data)[:-5]
                writer.write(b"HTTP/1.1 200 OK\r\n" + head + data)
                await writer.drain()
                if what == b"midreset":
                    return lingerless(writer)
                break
            if what == b"upload":
                data = digest(sent)
            if number % 3 == 0:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(data))
            else:
                last = number % 17 == 0
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n" % (
                    len(data), b"Connection: close\r\n" if last else b"") + data)
                if last:
                    await writer.drain()
                    break
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        pass
    finally:
        writer.close()


class Flaky:
    """A server that dies with all its connections, stays away for a moment, and comes back on the same port."""

    def __init__(self):
        self.port = 0
        self.writers = set()

    async def serve(self, reader, writer):
        self.writers.add(writer)
        try:
            await serve(reader, writer)
        finally:
            self.writers.discard(writer)

    async def live(self):
        while True:
            server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=4096, reuse_address=True)
            self.port = server.sockets[0].getsockname()[1]
            await asyncio.sleep(0.7)
            server.close()
            for number, writer in enumerate(list(self.writers)):
                if number % 2:
                    lingerless(writer)
                else:
                    writer.close()
            await asyncio.sleep(0.3)


async def main():
    servers = [await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096) for _ in range(2)]
    flaky = Flaky()
    life = asyncio.create_task(flaky.live())
    while not flaky.port:
        await asyncio.sleep(0.01)
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    print(*ports, flaky.port, flush=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(
        target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(ended.set)), daemon=True).start()
    await ended.wait()
    life.cancel()


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(main())
