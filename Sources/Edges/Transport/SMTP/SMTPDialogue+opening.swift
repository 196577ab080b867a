import FoundationEssentials
import Model
import NIOCore
import Policy
import Text

/// From the greeting to the first message: EHLO, STARTTLS, AUTH.
extension SMTPDialogue {
    /// TLS is under the dialogue now: what was known before counts no more (RFC 3207 section 4.2).
    mutating func tlsStarted(into out: inout ByteBuffer) {
        isEncrypted = true
        capabilities = SMTPCapabilities()
        sayHello(into: &out)
    }

    mutating func takeOpeningReply(_ code: Int, _ text: borrowing Span<UInt8>, into out: inout ByteBuffer) {
        switch (expects, code) {
        case (.greeting, 200...299): sayHello(into: &out)
        case (.ehlo, 200...299):
            capabilities = SMTPCapabilities(reply: text)
            secure(into: &out)
        // A server of before ESMTP (RFC 5321 section 3.2).
        case (.ehlo, 500...504), (.ehlo, 550), (.ehlo, 554):
            expects = .helo
            write("HELO \(hostname)", into: &out)
        case (.helo, 200...299): secure(into: &out)
        case (.startTLS, 220): signals.insert(.startTLS)
        case (.startTLS, 400...599) where code != 421 && settings.startTLS == .opportunistic:
            isTLSRefused = true
            secure(into: &out)
        case (.authPlain, 334):
            expects = .authLast
            write(plainResponse, into: &out)
        case (.authLogin, 334):
            expects = .authUsername
            write(Self.base64(settings.username ?? ""), into: &out)
        case (.authUsername, 334):
            expects = .authLast
            write(Self.base64(settings.password?.exposed ?? ""), into: &out)
        case (.authPlain, 235), (.authLast, 235): becomeReady()
        // Servers refuse a mechanism by 504 or 534 (RFC 4954 section 4), and by 535 too: one that takes the other may be offered.
        case (.authPlain, 500...599), (.authLogin, 500...599), (.authUsername, 500...599), (.authLast, 500...599):
            if mechanisms.isEmpty { refuseOpening(code, text) } else { tryNextMechanism(into: &out) }
        default: refuseOpening(code, text)
        }
    }

    private mutating func refuseOpening(_ code: Int, _ text: borrowing Span<UInt8>) {
        guard 400...599 ~= code else {
            fail(code, text, advice: "check that it speaks SMTP")
            return
        }
        let advice =
            switch stage {
            case .auth: "check the provider's user name and password"
            case .tls: "set `starttls` of the provider to `opportunistic` or `never`, or use `smtps://`"
            default: "ask the provider whether this machine may send through it"
            }
        let line = SMTPReplyText.oneLine(text)
        let action = settings.responses.classify(.smtp, code: code, stage: stage, text: line)
        end(
            SMTPFailure(
                action: action, stage: stage, code: code, text: line, advice: action == .pauseMailing ? advice : ""))
    }

    private mutating func sayHello(into out: inout ByteBuffer) {
        expects = .ehlo
        write("EHLO \(hostname)", into: &out)
    }

    /// Continues with TLS where it is wanted, else with authentication.
    private mutating func secure(into out: inout ByteBuffer) {
        guard !isEncrypted, settings.startTLS != .never else { return authenticate(into: &out) }
        if capabilities.startTLS, !isTLSRefused {
            expects = .startTLS
            write("STARTTLS", into: &out)
        } else if settings.startTLS == .required {
            expects = .startTLS
            fail(
                action: .pauseMailing, text: "the server does not offer STARTTLS, and it is required",
                advice: "use `smtps://`, or set `starttls` of the provider to `opportunistic`")
        } else {
            authenticate(into: &out)
        }
    }

    /// Proves who we are, where a user name is set. PLAIN and LOGIN show the password to whoever reads along, so they
    /// are used inside TLS only, or towards this machine.
    private mutating func authenticate(into out: inout ByteBuffer) {
        guard settings.username != nil else { return becomeReady() }
        expects = .authPlain
        guard isEncrypted || settings.isLoopback else {
            return fail(
                action: .pauseMailing, text: "the connection is not encrypted, so the password was not sent",
                advice: "use `smtps://`, or a server that offers STARTTLS, and not `starttls: never`")
        }
        mechanisms = capabilities.mechanisms
        guard !mechanisms.isEmpty else {
            return fail(
                action: .pauseMailing, text: "the server offers neither AUTH PLAIN nor AUTH LOGIN",
                advice: "leave out the user name, or use the port for submission (587 or 465)")
        }
        tryNextMechanism(into: &out)
    }

    private mutating func tryNextMechanism(into out: inout ByteBuffer) {
        switch mechanisms.removeFirst() {
        case .plain:
            expects = .authPlain
            let line = "AUTH PLAIN \(plainResponse)"
            // A command line has 512 bytes at most (RFC 5321 section 4.5.3.1.4), the response to 334 may be longer.
            write(line.utf8.count <= 510 ? line : "AUTH PLAIN", into: &out)
        case .login:
            expects = .authLogin
            write("AUTH LOGIN", into: &out)
        }
    }

    private mutating func becomeReady() {
        expects = .nothing
        signals.insert(.ready)
    }

    /// RFC 4616: no authorisation identity, the user name, the password.
    private var plainResponse: String {
        Self.base64("\0\(settings.username ?? "")\0\(settings.password?.exposed ?? "")")
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    /// The host's name without anything that could end the command.
    private var hostname: String {
        let name = settings.hostname.filter { $0.isASCII && ($0.isLetter || $0.isNumber || ".-[]:_".contains($0)) }
        return name.isEmpty ? "localhost" : name
    }

    private func write(_ command: String, into out: inout ByteBuffer) {
        out.writeString(command)
        out.writeStaticString("\r\n")
    }
}
