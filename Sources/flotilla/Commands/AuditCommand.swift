import ArgumentParser
import CommandSupport
import Foundation
import Ledger
import Model
import Policy
import Telemetry

/// Lists who ordered what.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "List the orders that persons gave, the newest first: who, when, what, before and after.")

    @OptionGroup var options: LedgerAloneOptions
    @Option(help: "Only orders about this mailing, by its id or the beginning of it.") var mailing: String?
    @Option(help: "Only orders since then: a time as 2026-12-01T09:00:00Z, or a span back from now as 2d or 3h.") var since: String?
    @Option(help: "How many at most.") var limit: Int?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is 1 or more") }
        _ = try earliest(now: 0)
        if mailing?.isEmpty == true { throw ValidationError("an empty id names no mailing") }
    }

    func run() async throws {
        let ledger = try options.open()
        var filter = AuditFilter(since: try earliest(now: Clock.milliseconds()))
        if let mailing { filter.object = .mailing(try await MailingArgument.find(mailing, in: ledger).id) }
        var left = limit ?? .max
        var text = AuditText()
        while left > 0 {
            let page = try await ledger.audit(filter, limit: min(left, Self.page))
            guard let last = page.last else { break }
            if output.isJSON {
                StandardOutput.write(json: try page.map(AuditText.json).joined(separator: "\n"))
            } else {
                StandardOutput.write(page.map { text.line($0) }.joined(separator: "\n"))
            }
            filter.before = last.number
            left -= page.count
        }
        if !output.isJSON, text.isEmpty { StandardOutput.write("no orders") }
    }

    /// Entries that are read and printed at a time.
    private static let page = 1000

    private func earliest(now: Int64) throws -> Int64? {
        guard let since else { return nil }
        if let span = try? TimeSpan(since) { return now - Int64(span.seconds) * 1000 }
        do { return try Moment(since).milliseconds } catch {
            throw ValidationError("--since '\(since)' is neither a span such as 2d or 3h nor a time such as 2026-12-01T09:00:00Z")
        }
    }
}

/// The audit log for people and for scripts.
struct AuditText {
    private(set) var isEmpty = true

    /// A line of the list: `2026-12-01T09:00:00.000Z  alice  pause mailing:…  {"state":"sending"} -> {"state":"paused"}`.
    mutating func line(_ entry: AuditEntry) -> String {
        isEmpty = false
        let (before, after) = (Self.shown(entry.before), Self.shown(entry.after))
        let change = "\(before == "{}" ? "" : "\(before) -> ")\(after)"
        return LogText.line("\(Timestamp.text(entry.at))  \(entry.actor)  \(entry.order) \(entry.object)  \(change)")
    }

    private struct Line: Encodable {
        var number: Int64
        var at: String
        var actor: String
        var order: String
        var object: String
        var before: AuditedValues
        var after: AuditedValues
    }

    /// One object on one line.
    static func json(_ entry: AuditEntry) throws -> String {
        let line = Line(
            number: entry.number, at: Timestamp.text(entry.at), actor: entry.actor, order: entry.order, object: entry.object.description,
            before: try values(entry.before), after: try values(entry.after))
        return try ScriptJSON.line(line)
    }

    /// With the same keys as `--output json`; as it is where it cannot be read.
    private static func shown(_ text: String) -> String { (try? ScriptJSON.line(values(text))) ?? text }

    private static func values(_ text: String) throws -> AuditedValues {
        try JSONDecoder().decode(AuditedValues.self, from: Data(text.utf8))
    }
}
