import ArgumentParser
import Foundation
import Loadtest
import Telemetry

/// `flotilla-lab ledger`: how fast a ledger is by itself.
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Fill an empty ledger with mailings that were sent, and measure it: planning, collecting, history, report, list.",
        discussion: "The figures go to standard output, as JSON. loadtest/bench --only ledger runs it on both engines.")

    @Argument(help: "The ledger: a file, or postgres://user@host/database.") var ledger: String
    @Option(help: "Recipients of all mailings together.") var recipients = 1_000_000
    @Option(help: "How many mailings they are in.") var mailings = 1
    @Option(help: "Collectors that write side by side.") var collectors = 2

    @Option(help: "Have so many visitors come to the messages of one mailing, and measure their events instead.") var events: Int?

    @Option(help: "Have a provider tell so many receipts of the messages of one mailing, and measure them instead.") var receipts: Int?

    func validate() throws {
        if let receipts, !(1...1_000_000_000).contains(receipts) { throw ValidationError("--receipts is at least 1.") }
        if let events, !(1...1_000_000_000).contains(events) { throw ValidationError("--events is at least 1.") }
        guard (1...1_000_000_000).contains(recipients), (1...1_000_000).contains(mailings), (1...64).contains(collectors) else {
            throw ValidationError("--recipients, --mailings and --collectors are at least 1, the last at most 64.")
        }
    }

    func run() async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        if let events {
            let figures = try await EventLoad.run(on: ledger, recipients: recipients, events: events) { StandardError.write($0) }
            return StandardOutput.write(String(decoding: try encoder.encode(figures), as: UTF8.self))
        }
        if let receipts {
            let figures = try await ReceiptLoad.run(on: ledger, recipients: recipients, receipts: receipts) { StandardError.write($0) }
            return StandardOutput.write(String(decoding: try encoder.encode(figures), as: UTF8.self))
        }
        let figures = try await LedgerLoad.run(on: ledger, mailings: mailings, recipients: recipients, collectors: collectors) {
            StandardError.write($0)
        }
        StandardOutput.write(String(decoding: try encoder.encode(figures), as: UTF8.self))
    }
}
