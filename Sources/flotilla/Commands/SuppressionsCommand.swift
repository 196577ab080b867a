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
        commandName: "suppressions", abstract: "List, add, remove, import, export and check addresses that are not sent to.",
        discussion: """
            A suppression is of a channel and an address, for mailings of one category or for all. Mailings leave out those who are \
            suppressed when they are planned, and skip those who are suppressed when their batch is dispatched.
            """,
        subcommands: [List.self, Add.self, Remove.self, Import.self, Export.self, Check.self])

    /// Which suppressions are listed or exported.
    struct Choice: ParsableArguments {
        @Option(help: "Only of this channel.") var channel: Channel?
        @Option(help: "Only for this category; all for those of all mailings.") var category: String?
        @Option(help: "Only with this reason.") var reason: Suppression.Reason?

        func validate() throws { _ = try SuppressedNames.category(category) }

        var filter: SuppressionFilter {
            get throws { SuppressionFilter(channel: channel, category: try SuppressedNames.category(category), reason: reason) }
        }
    }

    /// Addresses as a person writes them.
    struct Addresses: ParsableArguments {
        @Argument(help: "Addresses.") var addresses: [String]
        @Option(help: "Their channel; email where every address has an @.") var channel: Channel?
        @Option(help: "The country of telephone numbers without a country code (ISO 3166-1, such as DE).") var country: String?

        func validate() throws { _ = try SuppressedNames.country(country) }

        /// Reads the addresses, by one and the same channel.
        func rows() throws -> [SuppressionRow] {
            guard let channel = channel ?? (addresses.allSatisfy { $0.contains("@") } ? .email : nil) else {
                throw CommandError(
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
            for try await page in SuppressionPages(ledger: ledger, filter: try choice.filter) {
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
        @Option(help: "For mailings of this category; without it, for all.") var category: String?
        @Option(help: "Why.") var reason = Suppression.Reason.manual
        @Option(help: "Until when it counts: a day as 2026-12-01, a time as 2026-12-01T09:00:00Z, or a span from now as 90d.")
        var expiry: String?
        /// Seconds of a span.
        private static let longest = 36_500 * 86_400
        @OptionGroup var order: OrderOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            _ = try SuppressedNames.category(category)
        }

        func run() async throws {
            let now = Clock.milliseconds()
            let country = try SuppressedNames.country(addresses.country)
            let seconds = expiry.flatMap { try? TimeSpan($0) }?.seconds
            if let seconds, seconds > Self.longest {
                throw CommandError("--expiry is 36500d at most; without it a suppression stays for ever")
            }
            let span = seconds.map { Moment(milliseconds: now + Int64($0) * 1000).description }
            let suppressions = try addresses.rows().map { row in
                var row = row
                row[.category] = category ?? ""
                row[.expiry] = span ?? expiry ?? ""
                do { return try row.read(country: country, reason: reason, now: now) } catch { throw CommandError("\(error)") }
            }
            let session = try order.session(order.settings())
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

        func validate() throws { _ = try SuppressedNames.category(category) }

        func run() async throws {
            let country = try SuppressedNames.country(addresses.country)
            let wanted = try SuppressedNames.category(category)
            let session = try order.session(order.settings())
            var keys: [Suppression.Key] = []
            for row in try addresses.rows() {
                let key: Suppression.Key
                do { key = try row.read(country: country, reason: .manual, now: 0).key } catch { throw CommandError("\(error)") }
                let found = try await session.ledger.suppressions(of: key.address, key.channel).map(\.key)
                keys += found.filter { wanted == nil || $0.category == wanted }
            }
            let removed = try await session.give(RemoveSuppressions(keys))
            if output.isJSON { return StandardOutput.write(json: try ScriptJSON.text(["removed": removed.count])) }
            guard !removed.isEmpty else { throw CommandError("no such suppression: flotilla suppressions check says what there is") }
            StandardOutput.write("\(counted(removed.count, "suppression")) removed")
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Say whether an address is suppressed, why, and for which category.")
        @OptionGroup var options: LedgerOptions
        @Argument(help: "The address.") var address: String
        @Option(help: "Only by this channel; without it, by every channel for which it is an address.") var channel: Channel?
        @Option(help: "Only for a mailing of this category; without it, for any mailing.") var category: String?
        @Option(help: "The country of a telephone number without a country code (ISO 3166-1, such as DE).") var country: String?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            _ = try SuppressedNames.category(category)
            _ = try SuppressedNames.country(country)
            if address.allSatisfy(\.isWhitespace) { throw ValidationError("the address is empty") }
            guard let channel else { return }
            do { _ = try key(channel) } catch {
                throw ValidationError("'\(LogText.line(address))' is no address of \(channel.rawValue): \(error)")
            }
        }

        /// A mistyped address is on no list.
        private func warnOfForm() {
            guard channel == nil else { return }
            do { _ = try key(.email) } catch {
                do { _ = try key(.sms) } catch {
                    let country = country == nil ? "; --country names the country of a number without a code" : ""
                    StandardError.warn("as it stands it is no e-mail address, and no telephone number (\(error))\(country)")
                }
            }
        }

        private func key(_ channel: Channel) throws(NormalAddress.Fault) -> String {
            try NormalAddress.key(address, channel, country: country.flatMap { PhoneCountry($0) })
        }

        func run() async throws {
            let ledger = try options.open()
            let now = Clock.milliseconds()
            let category = try SuppressedNames.category(category)
            var found: [Suppression] = []
            for channel in channel.map({ [$0] }) ?? Channel.allCases {
                guard let key = try? key(channel) else { continue }
                found += try await ledger.suppressions(of: key, channel).filter { one in
                    category.map { one.key.category.isEmpty || one.key.category == $0 } ?? true
                }
            }
            let counting = found.filter { $0.isInForce(at: now) }
            if output.isJSON {
                return StandardOutput.write(
                    json: try ScriptJSON.text(
                        SuppressionCheckJSON(
                            address: address, suppressed: !counting.isEmpty,
                            suppressions: found.map { SuppressionJSON($0, now: now) })))
            }
            let what = category.map { $0.isEmpty ? " for mailings without a category" : " for \($0)" } ?? ""
            guard !counting.isEmpty else {
                let expired = found.isEmpty ? "" : " any more: \(counted(found.count, "suppression")) expired"
                StandardOutput.write("\(LogText.line(address)) is not suppressed\(what)\(expired)")
                return warnOfForm()
            }
            StandardOutput.write(
                "\(LogText.line(address)) is suppressed\(what):\n\n" + SuppressionText.table(found, withHeader: true, now: now))
        }
    }
}

extension Channel: ExpressibleByArgument {}
extension Suppression.Reason: ExpressibleByArgument {}

/// The names that options of these commands have.
enum SuppressedNames {
    /// - Returns: empty for all mailings; nil where none is named.
    static func category(_ text: String?) throws -> String? {
        guard let text else { return nil }
        if text == Category.all { return "" }
        if let fault = Category.fault(text) { throw ValidationError("--category '\(text)' \(fault)") }
        return text
    }

    static func country(_ text: String?) throws -> PhoneCountry? {
        guard let text else { return nil }
        guard let country = PhoneCountry(text) else {
            throw ValidationError("--country '\(text)' is no ISO 3166-1 code such as DE")
        }
        return country
    }
}
