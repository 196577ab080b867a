import Authentication
import Model
import Policy
import Settings
import Telemetry
import Text
import Transport

/// Whether the servers can be reached that messages and their readers come to. No message is sent, and no page is asked for.
struct ConnectionChecks: Sendable {
    let lookup: any NameLookup
    let timeout: Duration
    let clocks: Clocks

    /// A certificate that ends sooner is warned of.
    private static let soon: Int64 = 14 * 86_400

    init(lookup: any NameLookup, timeout: Duration, clocks: Clocks) {
        self.lookup = lookup
        self.timeout = timeout
        self.clocks = clocks
    }

    func providers(_ providers: [Provider]) -> [Check] { providers.map { provider in Check { await self.provider(provider) } } }

    /// One check for each address.
    func trackers(_ urls: [String]) -> [Check] { urls.map { url in Check { await tracker(url) } } }

    // MARK: - Providers

    func provider(_ provider: Provider) async -> [Finding] {
        let check = "provider \(provider.name)"
        // As workers do: opportunistic STARTTLS without a secret takes any certificate (RFC 7435), and no password leaves in clear.
        let isSecret = provider.username != nil && !isLocal(provider.host)
        let isOpen = provider.scheme == .smtp && provider.startTLS != .required && provider.caFile == nil && !isSecret
        let tried = provider.with { if isSecret { $0.startTLS = .required } }
        let outcome = await ConnectionProbe.run(tried, checksCertificate: !isOpen, timeout: timeout)
        let place = "\(provider.scheme.rawValue)://\(URLHost.bracketed(provider.host)):\(provider.port)"
        if let problem = outcome.problem {
            let advice =
                outcome.isLogin
                ? "correct username and password of the provider"
                : outcome.isCertificate
                    ? "renew the certificate, or set `ca_file` to its authority" : "check the address, the port and the firewall"
            return [.fault(check, "\(place): \(problem)", why: "nothing can be sent through it", do: advice)]
        }
        let login =
            provider.scheme.isSMTP ? provider.username == nil ? ", without a log-in" : ", and takes the log-in" : ", nothing was asked"
        var findings = [Finding.ok(check, "\(place) answers\(login)")] + ending(outcome.certificateEnd, check, provider.host)
        if provider.scheme == .http || provider.scheme == .smtp && outcome.certificateEnd == nil, !isLocal(provider.host) {
            findings.append(
                .warning(check, "messages go to \(provider.host) in clear", why: "everybody on the way can read them", do: "use TLS"))
        }
        return findings
    }

    private func isLocal(_ host: String) -> Bool {
        host == "localhost" || SenderAddress(host).map { $0.isIn("127.0.0.0", bits: 8) || $0.isSame("::1") } == true
    }

    private func ending(_ end: Int64?, _ check: String, _ host: String) -> [Finding] {
        guard let end else { return [] }
        let left = end - clocks.milliseconds / 1000
        guard left < Self.soon else { return [] }
        return [
            .warning(
                check, left < 0 ? "the certificate of \(host) has expired" : "the certificate of \(host) ends in \(left / 86_400) days",
                why: "clients refuse an expired certificate", do: "renew it")
        ]
    }

    // MARK: - Links

    func tracker(_ url: String) async -> [Finding] {
        let check = "tracker"
        guard let parsed = try? ParsedURL(url), ["http", "https"].contains(parsed.scheme), !parsed.host.isEmpty else {
            return [
                .fault(check, "\(url) is no address of a web server", why: "links lead nowhere", do: "correct tracker.url or its domains")
            ]
        }
        var address: String?
        if SenderAddress(parsed.host) == nil {
            switch await lookup.addresses(parsed.host) {
            case .none:
                return [
                    .fault(
                        check, "\(parsed.host) has no address", why: "links and the unsubscribe link lead nowhere",
                        do: "publish a CNAME or A record")
                ]
            case .failed(let reason): return [.unknown(check, "\(parsed.host): \(reason)")]
            case .records(let addresses): address = addresses.first
            }
        }
        let alias = await lookup.answer(parsed.host, .alias).records.first.map { ", an alias of \($0)" } ?? ""
        let isTLS = parsed.scheme == "https"
        let place = Provider(name: url, scheme: isTLS ? .https : .http, host: parsed.host, port: parsed.port ?? (isTLS ? 443 : 80))
        let outcome = await ConnectionProbe.run(place, checksCertificate: true, at: address, timeout: timeout)
        if let problem = outcome.problem {
            return [
                .fault(
                    check, "\(url): \(problem)", why: "links and the unsubscribe link do not work",
                    do: outcome.isCertificate ? "renew the certificate of \(parsed.host)" : "start the web server, and check the firewall")
            ]
        }
        var findings = [Finding.ok(check, "\(url) answers\(alias)")] + ending(outcome.certificateEnd, check, parsed.host)
        if !isTLS {
            findings.append(
                .warning(check, "\(url) is no https://", why: "one-click unsubscribe has to be HTTPS (RFC 8058)", do: "serve it by TLS"))
        }
        return findings
    }
}
