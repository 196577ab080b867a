import FoundationEssentials
import Model
import Text

/// The responses that stay the same, and what an Authorization field has to hold.
struct HTTPResponses: Sendable {
    /// The values that are let in; empty when all are.
    let authorizations: [[UInt8]]

    init(_ configuration: SinkConfiguration) {
        if let credentials = configuration.credentials {
            let pair = Data("\(credentials.username):\(credentials.password.exposed)".utf8)
            authorizations = [
                Array("Basic \(pair.base64EncodedString())".utf8), Array("Bearer \(credentials.password.exposed)".utf8),
            ]
        } else {
            authorizations = []
        }
    }
}
