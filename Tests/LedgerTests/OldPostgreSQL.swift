import Foundation
import TestServers

/// A server that says that it is PostgreSQL 12, and nothing else (protocol 3.0: Frontend/Backend Protocol, "Message Formats").
final class OldPostgreSQL: Sendable {
    let port: Int
    private let listener: Int32

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard isBound else { throw TimedOut(description: "cannot listen: \(String(cString: strerror(errno)))") }
        port = Int(UInt16(bigEndian: address.sin_port))
        let thread = Thread { [listener] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Self.greet(client)
                close(client)
            }
        }
        thread.start()
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func greet(_ client: Int32) {
        var message = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(client, &message, message.count)
            guard count >= 8 else { return }
            // SSLRequest and GSSENCRequest have eight bytes.
            if count == 8 {
                _ = write(client, "N", 1)
                continue
            }
            // AuthenticationOk, ParameterStatus, BackendKeyData, ReadyForQuery.
            let reply =
                packed("R", [0, 0, 0, 0]) + packed("S", Array(("server_version\0" + "12.22\0").utf8))
                + packed("S", Array("server_encoding\0UTF8\0".utf8)) + packed("K", [0, 0, 0, 1, 0, 0, 0, 1]) + packed("Z", Array("I".utf8))
            _ = write(client, reply, reply.count)
        }
    }

    private static func packed(_ kind: String, _ body: [UInt8]) -> [UInt8] {
        Array(kind.utf8) + withUnsafeBytes(of: UInt32(body.count + 4).bigEndian) { Array($0) } + body
    }
}
