import ArgumentParser
import CommandSupport
import Foundation
import Ledger
import Logging
import Settings
import Telemetry

extension LedgerCommand {
    struct Init: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Make a new ledger where there is none.",
            discussion: "`send`, `up`, `planner` and `mailing add` make the ledger themselves where there is none, and say so.")
        @OptionGroup var options: LedgerOptions

        func run() async throws {
            let ledger = try options.settings(mayDiffer: true).ledger
            let version =
                switch ledger.place {
                case .file(let path): try SQLiteLedger.make(path, logger: Logger(label: "flotilla"))
                case .postgreSQL(let url): try SQLLedger.make(PostgreSQLAddress(url))
                }
            StandardOutput.write("\(ledger.name): a new ledger, version \(version)")
        }
    }

    struct Migrate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "migrate", abstract: "Bring an older ledger forward to this release.",
            discussion: """
                No planner, `up` or `send` may run on it. There is no way back but a copy: make one before (flotilla ledger backup). \
                Roles and commands of a new release bring an older ledger forward, too.
                """)
        @OptionGroup var options: LedgerOptions

        func run() async throws {
            let ledger = try options.settings(mayDiffer: true).ledger
            let (from, to) =
                switch ledger.place {
                case .file(let path): try SQLiteLedger.migrate(path, logger: Logger(label: "flotilla"))
                case .postgreSQL(let url): try SQLLedger.migrate(PostgreSQLAddress(url))
                }
            StandardOutput.write(
                "\(ledger.name): " + (from == to ? "version \(to), which is this release's" : "from version \(from) to \(to)"))
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Check the ledger: its file, its tables, its counters, each recipient and result, and rows that belong to nothing.",
            discussion: "It changes nothing, and roles may run meanwhile. The exit status is 1 where something is wrong.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: OutputOptions

        private struct Answer: Encodable {
            var ledger: String
            var version: Int
            var mailings: Int
            var recipients: Int
            var faults: [LedgerInspection.Fault]
        }

        func run() async throws {
            let ledger = try options.settings(mayDiffer: true).ledger
            let path = ledger.name
            let isWatched = isatty(STDERR_FILENO) != 0 && !output.isJSON
            let line = DrawnLine()
            func say(_ part: String) { if isWatched { line.show("checking the \(part)") } }
            let found =
                switch ledger.place {
                case .file(let path): try SQLiteLedger.inspect(path, say: say)
                case .postgreSQL(let url): try SQLLedger.inspect(PostgreSQLAddress(url), say: say)
                }
            if output.isJSON {
                let answer = Answer(
                    ledger: path, version: found.version, mailings: found.mailings, recipients: found.recipients, faults: found.faults)
                StandardOutput.write(json: try ScriptJSON.text(answer))
            } else {
                for fault in found.faults {
                    StandardOutput.write(LogText.line("\(fault.mailing.map { "mailing \($0): " } ?? "")\(fault.text)"))
                }
                let size = "\(counted(found.mailings, "mailing")), \(counted(found.recipients, "recipient"))"
                let outcome = found.faults.isEmpty ? "nothing is wrong" : "\(counted(found.faults.count, "fault"))"
                StandardOutput.write("\(path): version \(found.version), \(size): \(outcome)")
            }
            if !found.faults.isEmpty { throw ExitCode(.failed) }
        }
    }
}
