import FoundationEssentials
import Model
import Text

/// Files that go out as they are.
enum BinaryFile {
    /// Reads a whole file.
    /// - Parameter limit: bytes that are left of those that a mailing may have.
    static func read(_ path: String, limit: Int) -> Result<[UInt8], TextFile.Fault> {
        func fault(_ text: String) -> Result<[UInt8], TextFile.Fault> { .failure(TextFile.Fault(description: text)) }
        guard let status = FileStatus(path: path) else { return fault("does not exist; check the path") }
        switch status.kind {
        case .regular: break
        case .directory: return fault("is a directory, not a file")
        // To open a pipe would wait for who writes into it.
        case .other: return fault("is no regular file")
        }
        if status.size == 0 { return fault("is empty") }
        let most = "all files of a mailing have at most \(MailFiles.mostBytes >> 20) MB; link to it in place of sending it"
        if status.size > Int64(limit) { return fault("is too large: \(most)") }
        guard let bytes = FileManager.default.contents(atPath: path).map([UInt8].init) else {
            return fault("cannot be read; check its permissions")
        }
        return bytes.isEmpty ? fault("is empty") : bytes.count > limit ? fault("is too large: \(most)") : .success(bytes)
    }
}
