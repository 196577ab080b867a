/// How a provider proves that a request is its own.
package enum WebhookSignature: Sendable, Equatable {
    /// A part of a request that is signed.
    package enum Part: Sendable, Equatable {
        case header(String)
        /// What stands at a path of a JSON body.
        case member(String)
        /// A parameter of the address's query.
        case query(String)
        /// The same in every request, as a dot between others.
        case text(String)
        case body
        case url
        /// The fields of a form by their names, each name with its value behind it.
        case form
    }

    package enum Digest: String, Sendable {
        case sha1 = "SHA1"
        case sha256 = "SHA256"
    }

    package enum Encoding: Sendable {
        case hexadecimal, base64
    }

    /// The secret itself stands in a part.
    case token(Part)
    /// A user and a password, `user:password`, by HTTP Basic (RFC 7617).
    case basic
    /// A secret that both have.
    case hmac(Digest, Encoding, signature: Part, of: [Part])
    /// The provider's public key, in base64 of its SubjectPublicKeyInfo.
    case publicKey(Digest, signature: Part, of: [Part])
    /// The certificate that the message names, of Amazon's SNS.
    case notificationService
}
