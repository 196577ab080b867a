import ArgumentParser
import CommandSupport
import Ledger
import Logging
import Settings
import Telemetry
import Text

import class Foundation.ProcessInfo

/// Options of every command that reads the configuration.
struct RunOptions: ParsableArguments {
    @Option(help: "The configuration file; ./flotilla.yaml where it exists.")
    var config: String?

    @Option(help: "The form of the log on standard error: human, or json for collectors of logs.")
    var logFormat: Log.Format?

    @Flag(help: .hidden)
    var json = false

    @OptionGroup var redis: RedisOption

    @Option(help: "The ledger: a file (SQLite), or postgres://user@host/database.")
    var ledger: String?

    /// The settings; options win over the file and the environment.
    func settings() throws -> Settings {
        var settings = try Settings.loadWithWarnings(file: config)
        try redis.apply(to: &settings)
        if let ledger { try settings.ledger.take(ledger) }
        if json {
            StandardError.warn("--json is deprecated here; write --log-format json")
            settings.log.format = .json
        }
        if let logFormat { settings.log.format = logFormat }
        return settings
    }
}

extension Log.Format: ExpressibleByArgument {}

extension Settings {
    /// Reads the configuration, and writes a warning to standard error for each deprecated key.
    static func loadWithWarnings(file: String?) throws -> Settings {
        let settings = try load(file: file, environment: ProcessInfo.processInfo.environment)
        for warning in settings.warnings { StandardError.warn(warning) }
        return settings
    }
}

extension Settings.Ledger {
    /// Takes the place of the option `--ledger`.
    /// - Parameter mayDiffer: it may be another than that of `ledger.url`.
    /// - Throws: `UsageError` for what is wrong whatever the settings hold; `CommandError`.
    mutating func take(_ option: String, mayDiffer: Bool = false) throws {
        let shown = ParsedURL.withoutSecrets(option)
        guard let place = LedgerPlace(option) else {
            throw UsageError("--ledger '\(shown)' is neither a path nor sqlite:PATH nor postgres://user@host/database")
        }
        if case .postgreSQL(let url) = place, PostgreSQLAddress.hasPassword(url) {
            throw UsageError(
                """
                --ledger shows its password to everyone who lists processes; use FLOTILLA_LEDGER_URL, PGPASSWORD or ~/.pgpass
                """)
        }
        guard mayDiffer || !hasURL || place.isSame(as: self.place) else {
            throw CommandError(
                """
                --ledger names \(shown), and ledger.url another ledger, \(name): leave one of them out (a copy is looked at with both: \
                flotilla ledger check, mailing list, mailing report)
                """)
        }
        replace(by: place)
    }
}

extension Settings.Redis {
    /// Takes the address of the option `--redis`.
    mutating func take(_ option: String) throws {
        let url: RedisURL
        do { url = try RedisURL(option) } catch {
            throw UsageError(
                "--redis '\(ParsedURL.withoutSecrets(option))' \(error); write redis://host:port, rediss://host:port or unix:///path")
        }
        guard url.username == nil, url.password == nil else {
            throw UsageError("--redis shows its user and password to everyone who lists processes; use FLOTILLA_REDIS_URL")
        }
        guard url.database == 0 else {
            throw UsageError("--redis names the database \(url.database); fleets on one Redis differ in redis.prefix")
        }
        endpoint = url.endpoint
    }
}
