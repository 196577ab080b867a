import ArgumentParser
import Foundation
import Ledger
import Logging
import Model
import Policy
import Settings
import Synchronization
import Telemetry
import Text

extension LedgerCommand {
    struct Copy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move a ledger from its file into an empty PostgreSQL database, with its whole history.",
            discussion: """
                No role may run meanwhile. Every row is read again and compared, and both ledgers answer the same questions alike before \
                the file says that it was moved; roles refuse it from then on, and use the server's (ledger.url). After a failure nothing \
                is in the database, and the file is still the ledger: start the same command again.
                """)
        @OptionGroup var options: LedgerOptions
        @Argument(help: "The ledger's file.") var from: String
        @Argument(help: "postgres://user@host/database; its tables are made where there are none.") var to: String

        func validate() throws {
            // The path of a file is shown.
            guard !LedgerPlace.isMistypedURL(from) else { throw ValidationError("FROM is the path of the ledger's file, and no URL") }
            guard to.hasPrefix("postgres://") || to.hasPrefix("postgresql://") else {
                throw ValidationError("TO is postgres://user@host/database; a file is copied by flotilla ledger backup")
            }
            guard !PostgreSQLAddress.hasPassword(Secret(to)) else {
                throw ValidationError("TO shows its password to everyone who lists processes; use PGPASSWORD or ~/.pgpass")
            }
        }

        func run() async throws {
            _ = try options.settings()
            let pace = CopyPace()
            let summary = try await LedgerCopy(of: from, logger: Logger(label: "flotilla")) { pace.tell($0) }
                .run(to: to, now: Clock.milliseconds())
            StandardOutput.write(
                """
                \(from) is \(summary.target) now: \(counted(summary.mailings, "mailing")), \(grouped(summary.rows)) rows of \
                \(counted(summary.tables, "table")), read again and equal; \(grouped(summary.questions)) questions have the same answers. \
                Name it in ledger.url: roles refuse the file
                """)
        }
    }
}

/// Tells every few seconds how far a copy is.
private final class CopyPace: Sendable {
    private let begun = ContinuousClock.now
    private let told = Mutex(ContinuousClock.now)

    func tell(_ progress: LedgerCopy.Progress) {
        let now = ContinuousClock.now
        let isDue = told.withLock { told in
            guard now - told >= .seconds(2) else { return false }
            told = now
            return true
        }
        guard isDue else { return }
        let seconds = Double((now - begun).nanoseconds) / 1e9
        let rate = Double(progress.bytes) / seconds
        let left = rate > 0 ? max(0, Double(progress.size - progress.bytes)) / rate : 0
        let done = min(99, Int(100 * Double(progress.bytes) / Double(max(1, progress.size))))
        StandardError.write(
            """
            \(progress.isProof ? "reading again" : "copying") \(progress.table), \(grouped(progress.rows)) rows: about \(done) %, \
            \(Int(rate / 1e6)) MB/s, some \(TimeSpan.text(seconds: left)) left
            """)
    }
}
