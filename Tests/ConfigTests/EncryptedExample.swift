/// A configuration that uses every key of TLS, HTTP/2 and gRPC.
enum EncryptedExample {
    static let yaml = """
        listeners:
          - name: web
            address: 0.0.0.0:8443
            protocol: auto
            tls:
              certificates:
                - {certificate: /certs/a.crt, key: /certs/a.key}
                - {certificate: /certs/b.crt, key: /certs/b.key}
              min_version: "1.2"
              max_version: "1.3"
              ciphers: [ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256]
              ciphersuites: [TLS_AES_128_GCM_SHA256]
              curves: [X25519, P-256]
              client_auth: optional
              client_ca: /certs/clients.pem
              client_crl: /certs/revoked.pem
              session_tickets: false
              ticket_rotation: 6h
              handshake_timeout: 3s
            http2:
              enabled: true
              streams_max: 250
              stream_window: 256KiB
              connection_window: 2MiB
              extended_connect: false
              ping_interval: 30s
              ping_timeout: 5s
              age_max: 10m
              age_jitter: 90s
              age_grace: 1m
              limits:
                continuations: 4
                resets: 100
                pings: 20
                settings: 10
                empty_frames: 40
                window_updates: 1000
                priorities: 50
                interval: 5s
            forwarded: {client_certificate: true}
          - name: plain
            address: 0.0.0.0:8080
            tls: {certificate: /certs/a.crt, key: /certs/a.key, min_version: 1.3}
            http2: {enabled: false, age_max: 1h}
          - name: by-name
            address: 0.0.0.0:9443
            protocol: tls_passthrough
            timeouts: {head: 2s}
          - name: database
            address: 127.0.0.1:3306
            protocol: tls_passthrough
            service: db
        services:
          - name: orders
            protocol: grpc
            endpoints: ["10.0.0.11:8443"]
            tls:
              ca: /certs/ca.pem
              server_name: Orders.shop.local
              insecure_skip_verify: true
              certificate: /certs/me.crt
              key: /certs/me.key
              min_version: "1.3"
              max_version: "1.3"
              ciphersuites: [TLS_CHACHA20_POLY1305_SHA256]
              curves: [X25519]
            http2:
              streams_max: 50
              stream_window: 1MiB
              connection_window: 16MiB
              ping_interval: 1m
              ping_timeout: 10s
          - {name: items, protocol: http2, endpoints: ["10.0.0.12:443"], tls: {}}
          - {name: db, protocol: tcp, endpoints: ["10.0.0.20:3306"]}
        routes:
          - name: place
            grpc: {service: shop.Orders, method: Place}
            listeners: [web]
            client_certificate:
              subject: {prefix: "CN=web,"}
              san: "spiffe://shop/web"
              present: true
            service: orders
          - {name: orders, grpc: {service: shop.Orders}, listeners: [web], service: orders}
          - {name: unknown, listeners: [web], client_certificate: {present: false}, respond: {status: 403}}
          - {name: passed, hosts: ["*.db.local"], listeners: [by-name], service: db}

        """
}
