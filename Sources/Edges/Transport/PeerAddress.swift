import Glibc
import NIOCore

/// Whether the other end of a connection is on this machine, by its address: a name, or an address in a URL, proves nothing.
enum PeerAddress {
    /// Only 127.0.0.0/8 and ::1 (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3). An IPv4 address in the clothes of IPv6 is none.
    static func isLoopback(_ address: SocketAddress?) -> Bool {
        address?.ipAddress.map { isLoopback($0) } ?? false
    }

    /// - Parameter text: a numeric address, as libcurl and NIO tell it.
    static func isLoopback(_ text: String) -> Bool {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return UInt32(bigEndian: v4.s_addr) >> 24 == 127 }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return false }
        return withUnsafeBytes(of: v6) { $0.elementsEqual([UInt8](repeating: 0, count: 15) + [1]) }
    }
}
