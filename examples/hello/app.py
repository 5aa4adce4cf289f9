#!/usr/bin/env python3
"""A small application to put behind the sidecar: a shop's orders, in memory. Python's standard library only.

    GET  /          says hello, and what the request looked like when it arrived
    GET  /orders    all orders
    POST /orders    a new one, from the JSON body
    GET  /slow      answers after `?seconds=`, 2 by default
    GET  /healthz   for health checks
"""

import argparse
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

orders = [{"id": 1, "item": "tea"}, {"id": 2, "item": "biscuits"}]
lock = threading.Lock()


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body leave in one packet.
    wbufsize = -1

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/":
            self.answer_text(200, "\n".join([
                "hello",
                f"  host: {self.headers['host']}",
                f"  via: {self.headers['via']}",
                f"  x-forwarded-for: {self.headers['x-forwarded-for']}",
                f"  x-request-id: {'present' if self.headers['x-request-id'] else 'absent'}",
                ""]))
        elif url.path == "/orders":
            with lock:
                self.answer_json(200, orders)
        elif url.path == "/slow":
            seconds = float(parse_qs(url.query).get("seconds", ["2"])[0])
            time.sleep(min(seconds, 60))
            self.answer_text(200, f"slept {seconds:g} s\n")
        elif url.path == "/healthz":
            self.answer_text(200, "ok\n")
        else:
            self.answer_json(404, {"error": f"no {url.path} here"})

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if urlsplit(self.path).path != "/orders":
            return self.answer_json(404, {"error": "only /orders takes a POST"})
        try:
            item = json.loads(body)["item"]
        except (ValueError, KeyError, TypeError):
            return self.answer_json(400, {"error": 'send {"item": "..."}'})
        with lock:
            order = {"id": len(orders) + 1, "item": item}
            orders.append(order)
        self.answer_json(201, order)

    def answer_text(self, status, text):
        self.answer(status, "text/plain; charset=utf-8", text.encode())

    def answer_json(self, status, value):
        self.answer(status, "application/json", json.dumps(value).encode() + b"\n")

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        """The sidecar keeps the access log."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


def main():
    parser = argparse.ArgumentParser(description="A small application to put behind the sidecar.")
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    with Server(("127.0.0.1", options.port), Shop) as server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
