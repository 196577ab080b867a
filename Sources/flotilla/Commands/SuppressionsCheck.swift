import ArgumentParser
import CommandSupport
import Ledger
import Model
import Policy
import Telemetry

extension SuppressionsCommand {
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
            let category = try await SuppressedNames.known(category, in: ledger, options)
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
