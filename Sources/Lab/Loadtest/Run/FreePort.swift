import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Ports of loopback for our processes.
enum FreePort {
    /// Where the search continues: another place for each run.
    private static let next = Atomic<Int>(Int.random(in: 0..<12_000))

    /// All processes of this machine that take ports for others share the folder: the tests and the rigs in `loadtest/` do too.
    private static let folder = "/tmp/flotilla-ports"

    /// A TCP port of loopback on which nothing listens, below those that the system hands out to connections, and never the same one
    /// twice. Nobody else takes it before this process ends.
    /// - Throws: `RunFailure` when none is found.
    static func take() throws(RunFailure) -> Int {
        for _ in 0..<1_000 {
            let port = 20_000 + next.add(1, ordering: .relaxed).newValue % 12_000
            guard let file = lock(port) else { continue }
            if isFree(port) { return port }
            close(file)
        }
        throw RunFailure("no TCP port from 20000 to 31999 of 127.0.0.1 is free")
    }

    /// - Returns: the locked file; it stays open, and locked, as long as this process runs.
    private static func lock(_ port: Int) -> Int32? {
        mkdir(folder, 0o777)
        chmod(folder, 0o777)
        // Close-on-exec: a process that is started would keep the lock.
        let file = open("\(folder)/\(port)", O_RDONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard file >= 0 else { return nil }
        if flock(file, LOCK_EX | LOCK_NB) == 0 { return file }
        close(file)
        return nil
    }

    private static func isFree(_ port: Int) -> Bool {
        #if canImport(Darwin)
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #endif
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
