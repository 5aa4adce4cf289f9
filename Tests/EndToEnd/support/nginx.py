"""nginx as an endpoint (and, for the harness's own tests, as the proxy)."""

import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess

from .ports import free_port
from .waiting import wait_for

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if os.path.exists("/usr/sbin/nginx") else None)

FILES = {"empty": 0, "1k": 1024, "10k": 10 * 1024, "1m": 1 << 20, "10m": 10 << 20}


class Nginx:
    """One nginx with its own prefix: static files of `FILES`, an echo of the headers, a sink for uploads.

    `http2_port` is the same server for HTTP/2 without TLS. `listen` are further `listen` directives of its server,
    `servers` whole servers beside it."""

    def __init__(self, directory, extra="", listen="", servers=""):
        self.directory = directory
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.http2_port = free_port()
        root = directory / "root"
        root.mkdir(parents=True)
        self.sha256 = {}
        for name, size in FILES.items():
            data = random.Random(name).randbytes(size)
            (root / name).write_bytes(data)
            self.sha256[name] = hashlib.sha256(data).hexdigest()
        (directory / "temp").mkdir()
        configuration = directory / "nginx.conf"
        configuration.write_text(f"""
            daemon off;
            master_process off;
            worker_processes 1;
            pid {directory}/nginx.pid;
            error_log {directory}/error.log;
            events {{ worker_connections 4096; }}
            http {{
                access_log off;
                client_max_body_size 64m;
                client_body_temp_path {directory}/temp/body;
                proxy_temp_path {directory}/temp/proxy;
                fastcgi_temp_path {directory}/temp/fastcgi;
                uwsgi_temp_path {directory}/temp/uwsgi;
                scgi_temp_path {directory}/temp/scgi;
                keepalive_requests 1000000;
                server {{
                    listen 127.0.0.1:{self.port};
                    listen 127.0.0.1:{self.http2_port} http2;
                    {listen}
                    root {root};
                    location / {{ }}
                    location = /small {{ return 200 "hello from nginx\\n"; }}
                    location = /headers {{
                        default_type text/plain;
                        return 200 "host=$http_host via=$http_via xff=$http_x_forwarded_for id=$http_x_request_id";
                    }}
                    location /uploads/ {{
                        alias {directory}/temp/;
                        dav_methods PUT DELETE;
                        create_full_put_path on;
                    }}
                    {extra}
                }}
                {servers}
            }}""")
        self.process = subprocess.Popen(
            [NGINX, "-p", str(directory), "-c", str(configuration), "-e", str(directory / "error.log")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._accepts, "nginx to accept connections")

    def _accepts(self):
        assert self.process.poll() is None, (self.directory / "error.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def uploaded(self, name):
        return (self.directory / "temp" / name).read_bytes()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
