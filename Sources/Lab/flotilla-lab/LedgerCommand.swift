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

    func validate() throws {
        guard (1...1_000_000_000).contains(recipients), (1...1_000_000).contains(mailings), (1...64).contains(collectors) else {
            throw ValidationError("--recipients, --mailings and --collectors are at least 1, the last at most 64.")
        }
    }

    func run() async throws {
        let figures = try await LedgerLoad.run(on: ledger, mailings: mailings, recipients: recipients, collectors: collectors) {
            StandardError.write($0)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        StandardOutput.write(String(decoding: try encoder.encode(figures), as: UTF8.self))
    }
}
