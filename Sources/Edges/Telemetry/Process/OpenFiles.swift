#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The descriptors that this process may open, and what they are for. A process that runs out of them is ended by libdispatch, which has
/// to read /proc: connections must leave some to everything else.
package enum OpenFiles {
    /// What a process without connections to providers has open at most: ledger, Redis, event loops, logs; and some to spare.
    package static let reserve = 56
    /// The least with which a role works.
    package static let least = reserve + 4
    /// What is asked for where the system allows more: some programs go through all numbers up to the limit.
    private static let most: rlim_t = 65_536

    /// Raises the soft limit as far as the system allows. Called first of all.
    package static func raise() {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, most)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        _ = setrlimit(resource, &limit)
    }

    /// Closes the descriptors above the limit that the caller had open: nothing here uses them, and no program could be started with them,
    /// as posix_spawn(3) takes their numbers for wrong. Called once, behind `raise`.
    package static func closeBeyondLimit() {
        guard let folder = opendir("/proc/self/fd") else { return }
        var beyond: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if let number = Int32(name), Int(number) >= limit { beyond.append(number) }
        }
        closedir(folder)
        for number in beyond { close(number) }
    }

    /// Descriptors that the process may have open.
    package static var limit: Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 1024 }
        return Int(clamping: min(limit.rlim_cur, most * 16))
    }

    /// How many connections a server takes at once: a small part of what there is.
    package static func serverConnections(atMost most: Int) -> Int { max(2, min(most, limit / 16)) }

    /// Descriptors that connections to providers may use beside those of servers of this process.
    package static func connections(servers: Int = 0) -> Int { max(2, limit - reserve - servers) }

    /// - Throws: `TooFewOpenFiles` where a role could not work.
    package static func check() throws(TooFewOpenFiles) {
        let limit = limit
        guard limit >= least else { throw TooFewOpenFiles(limit: limit, least: least) }
    }

    #if canImport(Glibc)
        private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let resource = RLIMIT_NOFILE
    #endif
}

/// The system lets this process open too few files.
package struct TooFewOpenFiles: Error, CustomStringConvertible {
    let limit: Int
    let least: Int

    package var description: String {
        """
        this process may open \(limit) files and connections, and needs \(least) at least: raise its limit (ulimit -n, or LimitNOFILE of \
        its systemd unit)
        """
    }
}
