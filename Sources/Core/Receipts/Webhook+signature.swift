import CLibCrypto
import Foundation
package import Text

extension Webhook {
    /// Checks that the provider sent it, and not long ago.
    /// - Parameters:
    ///   - secret: the scheme's: the key of an HMAC, a public key in base64, `user:password`, or the certificate in PEM that
    ///     `NotificationService.certificate` names.
    ///   - now: seconds since 1970.
    /// - Throws: `WebhookFault`.
    package func verify(secret: Secret, now: Int64) throws(WebhookFault) {
        // Everybody knows the empty secret.
        guard !secret.exposed.isEmpty else { throw .forged }
        switch scheme.signature {
        case .token(let part):
            guard let given = text(of: part), Self.isEqual(Array(given.utf8), Array(secret.exposed.utf8)) else {
                throw .forged
            }
        case .basic:
            let expected = "Basic " + Data(secret.exposed.utf8).base64EncodedString()
            guard Self.isEqual(Array((request.headers["authorization"] ?? "").utf8), Array(expected.utf8)) else { throw .forged }
        case .hmac(let digest, let encoding, let signature, let parts):
            guard let given = text(of: signature), let signed = bytes(of: parts),
                let bytes = Self.decode(given, encoding), let own = Self.hmac(digest, secret, signed), Self.isEqual(bytes, own)
            else { throw .forged }
        case .publicKey(let digest, let signature, let parts):
            guard let given = text(of: signature).flatMap({ Self.decode($0, .base64) }), let signed = bytes(of: parts),
                let key = Self.decode(secret.exposed, .base64),
                flotilla_verify_by_key(digest.rawValue, key, key.count, signed, signed.count, given, given.count) == 1
            else { throw .forged }
        case .notificationService:
            guard let (digest, signed) = NotificationService.signed(content),
                let given = content["Signature"]?.plain.flatMap({ Self.decode($0, .base64) })
            else { throw .forged }
            let certificate = Array(secret.exposed.utf8)
            guard
                flotilla_verify_by_certificate(
                    digest.rawValue, certificate, certificate.count, now, signed, signed.count, given, given.count) == 1
            else { throw .forged }
        }
        try checkAge(now)
    }

    /// The token of a request that was verified, with its body; nil where the scheme has none.
    /// - Parameter name: of the webhook: each has tokens of its own.
    /// - Throws: `WebhookFault.malformed`.
    package func use(secret: Secret, of name: String) throws(WebhookFault) -> UsedTokens.Use? {
        guard let part = scheme.token else { return nil }
        guard let token = text(of: part), !token.isEmpty, let time = try signingTime(),
            let names = Self.hmac(.sha256, secret, Array("\(name)\n\(token)".utf8)), let body = Self.hmac(.sha256, secret, request.body)
        else { throw .malformed("no token of its signature") }
        func number(_ bytes: [UInt8]) -> UInt64 { bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
        return UsedTokens.Use(token: number(names), body: number(body), until: time + scheme.window)
    }

    /// When it was signed, in seconds since 1970; nil where the scheme has no time.
    private func signingTime() throws(WebhookFault) -> Int64? {
        guard let part = scheme.signedAt else { return nil }
        guard let text = text(of: part), let time = Double(text) ?? ProviderScheme.Time.seconds(text), 0..<10_000_000_000 ~= time else {
            throw .malformed("no time of its signature")
        }
        return Int64(time)
    }

    private func checkAge(_ now: Int64) throws(WebhookFault) {
        guard let time = try signingTime() else { return }
        guard abs(now - time) <= scheme.window else { throw .old(now - time) }
    }

    private func text(of part: WebhookSignature.Part) -> String? {
        switch part {
        case .header(let name): request.headers[name]
        case .member(let path): content[path]?.plain
        case .query(let name): request.parameter(name)
        case .text(let text): text
        case .url: request.url
        case .body, .form: bytes(of: [part]).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// The parts behind one another; nil where one is missing.
    private func bytes(of parts: [WebhookSignature.Part]) -> [UInt8]? {
        var bytes: [UInt8] = []
        for part in parts {
            switch part {
            case .body: bytes += request.body
            case .form:
                guard case .object(let fields) = content else { return nil }
                for (name, value) in fields.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                    bytes += Array(name.utf8) + Array((value.plain ?? "").utf8)
                }
            case .header, .member, .query, .text, .url:
                guard let text = text(of: part) else { return nil }
                bytes += Array(text.utf8)
            }
        }
        return bytes
    }

    private static func hmac(_ digest: WebhookSignature.Digest, _ secret: Secret, _ text: [UInt8]) -> [UInt8]? {
        let key = Array(secret.exposed.utf8)
        var out = [UInt8](repeating: 0, count: 64)
        let count = flotilla_hmac_once(digest.rawValue, key, key.count, text, text.count, &out)
        return count > 0 ? Array(out[..<count]) : nil
    }

    private static func decode(_ text: String, _ encoding: WebhookSignature.Encoding) -> [UInt8]? {
        guard text.utf8.count <= 10_000 else { return nil }
        switch encoding {
        case .base64: return Data(base64Encoded: text).map { Array($0) }
        case .hexadecimal:
            var bytes: [UInt8] = []
            var rest = text.utf8.makeIterator()
            while let first = rest.next() {
                guard let high = first.hexadecimalValue, let low = rest.next()?.hexadecimalValue else { return nil }
                bytes.append(high << 4 | low)
            }
            return bytes
        }
    }

    /// Compares in a time that does not tell how much is equal.
    private static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
