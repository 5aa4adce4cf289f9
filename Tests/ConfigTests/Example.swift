/// Configurations that use every key, as YAML and as the same in JSON.
enum Example {
    static let yaml = """
        # Every key once.
        workers: 2
        admin:
          address: 127.0.0.1:15020
        drain_timeout: 8s
        access_log: {path: /var/log/sidecar.log, format: text, buffer: 64KiB}
        log_level: debug
        dns:
          servers: [10.0.0.2, "[fd00::2]:5353"]
          timeout: 2s
        metrics: {series_max: 4096}
        connections_max: 5000
        listeners:
          - name: web
            address: 127.0.0.1:8000
            mode: gateway
            protocol: http
            limits: {request_line: 8KiB, head: 32KiB, fields: 100, body: 10MiB}
            timeouts: {head: 5s, keep_alive: 1m15s, idle: 250ms}
            forwarded:
              trusted_proxies: [10.0.0.0/8, "fd00::/8"]
              x_forwarded: false
              forwarded: true
              via: false
              request_id: false
            path: {allow_encoded_slash: true, allow_backslash: true, merge_slashes: false}
            requests_max: 1000
            backlog: 128
          - name: orders-local
            address: unix:/run/orders.sock
            service: orders
        services:
          - name: orders
            protocol: http
            endpoints:
              - {name: backend1, address: 10.0.0.11:8080, weight: 2}
              - {name: backend2, address: Orders.shop.svc:8080}
              - "[::1]:9000"
              - unix:@orders
            balance: round_robin
            timeouts: {connect: 500ms, response: 30s, idle: 1h}
            pool: {idle_max: 8, connections_max: 64, idle_timeout: 3s, requests_max: 100, age_max: 10m}
            limits: {head: 16KiB, fields: 50}
        routes:
          - name: orders-api
            hosts: [Shop.local, "*.shop.local"]
            listeners: [web]
            location: /api/
            methods: [GET, POST]
            headers:
              X-Requested-With: XMLHttpRequest
              Accept: {prefix: "application/"}
              X-Old: {present: false}
            query:
              version: {regex: "^[0-9]+$"}
              debug: {present: true}
              kind: {exact: full}
            service: orders
            rewrite: {prefix: /v1/}
            request_headers:
              set: {X-Team: shop, Host: orders.internal}
              add: {X-Tag: [a, b], X-One: one}
              remove: [X-Secret]
            response_headers:
              set: {X-Served-By: sidecar}
            timeouts: {response: 5s, idle: 10s}
            limits: {body: 1MiB}
          - name: images
            location: "~* \\\\.(png|jpg)$"
            service: orders
            rewrite: {regex: "^/img/(.*)$", replacement: "/static/$1"}
          - {name: exact, location: = /health, respond: {status: 200, body: "ok\\n", content_type: text/plain}}
          - {name: old, location: ^~ /old/, redirect: {status: 308, scheme: https, host: "shop.local:8443", path: /new}}

        """

    static let json = #"""
        {
          "workers": 2,
          "admin": {"address": "127.0.0.1:15020"},
          "drain_timeout": "8s",
          "access_log": {"path": "\/var\/log\/sidecar.log", "format": "text", "buffer": "64KiB"},
          "log_level": "debug",
          "dns": {"servers": ["10.0.0.2", "[fd00::2]:5353"], "timeout": "2s"},
          "metrics": {"series_max": 4096},
          "connections_max": 5000,
          "listeners": [
            {
              "name": "web", "address": "127.0.0.1:8000", "mode": "gateway", "protocol": "http",
              "limits": {"request_line": "8KiB", "head": "32KiB", "fields": 100, "body": "10MiB"},
              "timeouts": {"head": "5s", "keep_alive": "1m15s", "idle": "250ms"},
              "forwarded": {
                "trusted_proxies": ["10.0.0.0/8", "fd00::/8"],
                "x_forwarded": false, "forwarded": true, "via": false, "request_id": false
              },
              "path": {"allow_encoded_slash": true, "allow_backslash": true, "merge_slashes": false},
              "requests_max": 1000, "backlog": 128
            },
            {"name": "orders-local", "address": "unix:/run/orders.sock", "service": "orders"}
          ],
          "services": [
            {
              "name": "orders", "protocol": "http",
              "endpoints": [
                {"name": "backend1", "address": "10.0.0.11:8080", "weight": 2},
                {"name": "backend2", "address": "Orders.shop.svc:8080"},
                "[::1]:9000", "unix:@orders"
              ],
              "balance": "round_robin",
              "timeouts": {"connect": "500ms", "response": "30s", "idle": "1h"},
              "pool": {
                "idle_max": 8, "connections_max": 64, "idle_timeout": "3s", "requests_max": 100, "age_max": "10m"
              },
              "limits": {"head": "16KiB", "fields": 50}
            }
          ],
          "routes": [
            {
              "name": "orders-api", "hosts": ["Shop.local", "*.shop.local"], "listeners": ["web"],
              "location": "/api/", "methods": ["GET", "POST"],
              "headers": {
                "X-Requested-With": "XMLHttpRequest", "Accept": {"prefix": "application/"},
                "X-Old": {"present": false}
              },
              "query": {
                "version": {"regex": "^[0-9]+$"}, "debug": {"present": true}, "kind": {"exact": "full"}
              },
              "service": "orders", "rewrite": {"prefix": "/v1/"},
              "request_headers": {
                "set": {"X-Team": "shop", "Host": "orders.internal"},
                "add": {"X-Tag": ["a", "b"], "X-One": "one"},
                "remove": ["X-Secret"]
              },
              "response_headers": {"set": {"X-Served-By": "sidecar"}},
              "timeouts": {"response": "5s", "idle": "10s"},
              "limits": {"body": "1MiB"}
            },
            {
              "name": "images", "location": "~* \\.(png|jpg)$", "service": "orders",
              "rewrite": {"regex": "^/img/(.*)$", "replacement": "/static/$1"}
            },
            {
              "name": "exact", "location": "= /health",
              "respond": {"status": 200, "body": "ok\n", "content_type": "text/plain"}
            },
            {
              "name": "old", "location": "^~ /old/",
              "redirect": {"status": 308, "scheme": "https", "host": "shop.local:8443", "path": "/new"}
            }
          ]
        }
        """#
}
