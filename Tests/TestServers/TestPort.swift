import Foundation
import Synchronization

/// TCP ports of loopback for servers that cannot choose one themselves and tell it. A server that can (port 0) needs none of these.
private enum TestPort {
    /// Of each port that is taken, an open file that is locked. The lock goes with this process, however it ends.
    private static let held = Mutex<[Int: Int32]>([:])
    /// All processes of this machine that take ports of this kind share the folder: `loadtest/machine.py` and `FreePort` of
    /// `flotilla loadtest` do too.
    private static let folder = "/tmp/flotilla-ports"

    /// Below those that the system gives to connections and to servers without a port of their own.
    private static let range: Range<Int> = {
        let text = (try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)) ?? ""
        let first = text.split { $0 == "\t" || $0 == " " }.first.flatMap { Int($0) } ?? 32_768
        return max(1024, first - 12_000)..<max(2048, first)
    }()

    static func take() throws -> Int {
        mkdir(folder, 0o777)
        chmod(folder, 0o777)
        return try held.withLock { held in
            let start = Int.random(in: range)
            for offset in 0..<range.count {
                let port = range.lowerBound + (start - range.lowerBound + offset) % range.count
                guard held[port] == nil, let file = lock(port) else { continue }
                guard isFree(port) else {
                    close(file)
                    continue
                }
                held[port] = file
                return port
            }
            throw TimedOut(description: "no TCP port from \(range.lowerBound) to \(range.upperBound - 1) of 127.0.0.1 is free")
        }
    }

    private static func lock(_ port: Int) -> Int32? {
        // Close-on-exec: a server that a test starts would keep the lock.
        let file = open("\(folder)/\(port)", O_RDONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard file >= 0 else { return nil }
        if flock(file, LOCK_EX | LOCK_NB) == 0 { return file }
        close(file)
        return nil
    }

    /// Whether no other program has it, one that knows nothing of the locks.
    private static func isFree(_ port: Int) -> Bool {
        let socket = LoopbackSocket()
        defer { close(socket.descriptor) }
        return socket.with(port: port, bind)
    }
}

/// A TCP port of loopback on which nothing listens, and that no other test, test process or rig takes until this process ends.
package func freePort() throws -> Int { try TestPort.take() }
