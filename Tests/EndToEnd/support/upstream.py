"""An endpoint whose behaviour on each connection is a Python function: the script."""

import os
import socket
import threading

from .waiting import DEADLINE, wait_for
from .wire import Reader, Truncated, reset


def response(body=b"ok\n", *lines, status="200 OK"):
    """A response's bytes with Content-Length."""
    if isinstance(body, str):
        body = body.encode()
    head = [f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def answers(data):
    """A script that answers every request on every connection with these bytes."""

    def script(peer):
        while peer.request() is not None:
            peer.send(data)

    return script


def once(data):
    """A script that answers the first request of a connection with these bytes and closes."""

    def script(peer):
        if peer.request() is not None:
            peer.send(data)

    return script


def answers_or_leaves(data):
    """`answers`, for requests that may be cut: it closes then, as a server does."""

    def script(peer):
        try:
            answers(data)(peer)
        except Truncated:
            pass

    return script


def whatever(data):
    """A script that answers the first bytes, whatever they are, and closes."""

    def script(peer):
        if peer.reader.fill():
            peer.send(data)
            peer.wait_closed()

    return script


class Peer:
    """The script's view of one connection from the proxy."""

    def __init__(self, upstream, sock, number):
        self.upstream = upstream
        self.sock = sock
        self.number = number
        self.reader = Reader(sock)

    def secure(self, context):
        """Puts TLS on the connection; false when the handshake failed."""
        try:
            self.sock = context.wrap_socket(self.sock, server_side=True)
        except OSError as error:
            self.upstream.handshake_errors.append(error)
            return False
        self.reader = Reader(self.sock)
        return True

    def head(self):
        """The next request's head without its body; None when the proxy closed."""
        message = self.reader.head()
        if message is not None:
            self.upstream.record(message)
        return message

    def body(self, message):
        return self.reader.body(message)

    def request(self):
        message = self.head()
        return None if message is None else self.body(message)

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        self.sock.close()

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        reset(self.sock)

    def wait(self, event):
        if not event.wait(DEADLINE):
            raise AssertionError("the test never let this script go on")

    def wait_closed(self):
        """Returns when the proxy closed or reset the connection."""
        try:
            while self.reader.fill():
                pass
        except ConnectionError:
            pass


class ScriptedUpstream:
    """A listening socket and a thread per connection. Counts connections, keeps every request and every byte.

    `tls` is an `ssl.SSLContext` when the connections are to be TLS; a handshake that fails is in `handshake_errors`."""

    def __init__(self, script=None, path=None, host="127.0.0.1", port=0, tls=None):
        self.script = script or answers(response())
        self.tls = tls
        self.path = path
        self.host = host
        self.port = port
        self.connections = 0
        self.requests = []
        self.errors = []
        self.handshake_errors = []
        self._peers = []
        self._lock = threading.Lock()
        self._open = 0
        self.listen()

    def listen(self):
        """Starts accepting, on the same address as before."""
        if self.path:
            if os.path.exists(self.path):
                os.unlink(self.path)
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(str(self.path))
        else:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            self._listener = socket.socket(family, socket.SOCK_STREAM)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((self.host, self.port))
            self.port = self._listener.getsockname()[1]
        self._listener.listen(1024)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    @property
    def address(self):
        """As an endpoint of the configuration."""
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def open_connections(self):
        with self._lock:
            return self._open

    @property
    def received(self):
        """All bytes of all connections."""
        with self._lock:
            return b"".join(peer.reader.received for peer in self._peers)

    def record(self, message):
        with self._lock:
            self.requests.append(message)

    def wait_requests(self, count):
        wait_for(lambda: len(self.requests) >= count, f"{count} requests at the upstream")

    def wait_no_connections(self):
        wait_for(lambda: self.open_connections == 0, "the proxy to close its upstream connections")

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(DEADLINE * 3)
            if not self.path:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                peer = Peer(self, sock, self.connections)
                self.connections += 1
                self._open += 1
                self._peers.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        try:
            if self.tls is None or peer.secure(self.tls):
                self.script(peer)
        except OSError:
            pass
        except BaseException as error:  # The test's thread raises it when the upstream is closed.
            self.errors.append(error)
        finally:
            peer.close()
            with self._lock:
                self._open -= 1

    def stop_listening(self):
        """Further connections are refused; those that exist stay."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def close(self):
        self.stop_listening()
        with self._lock:
            peers = list(self._peers)
        for peer in peers:
            try:
                peer.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if self.errors:
            raise self.errors[0]


class FullBacklog:
    """An address where connecting neither succeeds nor fails: its queue of connections is full."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._fill = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fill.append(filler)

    def close(self):
        for sock in [*self._fill, self._listener]:
            sock.close()
