import ArgumentParser
import CommandSupport
import Logging
import Model
import ServiceLifecycle
import Settings
import Sink
import Telemetry
import Text
import UnixSignals

/// `flotilla-lab sink`: a provider to send to.
struct SinkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sink",
        abstract: "A provider to send to: takes e-mail and HTTP messages, records them, and fails as ordered.",
        discussion: """
            Prints the address of each listener on standard output, then serves until SIGTERM or Ctrl-C.

              flotilla-lab sink --smtp 127.0.0.1:2525 --http 127.0.0.1:8025 --record arrived.tsv
              flotilla-lab sink --smtp 127.0.0.1:2525 --latency 50-500ms --fail "550=0.05,450=0.10,421=0.01,drop=0.001"
              flotilla-lab sink --http 127.0.0.1:8025 --fail "429=0.02;retry-after=2s,503=0.01"
              flotilla-lab sink --http 127.0.0.1:8025 --limit "100/s,burst=20;retry-after=1s"
              flotilla-lab sink --smtp 127.0.0.1:2525 --profile loadtest/profiles/mailbox-large.yaml --latency 0ms

            docs/sink.md has the record's columns, the grammars, the profiles and the addresses that misbehave by name.
            """)

    @Option(help: ArgumentHelp("Listen for SMTP; port 0 takes a free one.", valueName: "host:port"))
    var smtp: [String] = []
    @Option(help: ArgumentHelp("Listen for SMTP inside TLS.", valueName: "host:port"))
    var smtps: [String] = []
    @Option(help: ArgumentHelp("Listen for HTTP.", valueName: "host:port"))
    var http: [String] = []
    @Option(help: ArgumentHelp("Listen for HTTPS.", valueName: "host:port"))
    var https: [String] = []
    @Option(help: ArgumentHelp("Append a line for every message and its response.", valueName: "file"))
    var record: String?
    @Flag(help: "Write the record before the responses in it are sent, so that a kill -9 loses no line.")
    var sync = false
    @Option(
        help: ArgumentHelp("Imitate a provider as a file says; the options below go before it.", valueName: "file"))
    var profile: String?
    @Option(
        help: ArgumentHelp(
            "Hold responses to messages back: 50ms, 50-500ms, or log-normally p50:120ms,p99:900ms.", valueName: "time"))
    var latency: String?
    @Option(
        help: ArgumentHelp(
            "Refuse what comes faster: 100/s,burst=20;code=429;retry-after=1s; none for no limit.", valueName: "rate"))
    var limit: String?
    @Option(help: ArgumentHelp("Shares of messages that fail: 550=0.05,429=0.02;retry-after=2s.", valueName: "profile"))
    var fail: String?
    @Option(help: "Runs with one seed fail alike.")
    var seed: UInt64 = 1
    @Option(help: ArgumentHelp("Refuse connections above this number; 0 for no limit.", valueName: "number"))
    var maxConnections: Int?
    @Option(help: ArgumentHelp("Close a connection after so many messages; 0 for no limit.", valueName: "number"))
    var messagesPerConnection: Int?
    @Option(help: ArgumentHelp("Threads that serve connections.", valueName: "number"))
    var threads = 1
    @Option(help: ArgumentHelp("PEM file of the certificate; SMTP then offers STARTTLS.", valueName: "file"))
    var certificate: String?
    @Option(help: ArgumentHelp("PEM file of the certificate's key.", valueName: "file"))
    var key: String?
    @Option(help: ArgumentHelp("Ask for this user and password: AUTH, Basic or Bearer.", valueName: "user:password"))
    var credentials: String?
    @Option(
        help: ArgumentHelp("Extensions of SMTP not to offer: pipelining, size, 8bitmime, smtputf8.", valueName: "list"))
    var without: String?
    @Flag(help: "Print the counts every second on standard error.")
    var stats = false

    mutating func run() async throws {
        if let record { try OutputFile.check(record, option: "--record", example: "arrived.tsv") }
        let settings: SinkConfiguration
        do {
            settings = try makeConfiguration()
        } catch {
            throw ValidationError("\(error)")
        }
        let terminal = Terminal()
        let logger = Logger(label: "sink") { LineHandler(label: $0, level: .info, format: .human, terminal: terminal) }
        let report = SinkReport(every: stats ? .seconds(1) : nil)
        let server = SinkServer(configuration: settings, logger: logger) { sink in
            for listener in sink.listeners { StandardOutput.write("\(listener)") }
            report.watch(sink)
        }
        var quiet = logger
        quiet.logLevel = .error
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [server, report], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        do {
            try await group.run()
        } catch let error as SinkError {
            throw ValidationError("\(error)")
        }
        report.printLast()
    }

    private func makeConfiguration() throws -> SinkConfiguration {
        var listeners: [SinkListener] = []
        for (scheme, addresses) in [(Provider.Scheme.smtp, smtp), (.smtps, smtps), (.http, http), (.https, https)] {
            for address in addresses { listeners.append(try SinkListener(scheme: scheme, parsing: address)) }
        }
        var settings = SinkConfiguration(listeners: listeners)
        settings.record = record
        settings.sync = sync
        if let profile { settings.apply(try read(profile)) }
        if let latency { settings.latency = try SinkLatency(parsing: latency) }
        if let fail { settings.failures = try FailureProfile(parsing: fail) }
        settings.seed = seed
        if let limit { settings.limit = limit == "none" ? nil : try SinkLimit(parsing: limit) }
        settings.maxConnections = try number(maxConnections, "--max-connections") ?? settings.maxConnections
        settings.messagesPerConnection =
            try number(messagesPerConnection, "--messages-per-connection") ?? settings.messagesPerConnection
        settings.threads = threads
        switch (certificate, key) {
        case (let chain?, let key?): settings.certificate = .init(chain: chain, key: key)
        case (nil, nil): break
        default: throw ValidationError("--certificate and --key belong together")
        }
        if let credentials {
            let halves = credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            guard halves.count == 2 else { throw ValidationError("--credentials takes user:password") }
            settings.credentials = .init(username: halves[0], password: Secret(halves[1]))
        }
        for name in (without ?? "").split(separator: ",") {
            guard let known = SinkConfiguration.Extension(rawValue: String(name)) else {
                let all = SinkConfiguration.Extension.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--without: no extension '\(name)'; known are \(all)")
            }
            settings.without.insert(known)
        }
        return settings
    }

    /// The profile of a file, which has to fit the listeners.
    private func read(_ file: String) throws -> SinkProfile {
        let profile = try SinkProfileFile.read(file)
        let strangers = profile.proto == .smtp ? http + https : smtp + smtps
        guard let stranger = strangers.first else { return profile }
        let kind = profile.proto.rawValue
        throw ValidationError("\(file) imitates a provider that speaks \(kind), and \(stranger) does not")
    }

    private func number(_ value: Int?, _ option: String) throws -> Int? {
        guard let value, value < 0 else { return value }
        throw ValidationError("\(option) takes a number from 0, not \(value)")
    }
}
