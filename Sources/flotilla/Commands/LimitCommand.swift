import ArgumentParser
import Ledger
import Logging
import Model
import Policy
import Settings
import Telemetry

/// Limits of providers, channels and recipient domains, while mailings are sent.
struct LimitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit", abstract: "List the limits of a fleet, and change them while mailings are sent.",
        subcommands: [List.self, Set.self, Clear.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the limits of all scopes: what holds, what flotilla.yaml says, what was set by hand.")
        @OptionGroup var options: LedgerOptions

        func run() async throws {
            let settings = try options.settings()
            let roster = LimitRoster(settings, try await options.open(settings).limits())
            print(TextTable(header: ["SCOPE", "LIMIT", "FLOTILLA.YAML", "SET BY HAND"], rows: roster.rows).text)
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a limit in place of that of flotilla.yaml; it takes effect within a second, in the whole fleet.")
        @OptionGroup var options: LedgerOptions
        @Argument(help: "provider:NAME (or provider:smtp://host:port), channel:NAME, or domain:NAME.") var scope: String
        @Argument(help: "The limit, as 500/s or 6000/min,burst=50; 'none' lifts it.") var limit: String

        func run() async throws {
            let settings = try options.settings()
            let roster = LimitRoster(settings, [])
            let scope = try roster.scope(scope)
            let limit = try RateLimit.orNone(limit)?.description ?? RateLimit.none
            let before = try await options.open(settings).setLimit(scope.description, limit, now: Clock.milliseconds())
            let replaced =
                before.map { "\($0.text), set \(Timestamp.text($0.changed))" } ?? "\(roster.configured(scope)) of flotilla.yaml"
            print("\(scope): \(limit), in place of \(replaced)")
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take the limit of flotilla.yaml again.")
        @OptionGroup var options: LedgerOptions
        @Argument(help: "The scope, as flotilla limit list shows it.") var scope: String

        func run() async throws {
            let settings = try options.settings()
            // What is no scope may still stand in the ledger, from another build.
            let known = LimitScope(scope)
            let scope = known?.description ?? scope
            let before = try await options.open(settings).setLimit(scope, nil, now: Clock.milliseconds())
            guard let before else {
                throw Refusal("no limit was set by hand for '\(scope)'; flotilla limit list shows for which one was")
            }
            print("\(scope): \(LimitRoster(settings, []).configured(known)) of flotilla.yaml, in place of \(before.text)")
        }
    }
}
