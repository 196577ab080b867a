import ArgumentParser
import CommandSupport
import Control
import Ledger
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
            commandName: "list", abstract: "List the limits of all scopes: in effect, in flotilla.yaml, and set at run time.")
        @OptionGroup var options: LedgerAloneOptions
        @OptionGroup var output: OutputOptions

        private struct Line: Encodable {
            let scope: String
            let limit: String
            /// That of flotilla.yaml.
            let configured: String
            /// When another was set.
            let setAt: String?
        }

        func run() async throws {
            output.warnOfOldOption()
            let settings = try options.settings()
            let lines = LimitList(settings, try await options.open(settings).limits()).entries.map { entry in
                Line(
                    scope: entry.scope.description, limit: entry.override?.text ?? entry.configured, configured: entry.configured,
                    setAt: entry.override.map { Timestamp.text($0.changed) })
            }
            if output.isJSON {
                for line in lines { StandardOutput.write(json: try ScriptJSON.line(line)) }
                return
            }
            let rows = lines.map { [$0.scope, $0.limit, $0.configured, $0.setAt ?? "-"] }
            StandardOutput.write(TextTable(header: ["SCOPE", "LIMIT", "FLOTILLA.YAML", "SET AT RUN TIME"], rows: rows).text)
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Set a limit that overrides flotilla.yaml; it takes effect within a second in the whole fleet.")
        @OptionGroup var order: OrderOptions
        @Argument(help: "provider:NAME (or provider:smtp://host:port), channel:NAME, or domain:NAME.") var scope: String
        @Argument(help: "The limit, as 500/s or 6000/min,burst=50; 'none' lifts it.") var limit: String

        func validate() throws {
            do {
                _ = try LimitList.form(scope)
                _ = try RateLimit.orNone(limit)
            } catch { throw ValidationError("\(error)") }
        }

        func run() async throws {
            let settings = try order.settings()
            let list = LimitList(settings, [])
            let set = SetLimit(try list.scope(scope), try RateLimit.orNone(limit))
            let outcome = try await order.session(settings).give(set)
            let replaced =
                outcome.before.map { "\($0.text), set \(Timestamp.text($0.changed))" }
                ?? configuredText(list, set.scope)
            StandardOutput.write("\(set.scope): \(set.limit?.description ?? RateLimit.none), in place of \(replaced)")
            outcome.reach.warnWithoutPlanner("it takes effect")
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clear", abstract: "Remove a limit that was set at run time; that of flotilla.yaml takes effect again.")
        @OptionGroup var order: OrderOptions
        @Argument(help: "The scope, as flotilla limit list shows it.") var scope: String

        func run() async throws {
            let settings = try order.settings()
            let scope = StoredScope(scope)
            let outcome = try await order.session(settings).give(ClearLimit(scope))
            StandardOutput.write(
                "\(scope): \(configuredText(LimitList(settings, []), scope.scope)), in place of \(outcome.before.text)")
            outcome.reach.warnWithoutPlanner("it takes effect")
        }
    }
}

/// The limit of `flotilla.yaml`, within a sentence.
private func configuredText(_ list: LimitList, _ scope: LimitScope?) -> String {
    let limit = list.configured(scope)
    return limit == RateLimit.none ? "no limit in flotilla.yaml" : "\(limit) of flotilla.yaml"
}
