import Foundation
import TestServers

/// A visitor that sends bytes as it likes.
final class RawClient: Sendable {
    private let descriptor: Int32

    init(_ port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else { throw TimedOut(description: "cannot connect: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// - Returns: false once the other side takes no more.
    @discardableResult
    func send(_ text: String) async throws -> Bool {
        var rest = Array(text.utf8)[...]
        let end = ContinuousClock.now + .seconds(60)
        while !rest.isEmpty, ContinuousClock.now < end {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) }
            guard count < 0 else {
                rest = rest.dropFirst(count)
                continue
            }
            guard errno == EAGAIN else { return false }
            // The server runs in this process, and needs the thread.
            try await Task.sleep(for: .milliseconds(1))
        }
        return rest.isEmpty
    }

    /// What has come, up to the end of what `isEnough` wants or of the connection.
    func receive(until isEnough: (String) -> Bool = { _ in false }) async throws -> (text: String, isClosed: Bool) {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        return try await eventually("an answer") {
            while true {
                let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count > 0 { all += buffer[..<count] }
                let text = String(decoding: all, as: UTF8.self)
                if count == 0 || count < 0 && errno != EAGAIN { return (text, true) }
                if isEnough(text) { return (text, false) }
                if count < 0 { return nil }
            }
        }
    }

    /// Sends no more.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The other side has closed the connection.
    var isClosed: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK))
        return count == 0 || count < 0 && errno != EAGAIN
    }
}
