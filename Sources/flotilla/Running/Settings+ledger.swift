import CommandSupport
import Foundation
import Ledger
import Settings
import Text

extension LedgerPlace {
    /// What the ledger is called in texts: a path, or a URL without secrets.
    var name: String {
        switch self {
        case .file(let path): path
        // One that cannot be read is refused where it is opened.
        case .postgreSQL(let url): (try? PostgreSQLAddress(url).name) ?? "in PostgreSQL"
        }
    }
}

extension Settings.Ledger {
    /// What the ledger is called in texts: a path, or a URL without secrets.
    var name: String { place.name }

    /// What follows a command in a hint, so that it asks the same ledger. One on a server is named by the settings.
    var hint: String { place.file.map { " --ledger \($0)" } ?? "" }

    /// The path that this machine's own files of the ledger begin with: its lock, and the folder of a private Redis.
    /// - Throws: `LedgerError`; `CommandError` where there is no folder for them.
    func localPath() throws -> String {
        switch place {
        case .file(let path): return path
        case .postgreSQL(let url):
            let name = try PostgreSQLAddress(url).fileName
            let folder = try self.folder ?? Self.usualFolder(ProcessInfo.processInfo.environment)
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw CommandError("the folder \(folder) cannot be made (\(PlainError.of(error))): name another in ledger.folder")
            }
            return folder + "/" + name
        }
    }

    /// Where programs keep what is neither settings nor documents: what systemd says (systemd.exec(5)), or the XDG Base Directory
    /// Specification.
    private static func usualFolder(_ environment: [String: String]) throws(CommandError) -> String {
        func path(_ name: String) -> String? { environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }
        // A unit may have several.
        if let folder = path("STATE_DIRECTORY") { return String(folder.prefix { $0 != ":" }) }
        if let folder = path("XDG_STATE_HOME") { return folder + "/flotilla" }
        if let home = path("HOME") { return home + "/.local/state/flotilla" }
        throw CommandError(
            "HOME is not set: name the folder where this machine keeps what belongs to a ledger in PostgreSQL in ledger.folder")
    }

    /// The ledger's file, for what is done with files alone.
    /// - Parameters:
    ///   - action: what the command does, for people.
    ///   - instead: how that is done on a server.
    func file(to action: String, instead: String) throws(CommandError) -> String {
        if let file = place.file { return file }
        throw CommandError(
            """
            the ledger is in PostgreSQL (\(name)), and this command \(action) a file: \(instead) \
            (docs/operations.md, "The ledger in PostgreSQL"). --ledger names a file
            """)
    }
}
