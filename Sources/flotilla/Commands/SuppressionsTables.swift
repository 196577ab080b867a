import ArgumentParser
import CommandSupport
import Control
import Foundation
import Ledger
import Model
import Planning
import Policy
import Settings
import Synchronization
import Telemetry
import Text

extension SuppressionsCommand {
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Add the suppressions of a CSV table.",
            discussion: """
                The columns are address, channel, category, reason, date, expiry, source and provider; all but the address may be \
                missing. Every row is checked before the first is added. An import that is interrupted is given again: what is there \
                already stays as it is.
                """)
        @Argument(help: "The table (CSV).") var file: String
        @Option(help: "The channel of rows that name none.") var channel: Channel?
        @Option(help: "The category of rows that name none; without it, all mailings.") var category: String?
        @Option(help: "The reason of rows that name none.") var reason = Suppression.Reason.imported
        @Option(help: "The country of telephone numbers without a country code (ISO 3166-1, such as DE).") var country: String?
        @Flag(help: "Add the good rows though others are bad; those are listed.") var skipInvalid = false
        @Flag(help: "Only check the table.") var dryRun = false
        @OptionGroup var order: OrderOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            _ = try SuppressedNames.category(category)
            _ = try SuppressedNames.country(country)
        }

        /// Bad rows that are listed.
        private static let listed = 20

        func run() async throws {
            var defaults = SuppressionFile.Defaults(now: Clock.milliseconds())
            defaults.channel = channel
            defaults.category = try SuppressedNames.category(category) ?? ""
            defaults.reason = reason
            defaults.country = try SuppressedNames.country(country)
            let settings = try order.settings()
            let session = try dryRun ? nil : order.session(settings)
            let ledger = try session?.ledger ?? order.ledger.openUnchanged(settings)
            _ = try await SuppressedNames.known(category, in: ledger, order.ledger)
            defaults.categories = KnownCategories(try await ledger.categories(), ledger: order.ledger.ledger)
            let (good, bad, expired) = try check(defaults)
            if bad > Self.listed { StandardError.write("and \(grouped(bad - Self.listed)) rows more") }
            if bad > 0, !skipInvalid {
                throw CommandError(
                    "\(file): nothing was added, as \(counted(bad, "row")) of \(grouped(good + bad)) cannot be taken; correct them, or "
                        + "add the others with --skip-invalid")
            }
            var change = SuppressionChange()
            if let session {
                let parts = SuppressionParts(try SuppressionFile(path: file, defaults: defaults))
                let progress = RowProgress(of: good)
                let path = URL(fileURLWithPath: file).standardizedFileURL.path
                let order = ImportSuppressions(
                    file: path, next: { try parts.next(skippingInvalid: skipInvalid) }, progress: { progress.tell($0) })
                change = try await session.give(order)
            }
            if output.isJSON {
                StandardOutput.write(json: try ScriptJSON.text(ImportJSON(rows: good + bad, invalid: bad, expired: expired, change)))
            } else {
                let left = bad > 0 ? "; \(counted(bad, "row")) skipped" : ""
                StandardOutput.write((dryRun ? "\(counted(good, "row")) can be added" : SuppressionText.words(change)) + left)
            }
            guard expired > 0, !output.isJSON else { return }
            StandardOutput.write("\(grouped(expired)) of them expired before now and \(expired == 1 ? "counts" : "count") for no mailing")
        }

        /// Reads the whole table.
        /// - Returns: how many rows can be added, how many cannot, and how many of the former have expired.
        private func check(_ defaults: SuppressionFile.Defaults) throws -> (good: Int, bad: Int, expired: Int) {
            var table = try SuppressionFile(path: file, defaults: defaults)
            if !table.ignored.isEmpty {
                StandardError.warn("\(file): ignored columns: \(table.ignored.map(LogText.line).joined(separator: ", "))")
            }
            var (good, bad, expired) = (0, 0, 0)
            while let row = try table.next() {
                switch row {
                case .success(let one):
                    good += 1
                    if !one.isInForce(at: defaults.now) { expired += 1 }
                case .failure(let fault):
                    bad += 1
                    if bad <= Self.listed { StandardError.write("\(fault)") }
                }
            }
            return (good, bad, expired)
        }

        private struct ImportJSON: Encodable {
            let rows: Int
            let invalid: Int
            /// Of those that were added, or were there already.
            let expired: Int
            let added: Int
            let replaced: Int
            let unchanged: Int

            init(rows: Int, invalid: Int, expired: Int, _ change: SuppressionChange) {
                self.rows = rows
                self.invalid = invalid
                self.expired = expired
                (added, replaced, unchanged) = (change.added, change.replaced, change.unchanged)
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Write suppressions as a CSV table, which import reads.",
            discussion: "A file that is there already is replaced only with --force, and once the new one is whole.")
        @Argument(help: "The file to write; without it, or as -, the standard output.") var file: String?
        @Flag(help: "Replace a file that is there already.") var force = false
        @OptionGroup var options: LedgerOptions
        @OptionGroup var choice: Choice
        @Flag(help: ArgumentHelp(CSVOptions.help)) var raw = false

        func run() async throws {
            let settings = try options.settings(mayDiffer: true)
            let ledger = try options.open(settings)
            let path = file == OutputFile.standardOutput ? nil : file
            if let path {
                try OutputFile.check(path, option: "the table", example: "suppressions.csv")
                try OutputFile.check(path, option: "the table", against: [], ledger: settings.ledger.place.file, of: "the command")
                if !force { try OutputFile.requireFree(path, option: "the table", remedy: "name another file, or replace it with --force") }
            }
            let pages = SuppressionPages(ledger: ledger, filter: try await choice.filter(ledger, options))
            guard let path else {
                StandardOutput.write(table: SuppressionText.header)
                for try await page in pages {
                    StandardOutput.write(table: page.map { SuppressionText.csv($0, raw: raw) }.joined(separator: "\n"))
                }
                return
            }
            let table = try NewFile(path)
            let count = try await write(pages, to: table)
            let words = "\(path): \(counted(count, "suppression"))"
            // The table may go where the words would.
            if table.isFile { StandardOutput.write(words) } else { StandardError.write(words) }
        }

        private func write(_ pages: SuppressionPages, to table: NewFile) async throws -> Int {
            var count = 0
            do {
                try table.write("\(SuppressionText.header)\n")
                for try await page in pages {
                    try table.write(page.map { SuppressionText.csv($0, raw: raw) + "\n" }.joined())
                    count += page.count
                }
                try table.finish()
            } catch {
                table.abandon()
                throw error
            }
            return count
        }
    }
}

/// The rows of a table, some thousand at a time.
private final class SuppressionParts: Sendable {
    private static let size = 5000
    private let table: Mutex<SuppressionFile>

    init(_ table: sending SuppressionFile) { self.table = Mutex(table) }

    func next(skippingInvalid: Bool) throws -> [Suppression]? {
        try table.withLock { table in
            var part: [Suppression] = []
            while part.count < Self.size, let row = try table.next() {
                if skippingInvalid, case .failure = row { continue }
                part.append(try row.get())
            }
            return part.isEmpty ? nil : part
        }
    }
}
