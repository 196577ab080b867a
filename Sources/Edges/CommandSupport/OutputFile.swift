import Foundation
import Text

/// The check of a file that a command writes at its end: what is found then is found too late.
package enum OutputFile {
    package struct Unusable: Error, CustomStringConvertible {
        package let description: String

        package init(_ description: String) { self.description = description }
    }

    /// Leaves nothing behind, and changes nothing. Pipes and devices are as good as files.
    /// - Parameters:
    ///   - option: names the file, as `--report`.
    ///   - example: the name of such a file.
    /// - Throws: `Unusable` where the file cannot be written.
    package static func check(_ path: String, option: String, example: String = "report.json") throws(Unusable) {
        func refuse(_ why: String) -> Unusable { Unusable("\(option) \(path): \(why)") }
        guard !path.isEmpty else { throw Unusable("\(option) names no file") }
        if let found = FileStatus(path: path) {
            if found.kind == .directory {
                let folder = path == "." ? "" : path.hasSuffix("/") ? path : path + "/"
                throw refuse("that is a folder; name a file in it, such as \(folder)\(example)")
            }
            guard access(path, W_OK) == 0 else { throw refuse("it cannot be written: \(String(cString: strerror(errno)))") }
            return
        }
        if path.hasSuffix("/") { throw refuse("that names a folder; name a file") }
        // A link may lead to a file that is not there yet.
        let place = RealPath.of(path)
        let folder = URL(fileURLWithPath: place).deletingLastPathComponent().path
        guard let found = FileStatus(path: folder) else { throw refuse("there is no folder \(folder); make it first") }
        guard found.kind == .directory else { throw refuse("\(folder) is no folder") }
        // Rights say nothing of a folder of the kernel, or to root.
        guard PrivateFile.create(place) else {
            throw refuse("it cannot be made in \(folder): \(String(cString: strerror(errno)))")
        }
        unlink(place)
    }

    /// The name that stands for the standard output.
    package static let standardOutput = "-"

    /// Makes sure that a slip does not take the content of a file. An empty one has none, and pipes and devices are written to as they are.
    /// - Parameters:
    ///   - remedy: what to do, for people.
    ///   - mayReplace: whether the file is an earlier one of the same kind, whose place the new one takes.
    package static func requireFree(
        _ path: String, option: String, remedy: String, unless mayReplace: (String) -> Bool = { _ in false }
    ) throws(Unusable) {
        guard let found = FileStatus(path: path), found.kind == .regular, found.size > 0, !mayReplace(path) else { return }
        throw Unusable("\(option) \(path): there is a file of that name already, and nothing was written; \(remedy)")
    }

    /// Makes sure that a file to be written is none that is needed.
    /// - Parameters:
    ///   - inputs: the files that are read.
    ///   - ledger: the path of its file, if it is in one; what lies beside it under its name is needed too.
    ///   - user: what needs them, for people.
    package static func check(
        _ path: String, option: String, against inputs: [String], ledger: String?, of user: String
    ) throws(Unusable) {
        let ledgers =
            ledger.map { ledger in ["", "-wal", "-shm", "-journal", ".lock", ".commits", ".keys"].map { RealPath.of(ledger) + $0 } } ?? []
        let (place, found) = (RealPath.of(path), FileStatus(path: path)?.identity)
        let same = (inputs + ledgers).first { RealPath.of($0) == place || found != nil && FileStatus(path: $0)?.identity == found }
        guard let same else { return }
        throw Unusable("\(option) \(path): that is \(same), which \(user) needs; name another file")
    }
}
