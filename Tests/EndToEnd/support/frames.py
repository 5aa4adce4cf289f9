"""Frames of requests, ready to be sent or spoilt."""

from .h2 import DATA, END_HEADERS, END_STREAM, HEADERS, frame, literals
from .wire import Truncated
from .upstream import response

REQUEST = [(":method", "GET"), (":scheme", "http"), (":authority", "test.local"), (":path", "/")]
GET = literals(*REQUEST)
POST = literals((":method", "POST"), *REQUEST[1:])


def head(block=GET, stream=1, flags=END_HEADERS | END_STREAM):
    return frame(HEADERS, block, flags, stream)


def post(stream=1, more=b""):
    return head(POST + more, stream, END_HEADERS)


def data(payload=b"x", stream=1, flags=0):
    return frame(DATA, payload, flags, stream)


WAIT = literals(*REQUEST[:3], (":path", "/wait"))


def reads_and_answers(peer):
    """An HTTP/1.1 endpoint's script: reads each body and answers; `/wait` it never answers."""
    try:
        while (message := peer.head()) is not None:
            if message.target == "/wait":
                return peer.wait_closed()
            peer.body(message)
            peer.send(response())
    except Truncated:
        pass
