#!/usr/bin/env python3
"""A gRPC service to put behind the sidecar, `shop.Orders`, and a client for it. Messages are plain text: no code is
generated. Needs the package `grpcio`.

    app.py serve --port 9000
    app.py call 127.0.0.1:8000 shop.Orders/Get tea
"""

import argparse
import os
import sys
import time
from concurrent import futures

import grpc


class Orders(grpc.GenericRpcHandler):
    """`Get` answers at once, `List` one item at a time, `Slow` after ten seconds, whatever the caller's deadline."""

    def service(self, details):
        return {
            "/shop.Orders/Get": grpc.unary_unary_rpc_method_handler(lambda item, _: b"one " + item),
            "/shop.Orders/List": grpc.unary_stream_rpc_method_handler(lambda *_: iter([b"tea", b"biscuits", b"jam"])),
            "/shop.Orders/Slow": grpc.unary_unary_rpc_method_handler(self.slow),
        }.get(details.method)

    @staticmethod
    def slow(item, context):
        end = time.monotonic() + 10
        while context.is_active() and time.monotonic() < end:
            time.sleep(0.05)
        return item


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Orders()])
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


def call(address, method, message, seconds):
    """Prints each message of the answer, then the status if it is not OK."""
    with grpc.insecure_channel(address) as channel:
        try:
            for answer in channel.unary_stream(f"/{method}")(message.encode(), timeout=seconds):
                print(answer.decode())
        except grpc.RpcError as error:
            print(f"{error.code().name}: {error.details()}")
            return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description="A small gRPC service, and a client for it.")
    commands = parser.add_subparsers(dest="command", required=True)
    server = commands.add_parser("serve")
    server.add_argument("--port", type=int, default=9000)
    client = commands.add_parser("call")
    client.add_argument("address")
    client.add_argument("method")
    client.add_argument("message", nargs="?", default="")
    client.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    if options.command == "call":
        sys.exit(call(options.address, options.method, options.message, options.seconds))
    try:
        serve(options.port)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
