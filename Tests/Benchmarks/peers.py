"""The programs that are compared, each with the configuration its documentation recommends for a plain reverse proxy.

All alike: one worker, connections kept alive on both sides, a pool to the backend that no load here exhausts, no
retries, no access log, their own metrics on, TLS as it comes. To add a peer: one class, one line in `PEERS`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from certificate import CERTIFICATE, KEY
from load import SMALL_BYTES

_REPOSITORY = Path(__file__).resolve().parents[2]

# What a configuration listens for and forwards. Each is a process of its own: a listener costs memory.
PLAIN = "plain"
"""HTTP/1.1 on both sides."""
H2 = "h2"
"""HTTP/2 by prior knowledge, to HTTP/1.1."""
H2_UPSTREAM = "h2-h2"
"""HTTP/2 by prior knowledge on both sides."""
TLS = "tls"
"""TLS with HTTP/2 and HTTP/1.1 by ALPN, to plain HTTP/1.1."""


@dataclass(frozen=True)
class Ports:
    listen: int
    admin: int
    backend: int


class Peer(ABC):
    """One program. An instance stands for the installed binary; it is started as often as the rows need it."""

    name: str
    """The table's column."""
    is_ours = False
    """The one whose figures are judged."""
    is_proxy = True
    """False for the backend asked directly: shown, but nobody's rival."""

    def __init__(self, binary: Path) -> None:
        self.binary = binary

    @classmethod
    def find(cls) -> Path | None:
        """The installed binary. Debian keeps daemons in /usr/sbin, which is not on everyone's path."""
        name = cls.name.lower()
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        return Path(found) if found else None

    @abstractmethod
    def command(self, folder: Path, ports: Ports, variant: str) -> list[str]:
        """Writes the configuration into the folder and tells how to start it. For `TLS` the certificate is there."""

    def supports(self, variant: str) -> bool:
        return variant in (PLAIN, H2, H2_UPSTREAM, TLS)

    def copy_of_binary(self, folder: Path) -> str:
        """For instances beside the one whose memory is judged: pages of the same file would count half for each."""
        return str(shutil.copy(self.binary, folder / "program"))

    def version(self) -> str:
        """The first version number it prints about itself."""
        for flag in ("--version", "-v"):
            try:
                printed = subprocess.run([self.binary, flag], capture_output=True, text=True, timeout=10)
            except (OSError, subprocess.TimeoutExpired):
                continue
            found = re.search(r"\d+\.\d+(\.\d+)?", printed.stdout + printed.stderr)
            if found and printed.returncode == 0:
                return found.group()
        return "?"


class Nginx(Peer):
    name = "nginx"

    # One process: master and worker apart would cost it another 2 MB and nothing else. Responses are buffered in
    # memory only; by default bulk bodies would go through a temporary file whenever the client is the slower side.
    # TLS 1.3 has to be asked for: nginx enables it by itself only since 1.23.4.
    _CONFIGURATION = """
        worker_processes 1; daemon off; master_process off;
        pid {folder}/pid; error_log {folder}/error crit;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; server_tokens off; tcp_nodelay on; sendfile on;
            keepalive_requests 1000000000; keepalive_timeout 600s;
            client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
            uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
            {http}
        }}
    """
    _PROXY = """
        upstream backend {{
            server 127.0.0.1:{ports.backend};
            keepalive 256; keepalive_requests 1000000000; keepalive_timeout 600s;
        }}
        server {{
            {listen}
            location / {{
                proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";
                proxy_max_temp_file_size 0; proxy_next_upstream off;
            }}
        }}
    """

    def command(self, folder: Path, ports: Ports, variant: str) -> list[str]:
        http = self._PROXY.format(ports=ports, listen=self._listen(folder, ports, variant))
        return self._start(str(self.binary), folder, http)

    def supports(self, variant: str) -> bool:
        """It has no HTTP/2 towards upstreams."""
        return variant != H2_UPSTREAM and super().supports(variant)

    def _listen(self, folder: Path, ports: Ports, variant: str) -> str:
        protocols = {PLAIN: "", H2: "http2", H2_UPSTREAM: "http2", TLS: "ssl http2"}[variant]
        listen = f"listen 127.0.0.1:{ports.listen} backlog=4096 {protocols};"
        if variant == TLS:
            listen += (f" ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {folder}/{CERTIFICATE};"
                       f" ssl_certificate_key {folder}/{KEY};")
        return listen

    def _start(self, binary: str, folder: Path, http: str) -> list[str]:
        file = folder / "nginx.conf"
        file.write_text(self._CONFIGURATION.format(folder=folder, http=http))
        return [binary, "-e", f"{folder}/error", "-p", str(folder), "-c", str(file)]


class Backend(Nginx):
    """What all proxies forward to: an nginx that answers 127 bytes, or 10 KiB and 1 MiB from the page cache."""

    name = "direct"
    is_proxy = False

    _SERVER = """
        open_file_cache max=16 inactive=600s; open_file_cache_valid 600s; default_type application/octet-stream;
        server {{
            {listen} root {folder};
            location / {{ return 200 "{small}"; }}
            location = /10k {{ }}
            location = /1m {{ }}
        }}
    """

    @classmethod
    def find(cls) -> Path | None:
        return Nginx.find()

    def command(self, folder: Path, ports: Ports, variant: str) -> list[str]:
        # Not one byte repeated: nothing on the way may find it easy.
        pattern = bytes(range(256)) * 4
        (folder / "10k").write_bytes(pattern * 10)
        (folder / "1m").write_bytes(pattern * 1024)
        small = ("The quick brown fox jumps over the lazy dog. " * 3)[:SMALL_BYTES]
        server = self._SERVER.format(folder=folder, listen=self._listen(folder, ports, variant), small=small)
        return self._start(self.copy_of_binary(folder), folder, server)

    def supports(self, variant: str) -> bool:
        """What it forwards is nothing in any case."""
        return Peer.supports(self, variant)


class HAProxy(Peer):
    name = "HAProxy"

    _CONFIGURATION = """
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    option http-keep-alive
    http-reuse always
    retries 0
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 600s
frontend bench
    bind 127.0.0.1:{ports.listen} backlog 4096 {bind}
    default_backend backend
frontend admin
    bind 127.0.0.1:{ports.admin}
    stats enable
    stats uri /
backend backend
    server one 127.0.0.1:{ports.backend} pool-purge-delay 600s {server}
"""

    def command(self, folder: Path, ports: Ports, variant: str) -> list[str]:
        file = folder / "haproxy.cfg"
        bind = {PLAIN: "", H2: "proto h2", H2_UPSTREAM: "proto h2",
                TLS: f"ssl crt {folder}/{CERTIFICATE} alpn h2,http/1.1"}[variant]
        server = "proto h2" if variant == H2_UPSTREAM else ""
        file.write_text(self._CONFIGURATION.format(ports=ports, bind=bind, server=server))
        return [str(self.binary), "-db", "-f", str(file)]


class Envoy(Peer):
    name = "Envoy"

    @classmethod
    def find(cls) -> Path | None:
        """One on the path, else the one that `install-peers` fetched."""
        fetched = _REPOSITORY / ".build-bench/envoy/envoy/_bin/envoy"
        return super().find() or (fetched if fetched.exists() else None)

    def command(self, folder: Path, ports: Ports, variant: str) -> list[str]:
        file = folder / "envoy.json"
        file.write_text(json.dumps(self._configuration(folder, ports, variant)))
        return [str(self.binary), "--config-path", str(file), "--concurrency", "1", "--disable-hot-restart",
                "--log-level", "error"]

    @classmethod
    def _configuration(cls, folder: Path, ports: Ports, variant: str) -> dict:
        def address(port: int) -> dict:
            return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

        filters = "type.googleapis.com/envoy.extensions.filters"
        connection_manager = {
            "@type": f"{filters}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "bench",
            "route_config": {"virtual_hosts": [{
                "name": "all", "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "backend"}}]}]},
            "http_filters": [{
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{filters}.http.router.v3.Router"}}],
        }
        filter_chain: dict = {"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": connection_manager}]}
        if variant == TLS:
            filter_chain["transport_socket"] = cls._transport_socket(folder)
        cluster: dict = {
            "name": "backend", "type": "STATIC", "connect_timeout": "5s",
            "circuit_breakers": {"thresholds": [{
                "max_connections": 100_000, "max_pending_requests": 100_000, "max_requests": 100_000}]},
            "load_assignment": {"cluster_name": "backend", "endpoints": [{
                "lb_endpoints": [{"endpoint": {"address": address(ports.backend)}}]}]}}
        if variant == H2_UPSTREAM:
            options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
            cluster["typed_extension_protocol_options"] = {options: {
                "@type": f"type.googleapis.com/{options}",
                "explicit_http_config": {"http2_protocol_options": {}}}}
        return {
            "admin": {"address": address(ports.admin)},
            "static_resources": {
                "listeners": [{
                    "name": "bench", "address": address(ports.listen), "filter_chains": [filter_chain]}],
                "clusters": [cluster],
            },
        }

    @staticmethod
    def _transport_socket(folder: Path) -> dict:
        context = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
        return {"name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": context,
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [{
                    "certificate_chain": {"filename": f"{folder}/{CERTIFICATE}"},
                    "private_key": {"filename": f"{folder}/{KEY}"}}]}}}


class Nghttpx(Peer):
    name = "nghttpx"

    def command(self, folder: Path, ports: Ports, variant: str) -> list[str]:
        # Its plain frontends take HTTP/2 by prior knowledge as well.
        frontend = f"--frontend=127.0.0.1,{ports.listen}" + ("" if variant == TLS else ";no-tls")
        backend = f"--backend=127.0.0.1,{ports.backend}" + (";;proto=h2" if variant == H2_UPSTREAM else "")
        certificate = ["--no-ocsp", f"{folder}/{KEY}", f"{folder}/{CERTIFICATE}"] if variant == TLS else []
        return [str(self.binary), "--conf=/dev/null", "--single-process", "--workers=1", "--log-level=ERROR",
                f"--pid-file={folder}/pid", f"--errorlog-file={folder}/error", "--backlog=4096",
                frontend, backend, "--frontend-keep-alive-timeout=600s", "--backend-keep-alive-timeout=600s",
                *certificate]


class Sidecar(Peer):
    """Ours. More variants: `access-log`, JSON to /dev/null; `routes-N`, a services file of N routes."""

    name = "sidecar"
    is_ours = True

    @classmethod
    def find(cls) -> Path | None:
        built = _REPOSITORY / ".build/release/sidecar"
        return built if built.exists() else None

    def command(self, folder: Path, ports: Ports, variant: str) -> list[str]:
        # JSON is YAML, and a library writes it without mistakes.
        listener: dict = {"name": "bench", "address": f"127.0.0.1:{ports.listen}"}
        configuration: dict = {
            "workers": 1, "admin": {"address": f"127.0.0.1:{ports.admin}"}, "listeners": [listener]}
        service: dict = {"name": "backend", "endpoints": [f"127.0.0.1:{ports.backend}"]}
        services = [service]
        kind, _, count = variant.partition("-")
        if kind == "routes":
            file = folder / "services.yaml"
            file.write_text(json.dumps({"services": services, "routes": self._routes(int(count))}, indent=1))
            configuration["services_file"] = str(file)
        else:
            listener["service"] = "backend"
            configuration["services"] = services
        if variant == TLS:
            listener["tls"] = {"certificate": f"{folder}/{CERTIFICATE}", "key": f"{folder}/{KEY}"}
        if variant == H2_UPSTREAM:
            service["protocol"] = "http2"
        if variant == "access-log":
            configuration["access_log"] = {"path": "/dev/null", "format": "json"}
        file = folder / "sidecar.yaml"
        file.write_text(json.dumps(configuration, indent=1))
        binary = str(self.binary) if variant == PLAIN else self.copy_of_binary(folder)
        return [binary, "run", "--config", str(file)]

    def supports(self, variant: str) -> bool:
        return True

    @staticmethod
    def _routes(count: int) -> list[dict]:
        """A hundred hosts (fewer when there are fewer routes) that share out the locations; see `wrk.lua`."""
        return [{"name": f"route-{i}", "hosts": [f"shop{i % 100}.bench.local"], "location": f"/api/v{i}/",
                 "service": "backend"} for i in range(count)]

    def version(self) -> str:
        """The commit it is built from says more than a version."""
        printed = subprocess.run(
            ["git", "-C", _REPOSITORY, "describe", "--always", "--dirty"], capture_output=True, text=True)
        return printed.stdout.strip() or super().version()


PEERS: list[type[Peer]] = [Nginx, HAProxy, Envoy, Nghttpx, Sidecar]
"""In the order of the table's columns."""
