import Text

/// Where a server listens: a host name or IP address, and a port.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// In its canonical form, an IPv6 address without brackets.
    package let host: String
    /// 0 to 65,535; 0 takes any that is free.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Takes `host:port` or `[IPv6 address]:port`; nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), case let digits = text[colon...].dropFirst(), !digits.isEmpty,
            digits.utf8.allSatisfy(\.isDigit), let port = Int(digits), port <= 65_535, let host = try? URLHost.canonical(text[..<colon])
        else { return nil }
        self.init(host: host, port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
