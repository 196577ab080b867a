import Model
import NIOCore
import NIOSSL
import Synchronization

/// TLS towards one provider. The certificate is checked against its authorities and name, but for opportunistic STARTTLS without a
/// secret, where encryption without proof is better than none (RFC 7435).
final class SMTPTLS: Sendable {
    /// How long nothing is encrypted after a handshake that failed, before it is tried again.
    static let clearTime = TimeAmount.minutes(10)

    private struct State {
        /// Made when first needed, by whether certificates are checked: reading the system's takes milliseconds.
        var contexts: [Bool: NIOSSLContext] = [:]
        var clearUntil: NIODeadline?
    }

    private let provider: Provider
    private let state = Mutex(State())

    init(_ provider: Provider) { self.provider = provider }

    var isImplicit: Bool { provider.scheme == .smtps }

    /// Whether only a server with a valid certificate will do.
    private func checksCertificate(isLoopback: Bool) -> Bool {
        isImplicit || provider.startTLS == .required || provider.caFile != nil || provider.username != nil && !isLoopback
    }

    /// A handler that speaks TLS for a new connection.
    /// - Parameter isLoopback: the connected peer is on this machine.
    func handler(isLoopback: Bool) throws(SMTPFailure) -> NIOSSLClientHandler {
        let isChecked = checksCertificate(isLoopback: isLoopback)
        do {
            let context = try state.withLock { state in
                if let context = state.contexts[isChecked] { return context }
                let made = try NIOSSLContext(configuration: configuration(isChecked: isChecked))
                state.contexts[isChecked] = made
                return made
            }
            // An address cannot be sent as the server's name; the certificate is checked for the address instead.
            let isAddress = (try? SocketAddress(ipAddress: provider.host, port: 0)) != nil
            return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : provider.host)
        } catch {
            throw SMTPFailure(
                action: .pauseMailing, stage: .tls, text: "TLS cannot be set up: \(SMTPFailure.short(error))",
                advice: "check the provider's host name and its `ca_file`")
        }
    }

    private func configuration(isChecked: Bool) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // RFC 8996 forbids what is older.
        configuration.minimumTLSVersion = .tlsv12
        if let file = provider.caFile { configuration.trustRoots = .file(file) }
        configuration.certificateVerification = isChecked ? .fullVerification : .none
        return configuration
    }

    // MARK: - In clear after a failure

    /// What a connection that opens now does about STARTTLS.
    func policy(at now: NIODeadline) -> Provider.StartTLS {
        state.withLock { $0.clearUntil.map { now < $0 } == true } ? .never : provider.startTLS
    }

    /// A handshake failed. Where nothing secret is to be sent and no certificate is asked for, messages are sent in clear for a while, as
    /// they would to a server that offers no STARTTLS.
    /// - Returns: whether they do.
    func goesOnInClear(at now: NIODeadline) -> Bool {
        guard provider.startTLS == .opportunistic, !isImplicit, provider.username == nil, provider.caFile == nil else { return false }
        state.withLock { $0.clearUntil = now + Self.clearTime }
        return true
    }

    // MARK: - Failures

    /// What an error of the TLS handler means; nil for an error of another kind.
    /// - Parameters:
    ///   - leaf: the certificate that the server showed.
    ///   - now: seconds since 1970.
    func failure(_ error: any Error, leaf: NIOSSLCertificate?, now: Int64) -> SMTPFailure? {
        guard error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError else { return nil }
        let text = "\(error)"
        let problem: CertificateProblem? =
            if text.contains("failedToValidateHostname") {
                .wrongName
            } else if text.contains("CERTIFICATE_VERIFY_FAILED") {
                CertificateProblem(refused: leaf, now: now)
            } else {
                nil
            }
        if let problem {
            // A certificate that was only asked for on account of the password may be had around.
            let more = isImplicit || provider.startTLS == .required || provider.username == nil ? "" : "; no password was sent"
            return SMTPFailure(
                action: .pauseMailing, stage: .tls, text: problem.text(host: provider.host) + more, advice: problem.advice)
        }
        return failure(Self.reason(text))
    }

    /// The connection ended within the handshake, without a word of TLS.
    var cutHandshake: SMTPFailure { failure("the server closed the connection within the handshake") }

    private func failure(_ reason: String) -> SMTPFailure {
        SMTPFailure(
            action: .reconnect, stage: .tls, text: "TLS failed: \(reason)",
            advice: isImplicit
                ? "check that the port speaks TLS from the start (465), and TLS 1.2 or later"
                : "check that the server has TLS 1.2 or later; `starttls: never` of the provider sends in clear, but never a password")
    }

    /// The words of BoringSSL within an error, without the names of types and files.
    static func reason(_ text: String) -> String {
        if text.contains("eofDuringHandshake") { return "the server closed the connection within the handshake" }
        let words = text.split { !($0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_")) }
        // `UNSUPPORTED_PROTOCOL`, and not what is left of `OPENSSL_internal` or of the name of a file.
        let reason = words.last { $0.dropFirst().dropLast().contains("_") && $0.last != "_" }.map {
            $0.lowercased().replacing("_", with: " ")
        }
        return reason ?? String(text.prefix(300))
    }
}
