package import Foundation

/// A folder of a test's own; it is removed with its owner.
package final class TemporaryFolder: Sendable {
    package let url: URL
    package var path: String { url.path }

    /// - Parameter mode: its permissions. By default others may read it, for servers that give up root; 0o777 for those that write into it.
    package init(mode: Int = 0o755) throws {
        url = FileManager.default.temporaryDirectory.appending(path: "flotilla-test-\(UUID().uuidString.lowercased())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        // The mask of the process does not apply here, as it would when the folder is made.
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: url.path)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The path of a file in it.
    package func path(_ name: String) -> String { url.appending(path: name).path }

    /// Writes a file.
    /// - Returns: its path.
    @discardableResult package func write(_ text: String, to name: String) throws -> String {
        try write(Array(text.utf8), to: name)
    }

    @discardableResult package func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: url.appending(path: name))
        return path(name)
    }

    /// A file's text; nil where there is none.
    package func text(_ name: String) -> String? {
        (try? Data(contentsOf: url.appending(path: name))).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The lines of a file that are complete: of one that is being written, none.
    package func lines(_ name: String) -> [String] {
        guard let text = text(name), let end = text.lastIndex(of: "\n") else { return [] }
        return text[..<end].split(separator: "\n").map(String.init)
    }
}
