import Model
import NIOCore
import NIOSSL
import Synchronization

/// TLS towards one provider: checked against its certificate authorities and name, but for opportunistic STARTTLS,
/// where encryption without proof is better than none (RFC 7435).
final class SMTPTLS: Sendable {
    private let provider: Provider
    /// Made when first needed: reading the system's certificates takes milliseconds.
    private let context = Mutex<NIOSSLContext?>(nil)

    init(_ provider: Provider) { self.provider = provider }

    var isImplicit: Bool { provider.scheme == .smtps }

    /// A handler that speaks TLS for a new connection.
    func handler() throws(SMTPFailure) -> NIOSSLClientHandler {
        do {
            let context = try context.withLock { context in
                if let context { return context }
                let made = try NIOSSLContext(configuration: configuration)
                context = made
                return made
            }
            // An address cannot be sent as the server's name; the certificate is checked for the address instead.
            let isAddress = (try? SocketAddress(ipAddress: provider.host, port: 0)) != nil
            return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : provider.host)
        } catch {
            throw SMTPFailure(
                kind: .misconfigured, stage: .tls, text: "TLS cannot be set up: \(error)",
                advice: "check the provider's host name and CA file")
        }
    }

    private var configuration: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let file = provider.caFile { configuration.trustRoots = .file(file) }
        let isChecked = isImplicit || provider.startTLS == .required
        configuration.certificateVerification = isChecked ? .fullVerification : .none
        return configuration
    }

    /// What an error of the TLS handler means; nil for an error of another kind.
    static func failure(_ error: any Error) -> SMTPFailure? {
        guard error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError else { return nil }
        let text = "\(error)"
        let isUntrusted = text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("failedToValidateHostname")
        return SMTPFailure(
            kind: isUntrusted ? .misconfigured : .unreachable, stage: .tls,
            text: isUntrusted
                ? "the server's certificate is not valid for it" : "TLS failed: \(text.prefix(300))",
            advice: isUntrusted
                ? "name the host as its certificate does, and set the provider's CA file where its authority is private"
                : "check that the port speaks TLS (465 from the start, 587 after STARTTLS)")
    }
}
