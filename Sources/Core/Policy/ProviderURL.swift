package import Model

/// Reads a provider that is given by URL alone: `scheme://[user@]host[:port][/path]` (RFC 3986 section 3), with the schemes
/// smtp (port 25), smtps (465), http (80) and https (443).
package enum ProviderURL {
    /// Whether a text is meant as a URL rather than as the name of a configured provider.
    package static func isURL(_ text: String) -> Bool { text.contains("://") }

    /// What logs and metrics call the provider that a mailing names: a URL without its user and path, `smtp://relay.example.com:25`.
    package static func name(of text: String) -> String {
        guard isURL(text) else { return text }
        do { return try parse(text).name } catch { return "unknown" }
    }

    /// - Throws: `ProviderURLError`; never with a password in its text.
    package static func parse(_ text: String) throws(ProviderURLError) -> Provider {
        let halves = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 else {
            throw ProviderURLError("is no URL; write smtp://host:port or https://host/path")
        }
        guard let scheme = Provider.Scheme(rawValue: halves[0].lowercased()) else {
            let allowed = Provider.Scheme.allCases.map(\.rawValue).joined(separator: ", ")
            throw ProviderURLError("has the scheme '\(halves[0])', which is none of \(allowed)")
        }
        for scalar in text.unicodeScalars
        where scalar.properties.isWhitespace || scalar.value < 0x20 || scalar.value == 0x7f {
            throw ProviderURLError("has white space or a control character in it")
        }
        guard !halves[1].contains("#") else {
            throw ProviderURLError("has a fragment (#), which is never sent; leave it out")
        }
        let pathStart = halves[1].firstIndex { $0 == "/" || $0 == "?" } ?? halves[1].endIndex
        var authority = halves[1][..<pathStart]
        var path = String(halves[1][pathStart...])
        if path.first != "/" { path = "/" + path }
        let isMail = scheme == .smtp || scheme == .smtps
        guard !isMail || path == "/" else {
            throw ProviderURLError("has a path, which SMTP does not know; leave it out")
        }
        var username: String?
        if let at = authority.lastIndex(of: "@") {
            username = try user(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        let (host, port) = try hostAndPort(authority, default: defaultPort(scheme))
        let shown = host.contains(":") ? "[\(host)]" : host
        return Provider(
            name: "\(scheme.rawValue)://\(shown):\(port)", scheme: scheme, host: host, port: port, path: path,
            username: username)
    }

    private static func defaultPort(_ scheme: Provider.Scheme) -> Int {
        switch scheme {
        case .smtp: 25
        case .smtps: 465
        case .http: 80
        case .https: 443
        }
    }

    private static func user(_ text: Substring) throws(ProviderURLError) -> String {
        guard !text.contains(":") else {
            throw ProviderURLError(
                "has a password in it, which a file or a process list would show; name the provider in flotilla.yaml and set its "
                    + "password in the environment")
        }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(Substring(rest.prefix(2)), radix: 16), value >= 0x20, value != 0x7f
            else {
                throw ProviderURLError("has a '%' in the user's name without two hexadecimal digits behind it")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard !bytes.isEmpty, let name = String(validating: bytes, as: UTF8.self) else {
            throw ProviderURLError("has an empty or unreadable user name before the @")
        }
        return name
    }

    private static func hostAndPort(
        _ text: Substring, default defaultPort: Int
    ) throws(ProviderURLError) -> (String, Int) {
        var host = text
        var port: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else {
                throw ProviderURLError("has no ']' behind the IPv6 address")
            }
            host = text[text.index(after: text.startIndex)..<close]
            guard IPAddressText.isVersion6(Array(host.utf8)) else {
                throw ProviderURLError("has no IPv6 address between the brackets")
            }
            let tail = text[text.index(after: close)...]
            guard tail.isEmpty || tail.first == ":" else {
                throw ProviderURLError("has '\(tail)' behind the IPv6 address")
            }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
            guard port?.contains(":") != true else {
                throw ProviderURLError("has more than one ':' in host and port; put an IPv6 address between brackets")
            }
        }
        guard !host.isEmpty else { throw ProviderURLError("has no host") }
        if text.first != "[", let bad = host.unicodeScalars.first(where: { !isHostCharacter($0) }) {
            throw ProviderURLError("has the character '\(bad)' in the host")
        }
        guard let port else { return (host.lowercased(), defaultPort) }
        guard port.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let number = Int(port),
            1...65535 ~= number
        else { throw ProviderURLError("has the port '\(port)', which is no number from 1 to 65535") }
        return (host.lowercased(), number)
    }

    /// Underscores too: container networks have them in names of services.
    private static func isHostCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_": true
        default: scalar.value >= 0x80 && scalar.properties.isAlphabetic
        }
    }
}

/// A text that is no provider's URL; its description goes behind the name of what holds it: "provider has no host".
package struct ProviderURLError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
