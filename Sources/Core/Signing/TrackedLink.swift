import Text

/// A link of an e-mail that is counted on its way to its target: `TOKEN/PAYLOAD`, where the payload holds the link's number and the target.
/// Nothing needs to be looked up for it, ever, and nobody can make one that leads elsewhere.
package struct TrackedLink: Sendable, Equatable {
    /// The link's place in the message, from 0.
    package let number: UInt16
    /// The target, as it stands in the message: `http:` or `https:`.
    package let target: [UInt8]

    package init(number: UInt16, target: [UInt8]) {
        self.number = number
        self.target = target
    }

    /// The longest target: browsers and proxies take addresses of 8 KiB, of which a payload is four thirds.
    package static let longestTarget = 4096

    private var payload: [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] + target }

    /// Appends the path behind the tracker's prefix for clicks.
    package func append(_ subject: TokenSubject, keys: SigningKeys, to out: inout [UInt8]) {
        let payload = payload
        keys.appendToken(.click, subject, payload: payload, to: &out)
        out.append(UInt8(ascii: "/"))
        Base64URL.append(payload, to: &out)
    }

    /// Reads the path behind the tracker's prefix for clicks, as a stranger sent it.
    /// - Throws: `TokenFault`.
    package static func read(_ path: some Collection<UInt8>, keys: SigningKeys) throws(TokenFault) -> (TokenSubject, TrackedLink) {
        guard let slash = path.firstIndex(of: UInt8(ascii: "/")),
            path.count <= Base64URL.length(of: longestTarget + 2) + 64,
            let payload = Base64URL.decode(path[path.index(after: slash)...]), payload.count > 2
        else { throw .malformed }
        let subject = try keys.verify(path[..<slash], for: .click, payload: payload)
        return (subject, TrackedLink(number: UInt16(payload[0]) << 8 | UInt16(payload[1]), target: Array(payload[2...])))
    }
}
