/// A URL cut into what our configuration needs of it (RFC 3986, sections 3 and 2.1).
struct URLParts: Equatable {
    var scheme: String
    var username: String?
    var password: String?
    /// Without the brackets of an IPv6 address.
    var host: String
    var port: Int?
    /// Path and query as they were written.
    var path: String

    /// nil: no scheme, a port out of range, a malformed escape, a host with other characters than names and addresses
    /// have, or a space or control character anywhere.
    init?(_ text: String) {
        guard !text.utf8.contains(where: { $0.isControl || $0 == UInt8(ascii: " ") }),
            let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://")
        else { return nil }
        scheme = text[..<colon].lowercased()
        var rest = text[colon...].dropFirst(3)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        path = String(rest[end...])
        rest = rest[..<end]
        if let at = rest.lastIndex(of: "@") {
            let user = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(user[0]) else { return nil }
            username = name.isEmpty ? nil : name
            if user.count == 2 {
                guard let word = Self.decoded(user[1]) else { return nil }
                password = word.isEmpty ? nil : word
            }
            rest = rest[rest.index(after: at)...]
        }
        if rest.hasPrefix("[") {
            guard let close = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<close])
            guard host.contains(":"), host.utf8.allSatisfy({ $0.isLetterOrDigit || ":.%".utf8.contains($0) }) else {
                return nil
            }
            rest = rest[rest.index(after: close)...]
        } else {
            host = String(rest.prefix { $0 != ":" })
            guard host.utf8.allSatisfy({ $0.isLetterOrDigit || "-._".utf8.contains($0) }) else { return nil }
            rest = rest.dropFirst(host.count)
        }
        guard !rest.isEmpty else { return }
        let digits = rest.dropFirst()
        guard rest.hasPrefix(":"), !digits.isEmpty, digits.allSatisfy({ ("0"..."9").contains($0) }),
            let number = Int(digits), (1...65_535).contains(number)
        else { return nil }
        port = number
    }

    /// A URL, or what was meant as one, without user information, query and fragment, for errors and logs.
    static func withoutSecrets(_ text: String) -> String {
        var rest = text[...]
        var scheme = ""
        if let separator = rest.firstRange(of: "://") {
            scheme = String(rest[..<separator.upperBound])
            rest = rest[separator.upperBound...]
        }
        // A password may hold what it should have escaped: everything up to the last @ goes.
        if let at = rest.lastIndex(of: "@") { rest = "…" + rest[at...] }
        if let query = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) { rest = rest[..<query] + "?…" }
        return scheme + rest
    }

    /// Undoes percent-encoding; nil for a malformed escape or what is no UTF-8 then.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy(\.isLetterOrDigit),
                let value = UInt8(Substring(digits), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
