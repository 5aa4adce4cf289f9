"""A gRPC service on Google's own server, without generated code: messages are the bytes themselves."""

import asyncio
import os
import threading

# The tests fork to start programs; gRPC's own handlers for that are not needed, and warn.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc  # noqa: E402
from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: E402
from grpc_health.v1.health import aio as health_aio  # noqa: E402
from grpc_reflection.v1alpha import reflection  # noqa: E402

from .ports import free_port  # noqa: E402
from .waiting import DEADLINE  # noqa: E402

SERVICE = "story.Echo"
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Echo:
    """The methods. Each says in the metadata which server it was."""

    def __init__(self, name):
        self.name = name
        self.calls = 0
        self.metadata = []
        self.remaining = []
        self.cancelled = threading.Event()
        self.started = threading.Event()

    async def _begin(self, context):
        self.calls += 1
        self.metadata.append(list(context.invocation_metadata()))
        self.remaining.append(context.time_remaining())
        await context.send_initial_metadata((("server", self.name),))

    async def unary(self, request, context):
        """Answers with the request; `x-echo` and `x-echo-bin` come back as metadata at the end."""
        await self._begin(context)
        given = [(key, value) for key, value in context.invocation_metadata() if key in ("x-echo", "x-echo-bin")]
        context.set_trailing_metadata(tuple(given))
        return request

    async def fail(self, request, context):
        """Fails with the status that the request names: `<number> <message>`."""
        await self._begin(context)
        number, _, message = request.decode().partition(" ")
        code = next(code for code in grpc.StatusCode if code.value[0] == int(number))
        context.set_trailing_metadata((("x-why", "asked"),))
        await context.abort(code, message)

    async def client_stream(self, requests, context):
        await self._begin(context)
        count = size = 0
        async for request in requests:
            count, size = count + 1, size + len(request)
        return f"{count} {size}".encode()

    async def server_stream(self, request, context):
        """As many messages as the request says."""
        await self._begin(context)
        for number in range(int(request)):
            yield str(number).encode()

    async def bidi_stream(self, requests, context):
        await self._begin(context)
        async for request in requests:
            yield request

    async def hang(self, request, context):
        """Never answers."""
        await self._begin(context)
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    def handlers(self):
        return grpc.method_handlers_generic_handler(SERVICE, {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "ClientStream": grpc.stream_unary_rpc_method_handler(self.client_stream),
            "ServerStream": grpc.unary_stream_rpc_method_handler(self.server_stream),
            "BidiStream": grpc.stream_stream_rpc_method_handler(self.bidi_stream),
            "Hang": grpc.unary_unary_rpc_method_handler(self.hang),
        })


class GRPCServer:
    """One server, on a thread and a loop of its own, with health and reflection."""

    def __init__(self, name="one", certificate=None, options=()):
        self.echo = Echo(name)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._options = [*UNLIMITED, ("grpc.so_reuseport", 0), *options]
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(DEADLINE)

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        ready.set()
        self._loop.run_forever()
        self._loop.close()

    async def _start(self):
        self._server = grpc.aio.server(options=self._options)
        self._server.add_generic_rpc_handlers((self.echo.handlers(),))
        self.health = health_aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        await self.health.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
        reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), self._server)
        if self._certificate:
            pair = [(self._certificate.key.read_bytes(), self._certificate.certificate.read_bytes())]
            self._server.add_secure_port(self.address, grpc.ssl_server_credentials(pair))
        else:
            self._server.add_insecure_port(self.address)
        await self._server.start()

    def on_loop(self, coroutine, wait=True):
        """Runs it where the server runs."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(DEADLINE) if wait else future

    def stop(self, grace=None, wait=True):
        """GOAWAY, then `grace` seconds for what runs."""
        return self.on_loop(self._server.stop(grace), wait)

    def close(self):
        if self._thread.is_alive():
            self.stop()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(DEADLINE)


class Client:
    """Calls by name."""

    def __init__(self, port, certificate_authority=None, options=(), host="test.local"):
        options = [*UNLIMITED, ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0), *options]
        if certificate_authority:
            credentials = grpc.ssl_channel_credentials(certificate_authority.certificate.read_bytes())
            options += [("grpc.ssl_target_name_override", host), ("grpc.default_authority", host)]
            self.channel = grpc.secure_channel(f"127.0.0.1:{port}", credentials, options)
        else:
            self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)

    def unary(self, request=b"hello", method="Unary", service=SERVICE, timeout=DEADLINE, **options):
        return self.channel.unary_unary(f"/{service}/{method}")(request, timeout=timeout, **options)

    def with_call(self, request=b"hello", method="Unary", timeout=DEADLINE, **options):
        return self.channel.unary_unary(f"/{SERVICE}/{method}").with_call(request, timeout=timeout, **options)

    def future(self, request=b"hello", method="Unary", timeout=DEADLINE, **options):
        return self.channel.unary_unary(f"/{SERVICE}/{method}").future(request, timeout=timeout, **options)

    def client_stream(self, requests, timeout=DEADLINE):
        return self.channel.stream_unary(f"/{SERVICE}/ClientStream")(iter(requests), timeout=timeout)

    def server_stream(self, request, timeout=DEADLINE):
        return self.channel.unary_stream(f"/{SERVICE}/ServerStream")(request, timeout=timeout)

    def bidi_stream(self, requests, timeout=DEADLINE):
        return self.channel.stream_stream(f"/{SERVICE}/BidiStream")(requests, timeout=timeout)

    def fails(self, **options):
        """The error of a unary call that must fail."""
        try:
            answer = self.unary(**options)
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"answered {answer!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
