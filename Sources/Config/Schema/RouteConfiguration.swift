/// Which requests go where. All conditions must hold; an absent one holds always.
package struct RouteConfiguration: Sendable {
    package enum Host: Hashable, Sendable {
        /// Lower case, without a port.
        case exact(String)
        /// `*.shop.local` is held as `shop.local`: any name with at least one more label.
        case wildcard(String)
    }

    /// nginx's `location`: what the path must be, and with it the precedence.
    package enum Location: Hashable, Sendable {
        /// `= /p`
        case exact(String)
        /// `/p`, or `^~ /p` which regular expressions do not override.
        case prefix(String, beatsRegex: Bool)
        /// `~ p`, or `~* p` ignoring case. PCRE2 syntax.
        case regex(String, ignoresCase: Bool)
        /// Calls by gRPC of a service, `shop.Orders`, or of one method of it. Written as `grpc` in place of `location`.
        case grpc(service: String, method: String?)

        /// The location that has the same paths and is not `grpc`: `= /shop.Orders/Place` or `/shop.Orders/`.
        package var path: Location {
            guard case .grpc(let service, let method) = self else { return self }
            return method.map { .exact("/\(service)/\($0)") } ?? .prefix("/\(service)/", beatsRegex: false)
        }
    }

    package enum Action: Sendable {
        case service(String)
        case redirect(RedirectConfiguration)
        case respond(FixedResponseConfiguration)
    }

    package var name: String
    /// Empty: any host.
    package var hosts: [Host] = []
    /// Listeners it applies to; empty: all without a service of their own.
    package var listeners: [String] = []
    package var location = Location.prefix("/", beatsRegex: false)
    /// Upper-case names; empty: any.
    package var methods: [String] = []
    package var headers: [FieldCondition] = []
    /// Conditions on query parameters.
    package var query: [FieldCondition] = []
    package var clientCertificate: ClientCertificateCondition?
    package var action: Action
    package var rewrite: RewriteConfiguration?
    package var requestHeaders = HeaderEdits()
    package var responseHeaders = HeaderEdits()
    /// Overrides of the service's and listener's values.
    package var responseTimeout: Duration?
    package var idleTimeout: Duration?
    package var bodyBytesMax: UInt64?
    /// Where its definition stands, `file:line`, for diagnostics.
    package var source = ""

    package init(name: String, action: Action) {
        self.name = name
        self.action = action
    }
}

/// A condition on a header field or query parameter. Field names match in any case, parameters' and all values exactly.
package struct FieldCondition: Hashable, Sendable {
    package enum Test: Hashable, Sendable {
        case exact(String), prefix(String), regex(String), present, absent
    }

    package var name: String
    package var test: Test

    package init(name: String, test: Test) {
        self.name = name
        self.test = test
    }
}

/// A condition on the certificate that the client showed and that was verified. What is absent holds always, but at least
/// one is there.
package struct ClientCertificateCondition: Hashable, Sendable {
    /// Whether there is one.
    package var isPresent: Bool?
    /// The subject's distinguished name (RFC 2253): `CN=orders,O=shop`.
    package var subject: FieldCondition.Test?
    /// The subject's alternative names, as text without their kind; that one of them holds is enough.
    package var san: FieldCondition.Test?
    package init() {}
}

/// Changes the path before it is sent; the query stays.
package enum RewriteConfiguration: Hashable, Sendable {
    /// Replaces the part that the route's prefix (or exact) location matched.
    case prefix(String)
    /// Replaces the first match; `$1`...`$9` are the groups, `$$` a dollar.
    case regex(String, replacement: String)
}

/// `Location` of the redirect is put together from what is given and the request's own parts.
package struct RedirectConfiguration: Hashable, Sendable {
    /// 301, 302, 303, 307 or 308.
    package var status: UInt16 = 302
    package var scheme: String?
    /// Host, with a port where one is wanted.
    package var host: String?
    /// The new path; the request's query is kept.
    package var path: String?
    package init() {}
}

/// A response that the proxy makes without asking an endpoint.
package struct FixedResponseConfiguration: Hashable, Sendable {
    /// 200 to 599.
    package var status: UInt16 = 200
    package var body = ""
    package var contentType = "text/plain; charset=utf-8"
    package init() {}
}

/// Header changes: `remove` first, then `set` (replaces all of that name), then `add`.
package struct HeaderEdits: Hashable, Sendable {
    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package var remove: [String] = []
    package var set: [Field] = []
    package var add: [Field] = []
    package var isEmpty: Bool { remove.isEmpty && set.isEmpty && add.isEmpty }
    package init() {}
}
