package import Signing

/// A public key in DNS (RFC 6376 section 3.6.1).
package struct DKIMRecord: Sendable, Equatable {
    private let tags: TagList

    /// What keeps receivers from verifying a signature by a key, or makes it weak.
    package enum Problem: Sendable, Equatable {
        case malformed
        /// `p=` is empty.
        case revoked
        /// It is another key's.
        case otherKey
        /// `k=` or `h=` forbids the algorithm.
        case otherAlgorithm
        /// `s=` forbids e-mail.
        case otherService
        /// `t=y`: receivers take signed mail as if it were not signed.
        case testing
    }

    package init(_ text: String) { tags = TagList(text) }

    /// - Parameter key: which the record is to be of.
    package func problems(for key: DKIMKey) -> [Problem] {
        guard !tags.isMalformed, tags["v"] == nil || tags["v"] == "DKIM1" && tags.first == "v", let published = tags["p"] else {
            return [.malformed]
        }
        let bytes = published.filter { !$0.isWhitespace }
        if bytes.isEmpty { return [.revoked] }
        var problems: [Problem] = []
        let hashes = tags["h"].map(Self.list)
        if (tags["k"] ?? "rsa").lowercased() != key.algorithm.keyType || hashes?.contains("sha256") == false {
            problems.append(.otherAlgorithm)
        } else if bytes != TagList(key.record)["p"] {
            problems.append(.otherKey)
        }
        let services = tags["s"].map(Self.list) ?? ["*"]
        if !services.contains("*"), !services.contains("email") { problems.append(.otherService) }
        if tags["t"].map(Self.list)?.contains("y") == true { problems.append(.testing) }
        return problems
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ":").map { $0.filter { !$0.isWhitespace }.lowercased() }
    }
}
