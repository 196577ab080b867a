import Foundation

/// A TCP socket of 127.0.0.1. It is closed on exec: a server that a test starts would keep it.
struct LoopbackSocket {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)

    /// Calls a function of sockets with an address.
    func with(port: Int, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// The port it is bound to.
    var port: Int {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// Whether a port of loopback takes connections.
package func canConnect(_ port: Int) -> Bool {
    let socket = LoopbackSocket()
    defer { close(socket.descriptor) }
    return socket.with(port: port, connect)
}

/// Whether a Unix socket takes connections.
func canConnect(unix path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
    }
}

/// A server that never says anything: the system completes the connections. Its port is its own.
package final class SilentServer: Sendable {
    package let port: Int
    private let descriptor: Int32

    /// - Parameter backlog: connections that the system completes.
    package init(backlog: Int32 = 100) throws {
        let socket = LoopbackSocket()
        descriptor = socket.descriptor
        guard socket.with(port: 0, bind), listen(socket.descriptor, backlog) == 0 else {
            throw TimedOut(description: "cannot listen: \(String(cString: strerror(errno)))")
        }
        port = socket.port
    }

    deinit { close(descriptor) }
}
