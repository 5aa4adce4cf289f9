import Config
import Core

/// A response that a route gives by itself, its bytes prepared. Immutable, shared by all workers.
package final class FixedResponse: Sendable {
    package let status: UInt16
    package let contentType: [UInt8]
    package let body: [UInt8]

    init(_ configuration: FixedResponseConfiguration, _ problem: (_ what: String, _ message: String) -> Void) {
        status = configuration.status
        let contentType = Array(configuration.contentType.utf8)
        self.contentType = contentType
        body = Array(configuration.body.utf8)
        if !(200...599).contains(configuration.status) { problem("respond.status", "must be 200 to 599") }
        if !FieldText.isValue(contentType.span) {
            problem("respond.content_type", "is not a valid field value")
        }
    }
}
