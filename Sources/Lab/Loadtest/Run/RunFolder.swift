import Foundation

/// Where a run keeps its files: nobody else can read them.
struct RunFolder: Sendable {
    let path: String
    let records: String

    /// - Parameter records: an own folder for the records; made where it is not there.
    /// - Throws: `RunFailure` when a folder cannot be made.
    init(records own: String?) throws(RunFailure) {
        let name = "flotilla-loadtest-\(UUID().uuidString.prefix(8).lowercased())"
        path = FileManager.default.temporaryDirectory.appending(path: name).path
        records = own.map { URL(fileURLWithPath: $0).path } ?? path + "/records"
        do {
            for folder in ["", "/logs", "/sinks", "/mailings", "/recipients"] {
                try FileManager.default.createDirectory(
                    atPath: path + folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
            try FileManager.default.createDirectory(atPath: records, withIntermediateDirectories: true)
        } catch {
            try? FileManager.default.removeItem(atPath: path)
            throw RunFailure(
                "the run's folder \(path), or that of the records, \(records), cannot be made; "
                    + "both have to be folders that this user may write in")
        }
    }

    func log(_ name: String) -> String { "\(path)/logs/\(name).log" }
    func record(_ sink: String) -> String { "\(records)/\(sink).tsv" }
    var configuration: String { path + "/flotilla.yaml" }
    var ledger: String { path + "/ledger.sqlite" }
    var redisSocket: String { path + "/redis.sock" }

    func write(_ text: String, to name: String) throws(RunFailure) -> String {
        let file = "\(path)/\(name)"
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        } catch {
            throw RunFailure("\(file) cannot be written: \(error.localizedDescription)")
        }
        return file
    }

    /// The last lines of a log, for a message.
    func lastWords(_ name: String, lines: Int = 3) -> String {
        let text = (try? String(contentsOfFile: log(name), encoding: .utf8)) ?? ""
        let last = text.split(separator: "\n").suffix(lines).joined(separator: "\n")
        return last.isEmpty ? "its log is empty" : last
    }
}
