import ArgumentParser
import CommandSupport
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

    @Option(help: "The ledger's file (SQLite).")
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
    mutating func take(_ option: String) throws(CommandError) {
        guard !hasURL else {
            throw CommandError("--ledger and ledger.url both name the ledger; leave one of them out")
        }
        guard let path = LedgerURL.path(option) else {
            let shown = ParsedURL.withoutSecrets(option)
            throw CommandError(
                "--ledger '\(shown)' is neither a path nor sqlite:PATH; this release keeps no ledger in PostgreSQL (postgres://)")
        }
        replace(by: path)
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
