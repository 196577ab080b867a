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
            abstract: "List the limits of all scopes: in effect, in flotilla.yaml, and set at run time.")
        @OptionGroup var options: LedgerOptions

        func run() async throws {
            let settings = try options.settings()
            let list = LimitList(settings, try await options.open(settings).limits())
            print(TextTable(header: ["SCOPE", "LIMIT", "FLOTILLA.YAML", "SET AT RUN TIME"], rows: list.rows).text)
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a limit that overrides flotilla.yaml; it takes effect within a second in the whole fleet.")
        @OptionGroup var options: LedgerOptions
        @Argument(help: "provider:NAME (or provider:smtp://host:port), channel:NAME, or domain:NAME.") var scope: String
        @Argument(help: "The limit, as 500/s or 6000/min,burst=50; 'none' lifts it.") var limit: String

        func run() async throws {
            let settings = try options.settings()
            let list = LimitList(settings, [])
            let scope = try list.scope(scope)
            let limit = try RateLimit.orNone(limit)?.description ?? RateLimit.none
            let before = try await options.open(settings).setLimit(scope.description, limit, now: Clock.milliseconds())
            let replaced =
                before.map { "\($0.text), set \(Timestamp.text($0.changed))" } ?? "\(list.configured(scope)) of flotilla.yaml"
            print("\(scope): \(limit), in place of \(replaced)")
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a limit that was set at run time; that of flotilla.yaml takes effect again.")
        @OptionGroup var options: LedgerOptions
        @Argument(help: "The scope, as flotilla limit list shows it.") var scope: String

        func run() async throws {
            let settings = try options.settings()
            // What is no scope may still stand in the ledger, from another build.
            let known = LimitScope(scope)
            let scope = known?.description ?? scope
            let before = try await options.open(settings).setLimit(scope, nil, now: Clock.milliseconds())
            guard let before else {
                throw CommandError("no limit was set at run time for '\(scope)'; flotilla limit list shows where one was")
            }
            print("\(scope): \(LimitList(settings, []).configured(known)) of flotilla.yaml, in place of \(before.text)")
        }
    }
}
