import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Paths by which one file is known, whatever links lead to it.
package enum RealPath {
    /// As many links in a row as Linux follows (path_resolution(7)).
    private static let longestChain = 40

    /// The absolute path of a file without symbolic links, `.` and `..`. Of a file that does not exist it is where the file would be made.
    package static func of(_ path: String) -> String { of(path, links: 0) }

    private static func of(_ path: String, links: Int) -> String {
        if let real = resolved(path) { return real }
        let full = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        let parts = full.split(separator: "/")
        guard let name = parts.last else { return "/" }
        let folder = "/" + parts.dropLast().joined(separator: "/")
        if links < longestChain, let target = try? FileManager.default.destinationOfSymbolicLink(atPath: full) {
            return of(target.hasPrefix("/") ? target : folder + "/" + target, links: links + 1)
        }
        return (resolved(folder).map { $0 == "/" ? "" : $0 } ?? folder) + "/" + name
    }

    /// Nil for what does not exist.
    private static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
