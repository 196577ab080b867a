import ArgumentParser
import Broker
import Control
import CommandSupport
import Foundation
import Ledger
import Logging
import Model
import Settings
import Telemetry

/// What became of entries of Redis that no process could read.
struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "List, show, put back or drop entries of Redis that could not be read.",
        discussion: """
            A collector copies each such entry into the ledger. Results that could not be read make their recipients uncertain; after an
            upgrade `retry` puts them back. A batch that could not be read is dispatched again from the ledger by itself.
            """,
        subcommands: [List.self, Show.self, Retry.self, Drop.self])

    /// Those that an order is for.
    struct Choice: ParsableArguments {
        @Argument(help: "The numbers of the entries, as `flotilla dead list` shows them.")
        var ids: [Int64] = []

        @Flag(help: "All entries.")
        var all = false

        func validate() throws {
            guard ids.isEmpty == all else { throw ValidationError("give the numbers of entries, or --all") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the entries.")
        @OptionGroup var options: LedgerAloneOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            output.warnOfOldOption()
            let ledger = try options.open()
            var last: Int64?
            while true {
                let page = try await ledger.deadLetters(after: last, limit: 1000)
                for item in page {
                    if output.isJSON {
                        StandardOutput.write(json: try ScriptJSON.line(DeadLetterJSON(item)))
                    } else {
                        StandardOutput.write(DeadLetterText.line(item))
                    }
                }
                guard let end = page.last else { break }
                last = end.id
            }
            if output.isJSON { return }
            let discarded = try await ledger.discardedDeadLetters().filter { $0.value > 0 }.sorted { $0.key.rawValue < $1.key.rawValue }
            for (kind, count) in discarded { StandardOutput.write(DeadLetterText.discarded(kind, count)) }
            if last == nil, discarded.isEmpty { StandardOutput.write("no dead letters") }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show an entry with its fields.")
        @OptionGroup var options: LedgerAloneOptions
        @Argument(help: "The entry's number.") var id: Int64
        @OptionGroup var output: OutputOptions

        func run() async throws {
            output.warnOfOldOption()
            guard let item = try await options.open().deadLetter(id) else { throw UnknownDeadLetter(id: id) }
            if output.isJSON { return StandardOutput.write(json: try ScriptJSON.text(DeadLetterJSON(item, fields: item.letter.fields))) }
            StandardOutput.write(DeadLetterText.line(item))
            for field in item.letter.fields { StandardOutput.write("  \(DeadLetterText.field(field))") }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry", abstract: "Put entries back to their stream, for a release that can read them.",
            discussion: "Results go back to the status stream they came from, where a collector reads them. Batches are dispatched again.")
        @OptionGroup var options: OrderOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            let settings = try options.settings()
            let session = try options.session(settings)
            guard let broker = session.broker else { throw RoleRuntime.MissingRedis() }
            let control = Control(ledger: session.ledger, broker: broker, logger: Logger(label: "flotilla"))
            var refused = 0
            let ids = choice.all ? try await all(session.ledger) : choice.ids
            if ids.isEmpty { StandardOutput.write("no dead letters") }
            for id in ids {
                do throws(OrderError) {
                    say(try await control.carryOut(RetryDeadLetter(id, in: DeadLetters(broker)), by: session.actor))
                } catch {
                    refused += 1
                    StandardError.write("error: \(error)")
                }
            }
            await broker.close()
            if refused > 0 { throw ExitCode(.failed) }
        }

        private func all(_ ledger: any OpenLedger) async throws -> [Int64] {
            var ids: [Int64] = []
            while true {
                let page = try await ledger.deadLetters(after: ids.last, limit: 1000)
                guard !page.isEmpty else { return ids }
                ids += page.map(\.id)
            }
        }

        private func say(_ item: StoredDeadLetter) {
            guard item.letter.isBatch else { return StandardOutput.write("\(item.id): put back to \(item.letter.source.stream)") }
            let held = "flotilla mailing uncertain \(DeadLetterText.mailing(item))"
            StandardOutput.write("\(item.id): its batch may be dispatched again; the held recipients: \(held)")
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "drop", abstract: "Forget entries: their recipients stay as they are.")
        @OptionGroup var options: OrderOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            let session = try options.session(options.settings())
            let dropped = try await session.give(DropDeadLetters(choice.all ? nil : choice.ids))
            StandardOutput.write(choice.all && dropped == 0 ? "no dead letters" : "\(grouped(dropped)) dropped")
            let unknown = Set(choice.ids).count - dropped
            guard !choice.all, unknown > 0 else { return }
            StandardError.write(
                "error: \(grouped(unknown)) of the numbers given \(unknown == 1 ? "is" : "are") of no dead letter: "
                    + "flotilla dead list shows those there are")
            throw ExitCode(.failed)
        }
    }
}

struct UnknownDeadLetter: Error, CustomStringConvertible {
    let id: Int64
    var description: String { "there is no dead letter \(id): flotilla dead list shows those there are" }
}
