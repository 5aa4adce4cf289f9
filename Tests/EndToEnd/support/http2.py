"""HTTP/2 in a test's configuration."""

from .h2 import H2Client
from .sidecar import proxy_to

PROTOCOL = {"1.1": "http", "2": "http2"}


def to(version, *endpoints, **more):
    """A configuration: one listener to one service of endpoints that speak this version."""
    service = {"protocol": PROTOCOL[version], **more.pop("service", {})}
    return proxy_to(*endpoints, service=service, **more)


def h2_client(proxy, *own, listener="web", **options):
    return H2Client(proxy.port(listener), own, **options)
