import ArgumentParser
import Broker
import CommandSupport
import Foundation
import Ledger
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
        static let configuration = CommandConfiguration(abstract: "List the entries.")
        @OptionGroup var options: LedgerOptions
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
        static let configuration = CommandConfiguration(abstract: "Show an entry with its fields.")
        @OptionGroup var options: LedgerOptions
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
            abstract: "Put entries back to their stream, for a release that can read them.",
            discussion: "Results go back to the status stream they came from, where a collector reads them. Batches are dispatched again.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var choice: Choice
        @OptionGroup var redis: RedisOption

        func run() async throws {
            var settings = try options.settings()
            try redis.apply(to: &settings)
            guard let broker = Broker(orders: settings) else { throw RoleRuntime.MissingRedis() }
            let ledger = try options.open(settings)
            let ids = choice.all ? try await all(ledger) : choice.ids
            var refused = 0
            do {
                for id in ids where try await !retry(id, ledger, DeadLetters(broker)) { refused += 1 }
            } catch {
                await broker.close()
                throw error
            }
            await broker.close()
            if refused > 0 { throw ExitCode(.failed) }
        }

        private func all(_ ledger: SQLiteLedger) async throws -> [Int64] {
            var ids: [Int64] = []
            while true {
                let page = try await ledger.deadLetters(after: ids.last, limit: 1000)
                guard !page.isEmpty else { return ids }
                ids += page.map(\.id)
            }
        }

        /// - Returns: whether it was put back.
        private func retry(_ id: Int64, _ ledger: SQLiteLedger, _ letters: DeadLetters) async throws -> Bool {
            guard let item = try await ledger.deadLetter(id) else { throw UnknownDeadLetter(id: id) }
            if !item.letter.isBatch {
                guard try await letters.putBack(item.letter) else {
                    StandardError.write("\(id) is not kept whole and cannot be put back; drop it: flotilla dead drop \(id)")
                    return false
                }
            }
            _ = try await ledger.noteRetry(id, now: Clock.milliseconds())
            StandardOutput.write(
                item.letter.isBatch
                    ? "\(id): its batch may be dispatched again; who is held: flotilla mailing uncertain \(DeadLetterText.mailing(item))"
                    : "\(id): put back to \(item.letter.source.stream)")
            return true
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Forget entries: their recipients stay as they are.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            let dropped = try await options.open().dropDeadLetters(choice.all ? nil : choice.ids)
            StandardOutput.write("\(grouped(dropped)) dropped")
            if !choice.all, dropped < choice.ids.count { throw ExitCode(.failed) }
        }
    }
}

struct UnknownDeadLetter: Error, CustomStringConvertible {
    let id: Int64
    var description: String { "there is no dead letter \(id): flotilla dead list shows those there are" }
}
