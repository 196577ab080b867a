import Foundation
import TestServers

/// A folder with a mailing file, its template, its recipients and its ledger.
final class MailingFolder {
    let folder: TemporaryFolder
    let mailing: String
    var ledger: String { folder.path("ledger.sqlite") }
    var report: String { folder.path("report.json") }

    /// - Parameter extra: lines for the mailing file.
    init(
        provider: String, recipients: String, extra: String = "", body: String? = nil,
        html: String = "<h1>Hello {{first_name}}</h1>\n<p>Your code: {{code}}</p>\n"
    ) throws {
        folder = try TemporaryFolder()
        _ = try folder.write(recipients, to: "recipients.csv")
        let head = "name: Test\nrecipients: {file: recipients.csv, id: id, address: email}\nprovider: \(provider)\n"
        if let body {
            _ = try folder.write(body, to: "body.json")
            mailing = try folder.write(head + "channel: webhook\nbody: body.json\n" + extra, to: "mailing.yaml")
        } else {
            _ = try folder.write(html, to: "message.html")
            mailing = try folder.write(
                head
                    + "channel: email\nfrom: \"Example Shop <news@example.com>\"\nreply_to: help@example.com\n"
                    + "subject: \"{{first_name}}, 20 % off\"\nhtml: message.html\n" + extra, to: "mailing.yaml")
        }
    }

    /// - Parameter address: makes the local part of the n-th.
    static func recipients(_ count: Int, _ local: (Int) -> String = { "person\($0)" }) -> String {
        var text = "id,email,first_name,code\n"
        for number in 0..<count { text += "\(number),\(local(number))@example.com,Zoë \(number),C\(number)\n" }
        return text
    }

    func send(_ arguments: [String] = [], environment: [String: String] = [:]) async throws -> Program.Outcome {
        try await Program.run(
            ["send", mailing, "--ledger", ledger, "--report", report] + arguments, environment: environment)
    }

    /// The report that `send` wrote.
    func readReport() throws -> [String: Any] {
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: report)))
        return json as? [String: Any] ?? [:]
    }

    func states() throws -> [String: Int] { try readReport()["states"] as? [String: Int] ?? [:] }

    /// The id of the ledger's only mailing.
    func id() async throws -> String {
        let listed = try await Program.run(["mailing", "list", "--ledger", ledger])
        return listed.output.split(separator: "\n").dropFirst().first?.split(separator: " ").first.map(String.init) ?? ""
    }

    /// Runs `flotilla mailing COMMAND` on the ledger's only mailing.
    func run(_ command: String, _ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(["mailing", command, id()] + arguments + ["--ledger", ledger])
    }

    /// How many recipients are in a state.
    func count(_ state: String) throws -> Int {
        Int(try query("SELECT count(*) FROM delivery WHERE state = '\(state)'").first ?? "") ?? -1
    }

    /// The rows that a question to the ledger gives, asked as anybody could: by the sqlite3 shell.
    func query(_ sql: String) throws -> [String] {
        let folder = try TemporaryFolder()
        let shell = try ServerProcess(
            "sqlite3", ["-readonly", "-cmd", ".timeout 5000", ledger, sql], package: "sqlite3", output: folder.path("out"))
        _ = shell.wait()
        return try String(contentsOfFile: folder.path("out"), encoding: .utf8).split(separator: "\n").map(String.init)
    }
}
