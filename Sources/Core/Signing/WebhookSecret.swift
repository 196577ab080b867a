import CLibCrypto
import Foundation
package import Text

/// A secret by which messages to other systems are signed, as Standard Webhooks has it: `whsec_` and 24 to 64 bytes in base64.
package struct WebhookSecret: Sendable {
    package static let prefix = "whsec_"
    private static let sizes = 24...64
    private static let newSize = 32

    private let key: [UInt8]

    /// - Throws: `WebhookSecretError`, which does not repeat the text.
    package init(_ text: Secret) throws(WebhookSecretError) {
        let trimmed = text.exposed.trimmingCharacters(in: .whitespacesAndNewlines)
        guard trimmed.hasPrefix(Self.prefix), let key = Data(base64Encoded: String(trimmed.dropFirst(Self.prefix.count))),
            Self.sizes.contains(key.count)
        else { throw WebhookSecretError() }
        self.key = [UInt8](key)
    }

    private init(key: [UInt8]) { self.key = key }

    /// A new one, from the system's random numbers.
    package static func random() -> WebhookSecret {
        var generator = SystemRandomNumberGenerator()
        return WebhookSecret(key: (0..<newSize).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    /// As it is stored, and as a receiver gets it.
    package var text: Secret { Secret(Self.prefix + Data(key).base64EncodedString()) }

    /// The signature of a message: `v1,` and HMAC-SHA256 of `id.timestamp.body` in base64.
    /// - Parameter timestamp: seconds since 1970.
    package func sign(id: String, timestamp: Int64, _ body: [UInt8]) -> String {
        let text = Array("\(id).\(timestamp).".utf8) + body
        var out = [UInt8](repeating: 0, count: 64)
        let count = flotilla_hmac_once("SHA256", key, key.count, text, text.count, &out)
        // Only without SHA-256 there is none; a receiver refuses what has no signature.
        return "v1," + Data(out.prefix(count)).base64EncodedString()
    }
}

/// The text is no secret for webhooks.
package struct WebhookSecretError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description = "is no secret for webhooks: one is whsec_ and 24 to 64 bytes in base64 behind it"
}
