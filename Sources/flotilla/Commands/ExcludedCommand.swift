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
                batch and place. The next page of a list that --limit has ended begins with --after and its last row.
                """)
        @OptionGroup var options: LedgerAloneOptions
        @OptionGroup var mailing: MailingArgument
        @Option(help: "Only rows with this reason, as the report names it.") var reason: ExclusionReason?
        @Option(help: "Only rows behind this one.") var after = 0
        @Option(help: "How many to list at most.") var limit: Int?
        @Flag(help: "List recipients that were skipped when they were to be sent to.") var skipped = false
        @Option(help: "The form of the output: text for people, json or csv for programs.") var output: Form?

        enum Form: String, ExpressibleByArgument, CaseIterable {
            case text, json, csv
        }

        func validate() throws {
            if skipped, after != 0 || limit != nil || reason != nil {
                throw ValidationError("--skipped goes with neither --reason, --after nor --limit")
            }
            if skipped, output == .csv { throw ValidationError("--skipped is listed as text or as json, not as csv") }
            if let limit, limit < 1 { throw ValidationError("--limit is 1 or more") }
            if after < 0 { throw ValidationError("--after is 0 or more") }
        }

        func run() async throws {
            let ledger = try options.open()
            let record = try await mailing.find(in: ledger)
            try PrunedText.refuse(record)
            if skipped { return try await SkippedText(ledger, record.id).write(asJSON: output == .json) }
            let file = record.source?.file ?? ""
            var list = ExcludedText(file: file)
            var left = limit ?? Int.max
            var isMore = false
            if output == .csv { StandardOutput.write(ExcludedText.csvHeader) }
            for try await page in ExclusionPages(ledger: ledger, mailing: record.id, after: after) {
                let wanted = page.filter { reason == nil || $0.reason == reason }
                if wanted.count > left { isMore = true }
                for item in wanted.prefix(left) {
                    switch output {
                    case .json: StandardOutput.write(json: try ExcludedText.json(item, file: file))
                    case .csv: StandardOutput.write(ExcludedText.csv(item))
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
                let behind = after > 0 ? " behind row \(after)" : ""
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
