import ArgumentParser
import Ledger
import Model
import Telemetry

extension MailingCommand {
    struct Excluded: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "excluded", abstract: "List the rows of the recipients' file that are not sent to, with the reason of each.",
            discussion: """
                Rows are counted from 1, the first below the header. Rows whose address an earlier mailing has reached (sent_before) are \
                counted and not listed. With --skipped those are listed who were planned and skipped when their batch was dispatched, by \
                batch and place. The next page of a list that --limit has ended begins with --after and its last row, or place.
                """)
        @OptionGroup var options: LedgerAloneOptions
        @OptionGroup var mailing: MailingArgument
        @Option(help: "Only rows with this reason, as the report names it.") var reason: ExclusionReason?
        @Option(help: "Only rows behind this one; with --skipped, recipients behind this place, such as 3.41.") var after: String?
        @Option(help: "How many to list at most.") var limit: Int?
        @Flag(help: "List recipients that were skipped when they were to be sent to.") var skipped = false
        @Option(help: "The form of the output: text for people, csv for spreadsheets, json for programs.") var output: Form?
        @Flag(help: ArgumentHelp(CSVOptions.help)) var raw = false

        enum Form: String, ExpressibleByArgument, CaseIterable {
            case text, json, csv
        }

        func validate() throws {
            if let limit, limit < 1 { throw ValidationError("--limit is 1 or more") }
            if raw, output != .csv { throw ValidationError("--raw goes with --output csv") }
            guard let after else { return }
            if skipped, SkippedPlace(after) == nil {
                throw ValidationError("--after is a place as the list shows it with --skipped, such as 3.41")
            }
            if !skipped, row == nil { throw ValidationError("--after is the number of a row, 0 or more") }
        }

        /// The row behind which the list begins; nil where `--after` names none.
        private var row: Int? {
            guard let after else { return 0 }
            return Int(after).flatMap { $0 < 0 ? nil : $0 }
        }

        func run() async throws {
            let ledger = try options.open()
            let record = try await mailing.find(in: ledger)
            try PrunedText.refuse(record)
            if skipped {
                let choice = SkippedText.Choice(reason: reason, after: after.flatMap { SkippedPlace($0) }, limit: limit)
                return try await SkippedText(ledger, record.id, choice).write(output ?? .text, raw: raw)
            }
            let start = row ?? 0
            let file = record.source?.file ?? ""
            var list = ExcludedText(file: file)
            var left = limit ?? Int.max
            var isMore = false
            if output == .csv { StandardOutput.write(ExcludedText.csvHeader) }
            for try await page in ExclusionPages(ledger: ledger, mailing: record.id, after: start) {
                let wanted = page.filter { reason == nil || $0.reason == reason }
                if wanted.count > left { isMore = true }
                for item in wanted.prefix(left) {
                    switch output {
                    case .json: StandardOutput.write(json: try ExcludedText.json(item, file: file))
                    case .csv: StandardOutput.write(ExcludedText.csv(item, raw: raw))
                    case .text, nil: StandardOutput.write(list.line(item, of: wanted))
                    }
                }
                left -= min(left, wanted.count)
                if isMore { break }
            }
            guard output == nil || output == .text else { return }
            if let last = list.last, isMore {
                let same = reason.map { " --reason \($0.rawValue)" } ?? ""
                StandardOutput.write("\nmore: flotilla mailing excluded \(record.id)\(same) --after \(last) --limit \(limit ?? 0)")
            }
            let excluded = try await ledger.report(record.id, now: Clock.milliseconds())?.excluded ?? [:]
            let before = excluded[.sentBefore] ?? 0
            if list.last == nil, before == 0 || reason != nil && reason != .sentBefore {
                let behind = start > 0 ? " behind row \(start)" : ""
                StandardOutput.write("no rows\(behind) are excluded\(reason.map { " as \($0.rawValue)" } ?? "")")
            }
            if before > 0, reason == nil || reason == .sentBefore {
                StandardOutput.write("\(counted(before, "row")) more had an earlier mailing (sent_before): only their number is kept")
            }
        }
    }
}

extension ExclusionReason: ExpressibleByArgument {}

/// The excluded rows of a mailing, read from the ledger a thousand at a time.
struct ExclusionPages: AsyncSequence {
    let ledger: any OpenLedger
    let mailing: MailingID
    let after: Int

    struct AsyncIterator: AsyncIteratorProtocol {
        let ledger: any OpenLedger
        let mailing: MailingID
        var last: Int

        mutating func next() async throws -> [Exclusion]? {
            let page = try await ledger.exclusions(mailing, after: last, limit: 1000)
            guard let end = page.last else { return nil }
            last = end.row
            return page
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(ledger: ledger, mailing: mailing, last: after) }
}
