import FoundationEssentials
import Model
import NIOCore
import Text

extension SMTPSession {
    /// Answers AUTH, which has a mechanism and may have an initial response (RFC 4954 section 4).
    mutating func auth(_ argument: UnsafeRawBufferPointer, into out: inout ByteBuffer) -> SinkStep {
        guard shared.configuration.credentials != nil, isGreeted, !isAuthenticated, !envelope.isOpen else {
            return mistake("503 5.5.1 AUTH is not on offer now\r\n", into: &out)
        }
        let end = argument.place(of: Byte.space) ?? argument.count
        let mechanism = argument.slice(0..<end)
        let initial = argument.slice(from: min(end + 1, argument.count))
        let step: AuthStep
        if mechanism.equalsIgnoringCase("plain") {
            step = .plain
        } else if mechanism.equalsIgnoringCase("login") {
            step = .loginName
        } else {
            return mistake("504 5.5.4 the mechanisms are PLAIN and LOGIN\r\n", into: &out)
        }
        if !initial.isEmpty { return authenticate(step, initial, into: &out) }
        phase = .auth(step)
        // "Username:" in base 64, as every LOGIN server asks.
        if case .plain = step {
            out.writeStaticString("334 \r\n")
        } else {
            out.writeStaticString("334 VXNlcm5hbWU6\r\n")
        }
        return .more
    }

    /// Takes one response of the client.
    mutating func authenticate(
        _ step: AuthStep, _ response: UnsafeRawBufferPointer, into out: inout ByteBuffer
    ) -> SinkStep {
        guard let credentials = shared.configuration.credentials,
            let text = Data(base64Encoded: Data(response.elementsEqual("=".utf8) ? response.slice(0..<0) : response))
        else { return mistake("501 5.5.2 that is no base 64\r\n", into: &out) }
        let isRight: Bool
        switch step {
        case .plain:
            let parts = text.split(separator: 0, omittingEmptySubsequences: false)
            isRight =
                parts.count == 3 && parts[1].elementsEqual(credentials.username.utf8)
                && parts[2].elementsEqual(credentials.password.exposed.utf8)
        case .loginName:
            phase = .auth(.loginPassword(isKnown: text.elementsEqual(credentials.username.utf8)))
            out.writeStaticString("334 UGFzc3dvcmQ6\r\n")
            return .more
        case .loginPassword(let isKnown):
            isRight = isKnown && text.elementsEqual(credentials.password.exposed.utf8)
        }
        guard isRight else { return mistake("535 5.7.8 authentication failed\r\n", into: &out) }
        isAuthenticated = true
        out.writeStaticString("235 2.7.0 Authentication succeeded\r\n")
        return .more
    }
}
