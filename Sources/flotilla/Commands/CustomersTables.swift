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
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Add the customers of a table, and change those that there are.",
            discussion: """
                The table is CSV with a header, or NDJSON. Its columns are id, status, language, time_zone, main_channel, tags, \
                \(Channel.allCases.map(\.rawValue).joined(separator: ", ")) (addresses), subscribed, subscribed_CHANNEL and \
                subscribed_CHANNEL:CATEGORY (yes, no or unconfirmed), and attributes; all but the id may be missing. A customer is known \
                by the id. An empty value changes nothing. Every row is checked before the first is imported. An import that is \
                interrupted is given again: what is there already stays as it is.
                """)
        @Argument(help: "The table (.csv, .tsv, .txt, .ndjson or .jsonl).") var file: String
        @Option(
            help: ArgumentHelp(
                "What a column is: COLUMN=NAME, or COLUMN=- to ignore it. May be given several times.", valueName: "column=name"))
        var map: [String] = []
        @Option(help: ArgumentHelp("An attribute that is added if it is not there. May be given several times.", valueName: "name:type"))
        var attribute: [String] = []
        @Option(help: "Whether rows that do not say so are of people who have agreed to messages: yes, no or unconfirmed.")
        var subscribed: Agreed?
        @Option(help: "What proves the consent, such as the address of a stored form.") var proof = ""
        @Option(help: "The country of telephone numbers without a country code (ISO 3166-1, such as DE).") var country: String?
        @Flag(help: "Import the good rows though others are bad; those are listed.") var skipInvalid = false
        @Flag(help: "Only check the table.") var dryRun = false
        @OptionGroup var order: OrderOptions
        @OptionGroup var output: OutputOptions

        enum Agreed: String, ExpressibleByArgument, CaseIterable {
            case yes, no, unconfirmed

            var state: Subscription.State {
                switch self {
                case .yes: .subscribed
                case .no: .unsubscribed
                case .unconfirmed: .unconfirmed
                }
            }
        }

        /// Bad rows that are listed.
        private static let listed = 20

        func validate() throws {
            _ = try SuppressedNames.country(country)
            _ = try ColumnMapping.read(map)
            _ = try added()
            if format == nil {
                throw ValidationError("'\(LogText.line(file))' does not say its format by .csv, .tsv, .txt, .ndjson or .jsonl; rename it")
            }
            if proof.utf8.count > 1024 { throw ValidationError("--proof is 1,024 bytes at most") }
        }

        private var format: RecipientSource.Format? { RecipientSource.Format(path: file) }

        private func added() throws -> [(name: String, type: AttributeType)] {
            try attribute.map { text in
                let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
                guard parts.count == 2, let type = AttributeType(rawValue: parts[1]) else {
                    let types = AttributeType.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ValidationError("--attribute '\(LogText.line(text))' is not NAME:TYPE, with one of the types \(types)")
                }
                if let fault = Attribute.fault(ofName: parts[0]) {
                    throw ValidationError("--attribute '\(LogText.line(parts[0]))' \(fault)")
                }
                return (parts[0], type)
            }
        }

        func run() async throws {
            let session = try await order.beginningSession(order.settings(), near: [file])
            var options = CustomerFile.Options(attributes: try await attributes(session))
            options.mapping = try ColumnMapping.read(map)
            options.country = try SuppressedNames.country(country)
            options.subscribed = subscribed?.state
            let (good, bad) = try check(options)
            if bad > Self.listed { StandardError.write("and \(grouped(bad - Self.listed)) rows more") }
            if bad > 0, !skipInvalid {
                throw CommandError(
                    "\(file): nothing was imported, as \(counted(bad, "row")) of \(grouped(good + bad)) cannot be taken; correct them, or "
                        + "import the others with --skip-invalid")
            }
            if dryRun { return tell(CustomerSummary(), rows: good, invalid: bad) }
            for one in try added() { _ = try await session.give(AddAttribute(one.name, one.type)) }
            options.attributes = try await session.ledger.attributes()
            let parts = CustomerParts(try table(options))
            let progress = RowProgress(of: good)
            let path = URL(fileURLWithPath: file).standardizedFileURL.path
            let order = ImportCustomers(
                file: path, proof: proof, next: { try parts.next(skippingInvalid: skipInvalid) }, progress: { progress.tell($0) })
            tell(try await session.give(order), rows: good, invalid: bad)
        }

        /// The ledger's attributes, and those that are to be added.
        private func attributes(_ session: OrderSession) async throws -> [Attribute] {
            var attributes = try await session.ledger.attributes()
            for one in try added() {
                if let known = attributes.first(where: { $0.name == one.name }) {
                    guard known.type == one.type else {
                        throw CommandError("the attribute '\(one.name)' is there with the type \(known.type.rawValue), and keeps it")
                    }
                } else {
                    attributes.append(Attribute(name: one.name, type: one.type, number: attributes.count + 1))
                }
            }
            return attributes
        }

        private func table(_ options: CustomerFile.Options) throws -> CustomerFile {
            try CustomerFile(path: file, format: format ?? .csv, options: options)
        }

        /// Reads the whole table.
        /// - Returns: how many rows can be imported, and how many cannot.
        private func check(_ options: CustomerFile.Options) throws -> (good: Int, bad: Int) {
            var table = try table(options)
            var (good, bad) = (0, 0)
            while let row = try table.next() {
                switch row {
                case .success: good += 1
                case .failure(let fault):
                    bad += 1
                    if bad <= Self.listed { StandardError.write("\(fault)") }
                }
            }
            return (good, bad)
        }

        private func tell(_ summary: CustomerSummary, rows: Int, invalid: Int) {
            if output.isJSON {
                return StandardOutput.write(
                    json: """
                        {"rows":\(rows + invalid),"invalid":\(invalid),"added":\(summary.added),"updated":\(summary.updated),\
                        "invalid_addresses":\(summary.invalidAddresses),"subscriptions":\(summary.subscriptions)}
                        """)
            }
            let left = invalid > 0 ? "; \(counted(invalid, "row")) skipped" : ""
            guard !dryRun else { return StandardOutput.write("\(counted(rows, "row")) can be imported\(left)") }
            var parts = ["\(counted(summary.added, "customer")) added", "\(grouped(summary.updated)) updated"]
            if summary.invalidAddresses > 0 { parts.append("\(grouped(summary.invalidAddresses)) of their addresses not valid") }
            StandardOutput.write(parts.joined(separator: ", ") + left)
            guard summary.added > 0, summary.subscriptions == 0 else { return }
            StandardOutput.write(
                "none of them is subscribed to a channel: if they have agreed to messages, import the table again with --subscribed yes")
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Write all customers as a CSV table, which import reads.",
            discussion: "A file that is there already is replaced only with --force, and once the new one is whole.")
        @Argument(help: "The file to write; without it, or as -, the standard output.") var file: String?
        @Flag(help: "Replace a file that is there already.") var force = false
        @OptionGroup var options: LedgerOptions
        @Flag(help: ArgumentHelp(CSVOptions.help)) var raw = false

        func run() async throws {
            let settings = try options.settings(mayDiffer: true)
            let ledger = try options.open(settings)
            let (attributes, categories) = (try await ledger.attributes(), try await ledger.categories())
            let pages = CustomerPages(ledger: ledger)
            let header = CustomerText.columns(attributes, categories: categories).map(CSVValue.encoded).joined(separator: ",")
            func rows(_ page: [Customer]) -> String {
                page.map { CustomerText.csv($0, attributes, categories: categories, raw: raw) }.joined(separator: "\n")
            }
            guard let path = file == OutputFile.standardOutput ? nil : file else {
                StandardOutput.write(table: header)
                for try await page in pages { StandardOutput.write(table: rows(page)) }
                return
            }
            try OutputFile.check(path, option: "the table", example: "customers.csv")
            try OutputFile.check(path, option: "the table", against: [], ledger: settings.ledger.place.file, of: "the command")
            if !force { try OutputFile.requireFree(path, option: "the table", remedy: "name another file, or replace it with --force") }
            let table = try NewFile(path)
            var count = 0
            do {
                try table.write(header + "\n")
                for try await page in pages {
                    try table.write(rows(page) + "\n")
                    count += page.count
                }
                try table.finish()
            } catch {
                table.abandon()
                throw error
            }
            let words = "\(path): \(counted(count, "customer"))"
            if table.isFile { StandardOutput.write(words) } else { StandardError.write(words) }
        }
    }
}

/// The rows of a table, some thousand at a time; in each part an id occurs once.
private final class CustomerParts: Sendable {
    private static let size = 5000
    private let state: Mutex<State>

    private struct State {
        var table: CustomerFile
        /// The first row of the next part.
        var pending: CustomerChange?
    }

    init(_ table: sending CustomerFile) { state = Mutex(State(table: table)) }

    func next(skippingInvalid: Bool) throws -> [CustomerChange]? {
        try state.withLock { state in
            var part: [CustomerChange] = []
            var ids: Set<String> = []
            if let first = state.pending {
                part.append(first)
                ids.insert(first.id)
                state.pending = nil
            }
            while part.count < Self.size, let row = try state.table.next() {
                if skippingInvalid, case .failure = row { continue }
                let change = try row.get()
                guard ids.insert(change.id).inserted else {
                    state.pending = change
                    break
                }
                part.append(change)
            }
            return part.isEmpty ? nil : part
        }
    }
}
