import ArgumentParser
import Authentication
import Broker
import CommandSupport
import Foundation
import Model
import Names
import Policy
import Settings
import Signing
import Telemetry
import Text

/// Looks at a set-up, and says what to change.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the set-up: this machine, or with --domain what DNS says of a sender.",
        discussion: """
            Nothing is sent or changed. Without --domain: configuration, Redis, ledger, open files, keys, providers with their \
            log-in. With it: SPF, DKIM, DMARC, MX, the names of sending addresses, tracker, BIMI.
            The exit status is 0 where all is well, 1 with warnings, 2 with faults.
            """)
    @Option(help: "The configuration file; ./flotilla.yaml where it exists.") var config: String?
    @Option(help: "Check what DNS says of a domain in From, as example.com.") var domain: String?
    @Option(help: "The domain of the envelope sender (return path); that of --domain by itself.") var returnPath: String?
    @Option(help: "An address that mail is sent from; it may be given several times.") var ip: [String] = []
    @Option(help: "The server of DNS, as 127.0.0.1:5353; those of the system by itself.") var dns: String?
    @Option(help: "Block lists to ask for each --ip, with commas between, as zen.spamhaus.org.") var blockLists: String?
    @Option(help: "Seconds for all checks together.") var timeout = 15
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard 1...300 ~= timeout else { throw ValidationError("--timeout is 1 to 300 seconds") }
        for text in ip where SenderAddress(text) == nil { throw ValidationError("--ip '\(text)' is no address") }
        for name in [domain, returnPath].compactMap({ $0 }) { _ = try Self.ascii(name) }
        guard domain != nil || ip.isEmpty && returnPath == nil && blockLists == nil else {
            throw ValidationError("--ip, --return-path and --block-lists need --domain")
        }
        guard blockLists == nil || !ip.isEmpty else { throw ValidationError("--block-lists needs --ip") }
        for list in lists where !DomainName.isValid(list) { throw ValidationError("--block-lists: '\(list)' is no domain") }
    }

    func run() async throws {
        output.warnOfOldOption()
        let clocks = Clocks.system
        let start = clocks.now
        let resolver: Resolver
        do throws(ResolverError) {
            // A question that nobody answers leaves time for the others.
            resolver = try Resolver(server: dns, timeout: .seconds(max(1, timeout / 3)), total: .seconds(timeout))
        } catch { throw UsageError("--dns: \(error)") }
        let findings = await Check.run(try checks(resolver, clocks))
        try show(findings, took: clocks.now - start)
        switch findings.map(\.severity).max() {
        case .fault: throw ExitCode(2)
        case .warning: throw ExitCode(1)
        default: return
        }
    }

    private func checks(_ lookup: Resolver, _ clocks: Clocks) throws -> [Check] {
        do {
            return try checks(lookup, clocks, Settings.load(file: config, environment: ProcessInfo.processInfo.environment))
        } catch let error as SettingsError {
            let fault = Finding.fault(
                "configuration", "\(error)", why: "no role starts", do: "correct the values; docs/configuration.md has all of them")
            // What DNS says of a domain can be asked all the same.
            return [Check { [fault] }] + (domain == nil ? [] : try checks(lookup, clocks, Settings()))
        }
    }

    private func checks(_ lookup: Resolver, _ clocks: Clocks, _ settings: Settings) throws -> [Check] {
        let connections = ConnectionChecks(lookup: lookup, timeout: .seconds(timeout), clocks: clocks)
        guard let domain else {
            let machine = MachineChecks(
                settings: settings, redis: RedisEndpoint(settings.redis), timeout: .seconds(timeout), clocks: clocks)
            let providers = settings.providers.values.sorted { $0.name < $1.name }
            return machine.all + connections.providers(providers) + connections.trackers(settings.tracker.publicAddresses?.all ?? [])
        }
        let name = try Self.ascii(domain)
        let folder = settings.email.dkim.flatMap { try? DKIMFolder(reading: $0) }
        let checks = DomainChecks(
            lookup: lookup, domain: name, envelope: try returnPath.map(Self.ascii) ?? name, addresses: ip.compactMap { SenderAddress($0) },
            helo: settings.email.hostname, keys: folder?.keys ?? [], blockLists: lists)
        let tracker = settings.tracker.publicAddresses.map { [$0.url(ofSender: "x@\(name)")] } ?? []
        return checks.all + connections.trackers(tracker)
    }

    private var lists: [String] { blockLists?.split(separator: ",").map { $0.filter { $0 != " " } } ?? [] }

    private static func ascii(_ name: String) throws -> String {
        guard let ascii = EmailAddress.asciiForm(of: "x@\(name)").map({ String($0.dropFirst(2)) }), DomainName.isValid(ascii) else {
            throw ValidationError("'\(name)' is no domain: write it as example.com")
        }
        return ascii.lowercased()
    }

    private func show(_ findings: [Finding], took: Duration) throws {
        if output.isJSON { return StandardOutput.write(json: try ScriptJSON.text(findings)) }
        for finding in findings {
            let mark = finding.severity.rawValue
            StandardOutput.write(mark + String(repeating: " ", count: 9 - mark.count) + "\(finding.check): \(LogText.line(finding.what))")
            if finding.severity != .ok {
                StandardOutput.write("         why: \(LogText.line(finding.why))\n         do:  \(LogText.line(finding.advice))")
            }
        }
        let (faults, warnings) = (findings.count { $0.severity == .fault }, findings.count { $0.severity == .warning })
        let milliseconds = took.nanoseconds / 1_000_000
        StandardOutput.write(
            "\(counted(faults, "fault")), \(counted(warnings, "warning")), \(findings.count) findings in \(milliseconds) ms")
    }
}
