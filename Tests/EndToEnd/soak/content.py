"""Bodies that both sides can make and check without telling each other: the number says all."""

import hashlib

_BLOCK = b"".join(hashlib.sha256(b"soak %d" % i).digest() for i in range(4096))


def body(number):
    """0 to some 200 KiB, mostly small; another one for each number."""
    size = (number * 2654435761) % 3000
    if number % 10 == 0:
        size = (number * 40503) % 200_000
    start = (number * 7919) % 65_536
    block = _BLOCK[start:start + size]
    while len(block) < size:
        block += _BLOCK[:size - len(block)]
    return block


def digest(data):
    return hashlib.sha256(data).hexdigest().encode()
