"""Random messages in random pieces come out as they went in. Seeds are fixed: a failure can be run again."""

import random
import threading

import pytest

from support.sidecar import proxy_to

SIZES = [0, 1, 2, 100, 1000, 4095, 4096, 8191, 16_383, 16_384, 16_385, 32_768, 65_535, 65_536, 65_537, 100_000, 300_000]


def body_of(generator):
    size = generator.choice(SIZES) + generator.choice([0, 0, 1, 7])
    return generator.randbytes(size)


def fields_of(generator):
    """Some fields, at times so long that heads cross the buffers' sizes."""
    count = generator.choice([0, 1, 5, 50])
    longest = generator.choice([10, 100, 1000]) if count == 50 else generator.choice([10, 1000, 8000])
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,;=\"/()"
    return [(f"X-{generator.choice('aAbBcC')}{generator.randint(0, 9)}",
             "".join(generator.choices(letters, k=generator.randint(0, longest))).strip()) for _ in range(count)]


def framed(generator, body):
    """Framing lines and the framed body: counted, or chunked in chunks of any size with extensions and trailers."""
    if generator.random() < 0.5:
        return [f"Content-Length: {len(body)}"], body
    data, at = [], 0
    while at < len(body):
        size = min(len(body) - at, generator.choice([1, 10, 1000, 16_384, 70_000]) + generator.randint(0, 9))
        if generator.random() < 0.02 or size < 5:
            size = min(len(body) - at, max(size, len(body) // 50))
        extension = generator.choice([b"", b"", b";a", b';a="b;c"', b" "]) if generator.random() < 0.1 else b""
        data.append(b"%x%b\r\n" % (size, extension.strip()) + body[at:at + size] + b"\r\n")
        at += size
    trailer = b"X-Trailer: end\r\n" if generator.random() < 0.3 else b""
    return ["Transfer-Encoding: chunked"], b"".join(data) + b"0\r\n" + trailer + b"\r\n"


def pieces(generator, data):
    """The data cut anywhere, mostly into few pieces."""
    cuts = sorted(generator.randrange(len(data) + 1) for _ in range(generator.choice([0, 0, 1, 3, 20])))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)]) if start < end]


@pytest.mark.parametrize("seed", range(6))
def test_random_messages_in_random_pieces_come_out_as_they_went_in(run, upstream, seed):
    generator = random.Random(seed)
    exchanges = [((fields_of(generator), body_of(generator)), (fields_of(generator), body_of(generator)))
                 for _ in range(60)]
    answering = random.Random(seed + 1000)
    served = iter(exchanges)

    def script(peer):
        while (request := peer.request()) is not None:
            (fields, body), (answer_fields, answer_body) = next(served)
            assert request.body == body
            own = [(name.decode(), value.decode()) for name, value in request.fields if name.startswith(b"X-")
                   and not name.startswith(b"X-Forwarded")]
            assert own == fields
            framing, data = framed(answering, answer_body)
            head = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in answer_fields), *framing, "", ""]
            for piece in pieces(answering, "\r\n".join(head).encode() + data):
                peer.send(piece)

    proxy = run(proxy_to(upstream(script)))
    with proxy.client() as client:
        for number, ((fields, body), (answer_fields, answer_body)) in enumerate(exchanges):
            framing, data = framed(generator, body)
            head = [f"POST /{number} HTTP/1.1", "Host: a", *(f"{name}: {value}" for name, value in fields), *framing]
            whole = "\r\n".join([*head, "", ""]).encode() + data
            # An answer may be larger than the socket's buffers: sending and receiving must not wait for each other.
            sender = threading.Thread(target=lambda: [client.send(piece) for piece in pieces(generator, whole)])
            sender.start()
            answer = client.response()
            sender.join(10)
            assert answer.status == 200, (number, answer)
            assert answer.body == answer_body, number
            own = [(name.decode(), value.decode()) for name, value in answer.fields if name.startswith(b"X-")]
            assert own == answer_fields, number
    assert next(served, None) is None
