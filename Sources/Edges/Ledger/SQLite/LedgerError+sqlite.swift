import Foundation
import GRDB

extension LedgerError {
    /// Runs `body`, with whatever it throws turned into a `LedgerError`.
    static func mapping<T>(path: String, operation: String, _ body: () throws -> T) throws(LedgerError) -> T {
        try result(path: path, operation: operation, body).get()
    }

    static func result<T>(path: String, operation: String, _ body: () throws -> T) -> Result<T, LedgerError> {
        do {
            return .success(try body())
        } catch {
            return .failure(LedgerError(any: error, path: path, operation: operation))
        }
    }

    init(any error: any Error, path: String, operation: String) {
        switch error {
        case let error as LedgerError: self = error
        case let error as DatabaseError: self.init(error, path: path, operation: operation)
        case let damage as SQLDamage: self = .corrupt(path: path, detail: damage.text)
        default: self = .failed(path: path, operation: operation, detail: "\(error)")
        }
    }

    private init(_ error: DatabaseError, path: String, operation: String) {
        let detail = error.message ?? "\(error.resultCode)"
        self =
            switch error.resultCode {
            case .SQLITE_FULL: .full(path: path, detail: detail + Self.room(path))
            case .SQLITE_IOERR where Self.isFull(path): .full(path: path, detail: detail + Self.room(path))
            case .SQLITE_NOTADB: .notADatabase(path: path)
            case .SQLITE_CORRUPT: .corrupt(path: path, detail: detail)
            case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
                .unwritable(path: path, detail: Self.reason(path) ?? detail)
            case .SQLITE_BUSY, .SQLITE_LOCKED: .busy(path: path)
            case .SQLITE_TOOBIG, .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_RANGE:
                .unfit(path: path, operation: operation, detail: "\(detail) (\(error.extendedResultCode))")
            default: .failed(path: path, operation: operation, detail: "\(detail) (\(error.extendedResultCode))")
            }
    }

    /// Whether the file system has less than a megabyte left: SQLite reports some failures to grow a file as plain I/O errors.
    private static func isFull(_ path: String) -> Bool { free(path).map { $0 < 1 << 20 } ?? false }

    private static func room(_ path: String) -> String { free(path).map { "; \($0 >> 10) KB are free on its disk" } ?? "" }

    /// Bytes that are left to us on the file system of a file.
    private static func free(_ path: String) -> UInt64? {
        var status = statvfs()
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard statvfs(folder, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    private static func reason(_ path: String) -> String? {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            return "there is no folder \(folder)"
        }
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            return "it is a folder"
        }
        return nil
    }
}
