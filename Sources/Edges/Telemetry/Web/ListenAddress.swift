import Foundation
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

    /// Why nothing can listen here now, in the system's words; nil where something can, and for a name that is not known: whoever listens
    /// says what is wrong with that.
    var problem: String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard port > 0, getaddrinfo(host, "\(port)", &hints, &found) == 0, let first = found else { return nil }
        defer { freeaddrinfo(first) }
        let descriptor = socket(first.pointee.ai_family, first.pointee.ai_socktype, first.pointee.ai_protocol)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // As the server does it: a port that was in use a moment ago is free.
        var isReused: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
        return bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 ? nil : SystemError.text(errno)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
