import ArgumentParser
import CommandSupport
import Control
import Ledger
import Model
import Policy
import Telemetry

/// Questions and orders about who is not to be sent to.
struct SuppressionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suppressions", abstract: "List, add, remove, undo, import, export and check addresses that are not sent to.",
        discussion: """
            A suppression is of a channel and an address, for mailings of one category or for all. Mailings leave out those who are \
            suppressed when they are planned, and skip those who are suppressed when their batch is dispatched.
            """,
        subcommands: [List.self, Add.self, Remove.self, Undo.self, Import.self, Export.self, Check.self, Categories.self])

    /// Which suppressions are listed or exported.
    struct Choice: ParsableArguments {
        @Option(help: "Only of this channel.") var channel: Channel?
        @Option(help: "Only for this category; all for those of all mailings.") var category: String?
        @Option(help: "Only with this reason.") var reason: Suppression.Reason?
        @OptionGroup var cause: Cause

        func validate() throws { _ = try SuppressedNames.category(category) }

        /// - Throws: `CommandError` where the ledger does not know the category.
        func filter(_ ledger: any OpenLedger, _ options: LedgerOptions) async throws -> SuppressionFilter {
            let category = try await SuppressedNames.known(category, in: ledger, options)
            return try cause.filter(SuppressionFilter(channel: channel, category: category, reason: reason), now: Clock.milliseconds())
        }
    }

    /// By whose answer, and when, addresses were suppressed.
    struct Cause: ParsableArguments {
        @Option(help: "Only by an answer of this provider.") var provider: String?
        @Option(help: "Only since then: a time as 2026-12-01T09:00:00Z, or a span back from now as 2d or 3h.") var since: String?
        @Option(help: "Only until then.") var until: String?

        func validate() throws {
            if provider?.isEmpty == true { throw ValidationError("an empty name names no provider") }
            _ = try filter(SuppressionFilter(), now: 0)
        }

        func filter(_ filter: SuppressionFilter, now: Int64) throws -> SuppressionFilter {
            var filter = filter
            filter.provider = provider
            filter.since = try since.map { try PastTime.milliseconds($0, "--since", now: now) }
            filter.until = try until.map { try PastTime.milliseconds($0, "--until", now: now) }
            return filter
        }
    }

    /// Addresses as a person writes them.
    struct Addresses: ParsableArguments {
        @Argument(help: "Addresses.") var addresses: [String]
        @Option(help: "Their channel; email where every address has an @.") var channel: Channel?
        @Option(help: "The country of telephone numbers without a country code (ISO 3166-1, such as DE).") var country: String?

        func validate() throws {
            _ = try SuppressedNames.country(country)
            _ = try rows()
        }

        /// Reads the addresses, by one and the same channel.
        func rows() throws -> [SuppressionRow] {
            guard let channel = channel ?? (addresses.allSatisfy { $0.contains("@") } ? .email : nil) else {
                throw ValidationError(
                    "name the channel of the addresses: --channel \(Channel.allCases.map(\.rawValue).joined(separator: "|"))")
            }
            return addresses.map { address in
                var row = SuppressionRow()
                (row[.channel], row[.address]) = (channel.rawValue, address)
                return row
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List suppressions by channel and address.",
            discussion: "Those that have expired are listed too, and count no more. flotilla suppressions export writes a whole table.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var choice: Choice
        @Option(help: "How many at most.") var limit = 1000
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if limit < 1 { throw ValidationError("--limit is 1 or more") }
        }

        func run() async throws {
            let ledger = try options.open()
            let now = Clock.milliseconds()
            var (left, isFirst, isMore) = (limit, true, false)
            for try await page in SuppressionPages(ledger: ledger, filter: try await choice.filter(ledger, options)) {
                let shown = page.prefix(left)
                if output.isJSON {
                    for one in shown { StandardOutput.write(json: try ScriptJSON.line(SuppressionJSON(one, now: now))) }
                } else {
                    StandardOutput.write(SuppressionText.table(Array(shown), withHeader: isFirst, now: now))
                }
                isFirst = false
                left -= shown.count
                if left == 0 {
                    isMore = page.count > shown.count || page.count == SuppressionPages.size
                    break
                }
            }
            guard !output.isJSON else { return }
            if isFirst { return StandardOutput.write("no suppressions") }
            if isMore { StandardOutput.write("\nthere may be more: raise --limit, or flotilla suppressions export") }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Suppress addresses.",
            discussion: "Of two suppressions of an address for the same mailings that one stays which lasts longer.")
        @OptionGroup var addresses: Addresses
        @Option(help: "For mailings of this category, one that was added (flotilla suppressions categories); without it, for all.")
        var category: String?
        @Option(help: "Why.") var reason = Suppression.Reason.manual
        @Option(help: "Until when it counts: a day as 2026-12-01, a time as 2026-12-01T09:00:00Z, or a span from now as 90d.")
        var expiry: String?
        /// Seconds of a span.
        private static let longest = 36_500 * 86_400
        @OptionGroup var order: OrderOptions
        @OptionGroup var output: OutputOptions

        func validate() throws { _ = try suppressions(now: Clock.milliseconds()) }

        private func suppressions(now: Int64) throws -> [Suppression] {
            let country = try SuppressedNames.country(addresses.country)
            let category = try SuppressedNames.category(category)
            let seconds = expiry.flatMap { try? TimeSpan($0) }?.seconds
            if let seconds, seconds > Self.longest {
                throw ValidationError("--expiry is 36500d at most; without it a suppression stays for ever")
            }
            let span = seconds.map { Moment(milliseconds: now + Int64($0) * 1000).description }
            return try addresses.rows().map { row in
                var row = row
                row[.category] = category ?? ""
                row[.expiry] = span ?? expiry ?? ""
                let one = try SuppressedNames.read(row, country: country, reason: reason, now: now)
                guard one.isInForce(at: now) else {
                    throw ValidationError("--expiry '\(LogText.line(expiry ?? ""))' is past: the suppression would never count")
                }
                return one
            }
        }

        func run() async throws {
            let suppressions = try suppressions(now: Clock.milliseconds())
            let session = try order.session(order.settings())
            _ = try await SuppressedNames.known(category, in: session.ledger, order.ledger)
            let change = try await session.give(AddSuppressions(suppressions))
            StandardOutput.write(change, asJSON: output.isJSON)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove suppressions of addresses.",
            discussion:
                "Mailings that are planned from now on are sent to them again. Recipients that a mailing has excluded stay excluded.")
        @OptionGroup var addresses: Addresses
        @Option(help: "Only for this category, or all for that of all mailings; without it, every suppression of the addresses.")
        var category: String?
        @OptionGroup var order: OrderOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            _ = try SuppressedNames.category(category)
            _ = try named()
        }

        private struct Answer: Encodable {
            let removed: Int
            /// The addresses of which there was none.
            let missing: [String]
        }

        /// The addresses as they are given, each with the key by which it is known.
        private func named() throws -> [(address: String, key: Suppression.Key)] {
            let country = try SuppressedNames.country(addresses.country)
            return try addresses.rows().map { row in
                (row[.address], try SuppressedNames.read(row, country: country, reason: .manual, now: 0).key)
            }
        }

        func run() async throws {
            let session = try order.session(order.settings())
            let wanted = try await SuppressedNames.known(category, in: session.ledger, order.ledger)
            var keys: [Suppression.Key] = []
            var missing: [String] = []
            for (address, key) in try named() {
                let found = try await session.ledger.suppressions(of: key.address, key.channel).map(\.key)
                let chosen = found.filter { wanted == nil || $0.category == wanted }
                keys += chosen
                guard chosen.isEmpty else { continue }
                missing.append(address)
                let others = found.map { $0.category.isEmpty ? "all mailings" : $0.category }.joined(separator: ", ")
                let why = others.isEmpty ? "not suppressed" : "not suppressed for \(category ?? ""), but for \(others)"
                StandardError.write("\(LogText.line(address)): \(why) by \(key.channel.rawValue)")
            }
            let removed = try await session.give(RemoveSuppressions(keys))
            if output.isJSON {
                StandardOutput.write(json: try ScriptJSON.text(Answer(removed: removed.count, missing: missing)))
            } else {
                StandardOutput.write("\(counted(removed.count, "suppression")) removed")
            }
            // As with every order about several things: that some are not there is an error, and the others are done.
            if !missing.isEmpty { throw ExitCode(.failed) }
        }
    }
}

extension Channel: ExpressibleByArgument {
    package init?(argument: String) { self.init(rawValue: argument.lowercased()) }
}

extension Suppression.Reason: ExpressibleByArgument {
    package init?(argument: String) { self.init(rawValue: argument.lowercased()) }
}
