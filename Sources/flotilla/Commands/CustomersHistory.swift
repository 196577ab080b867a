import ArgumentParser
import CommandSupport
import Control
import Customers
import Foundation
import Ledger
import Model
import Planning
import Settings
import Synchronization
import Telemetry
import Text

extension CustomersCommand {
    struct Events: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "events", abstract: "Import what customers did, such as opening an app.", subcommands: [Import.self])

        struct Import: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "import", abstract: "Add the events of a table.",
                discussion: """
                    The table is CSV with a header, or NDJSON, with the columns customer (the id), name, at (a day or a time), key and \
                    properties (a JSON object); the last two may be missing. An event whose key is there already is not added again. \
                    Without a key, \
                    the customer, the name and the time are the key. \(HistoryImport.rules)
                    """)
            @OptionGroup var table: HistoryImport

            func run() async throws { try await table.run(CustomerEvent.self, "event") }
        }
    }

    struct Orders: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "orders", abstract: "Import what customers bought.", subcommands: [Import.self])

        struct Import: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "import", abstract: "Add the orders (receipts) of a table.",
                discussion: """
                    The table is CSV with a header, or NDJSON, with the columns customer (the id), key, at (a day or a time), amount, \
                    currency (such as EUR) and lines (a JSON array of objects with product, quantity and amount); lines may be missing. An \
                    order whose key is there already is not added again. \(HistoryImport.rules)
                    """)
            @OptionGroup var table: HistoryImport

            func run() async throws { try await table.run(CustomerOrder.self, "order") }
        }
    }
}

/// The import of a table of events or orders.
struct HistoryImport: ParsableArguments {
    static let rules = """
        Every row is checked before the first is imported: a row of an unknown customer is refused too. An import that is interrupted is \
        given again.
        """
    /// Bad rows that are listed.
    private static let listed = 20

    @Argument(help: "The table (.csv, .tsv, .txt, .ndjson or .jsonl).") var file: String
    @Option(
        help: ArgumentHelp("What a column is: COLUMN=NAME, or COLUMN=- to ignore it. May be given several times.", valueName: "column=name")
    )
    var map: [String] = []
    @Flag(help: "Import the good rows though others are bad; those are listed.") var skipInvalid = false
    @Flag(help: "Only check the table.") var dryRun = false
    @OptionGroup var order: OrderOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        _ = try ColumnMapping.read(map)
        if RecipientSource.Format(path: file) == nil {
            throw ValidationError("'\(LogText.line(file))' does not say its format by .csv, .tsv, .txt, .ndjson or .jsonl; rename it")
        }
    }

    func run<Entry: StoredHistory>(_ type: Entry.Type, _ noun: String) async throws {
        let session = try order.session(order.settings())
        let (good, bad) = try await check(type, session.ledger)
        if bad > Self.listed { StandardError.write("and \(grouped(bad - Self.listed)) rows more") }
        if bad > 0, !skipInvalid {
            throw CommandError(
                "\(file): nothing was imported, as \(counted(bad, "row")) of \(grouped(good + bad)) cannot be taken; correct them, or "
                    + "import the others with --skip-invalid")
        }
        if dryRun { return tell(HistorySummary(), noun, rows: good, invalid: bad) }
        let parts = HistoryParts(try table(type))
        let progress = RowProgress(of: good)
        let given = ImportHistory<Entry>(
            file: URL(fileURLWithPath: file).standardizedFileURL.path, next: { try parts.next(skippingInvalid: skipInvalid) },
            progress: { progress.tell($0) })
        tell(try await session.give(given), noun, rows: good, invalid: bad)
    }

    private func table<Entry: StoredHistory>(_ type: Entry.Type) throws -> HistoryFile<Entry> {
        try HistoryFile<Entry>(path: file, format: RecipientSource.Format(path: file) ?? .csv, mapping: ColumnMapping.read(map))
    }

    /// Reads the whole table, and looks for each customer.
    /// - Returns: how many rows can be imported, and how many cannot.
    private func check<Entry: StoredHistory>(_ type: Entry.Type, _ ledger: any OpenLedger) async throws -> (good: Int, bad: Int) {
        var table = try table(type)
        var (good, bad, isEnd) = (0, 0, false)
        while !isEnd {
            var part: [(entry: Entry, line: Int)] = []
            var faults: [InputError] = []
            while part.count < HistoryParts<Entry>.size, !isEnd {
                switch try table.next() {
                case .success(let row): part.append(row)
                case .failure(let fault):
                    bad += 1
                    if bad <= Self.listed { faults.append(fault) }
                case nil: isEnd = true
                }
            }
            let unknown = try await ledger.unknownCustomers(of: part.map(\.entry.customer))
            for row in part where unknown.contains(row.entry.customer) {
                bad += 1
                if bad <= Self.listed { faults.append(table.unknownCustomer(row.entry, line: row.line)) }
            }
            for fault in faults.sorted(by: { $0.line ?? 0 < $1.line ?? 0 }) { StandardError.write("\(fault)") }
            good += part.count { !unknown.contains($0.entry.customer) }
        }
        return (good, bad)
    }

    private func tell(_ summary: HistorySummary, _ noun: String, rows: Int, invalid: Int) {
        if output.isJSON {
            return StandardOutput.write(
                json: #"{"rows":\#(rows + invalid),"invalid":\#(invalid),"added":\#(summary.added),"known":\#(summary.known)}"#)
        }
        let left = invalid > 0 ? "; \(counted(invalid, "row")) skipped" : ""
        guard !dryRun else { return StandardOutput.write("\(counted(rows, "row")) can be imported\(left)") }
        let known = summary.known > 0 ? ", \(grouped(summary.known)) there already" : ""
        StandardOutput.write("\(counted(summary.added, noun)) added\(known)\(left)")
    }
}

/// What `--map` says of columns.
enum ColumnMapping {
    static func read(_ map: [String]) throws -> [String: String] {
        var mapping: [String: String] = [:]
        for text in map {
            guard let mark = text.lastIndex(of: "="), mark != text.startIndex, text.index(after: mark) != text.endIndex else {
                throw ValidationError("--map '\(LogText.line(text))' is not COLUMN=NAME, or COLUMN=- to ignore the column")
            }
            mapping[String(text[..<mark])] = String(text[text.index(after: mark)...])
        }
        return mapping
    }
}

/// The rows of a table, some thousand at a time.
private final class HistoryParts<Entry: HistoryEntry>: Sendable {
    static var size: Int { 5000 }
    private let table: Mutex<HistoryFile<Entry>>

    init(_ table: sending HistoryFile<Entry>) { self.table = Mutex(table) }

    func next(skippingInvalid: Bool) throws -> [Entry]? {
        try table.withLock { table in
            var part: [Entry] = []
            while part.count < Self.size, let row = try table.next() {
                if skippingInvalid, case .failure = row { continue }
                part.append(try row.get().entry)
            }
            return part.isEmpty ? nil : part
        }
    }
}
