import Model
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why a connection cannot be used any more, or could not be had.
struct SMTPFailure: Error, Sendable, Equatable {
    var action: ResponseAction
    var stage: DeliveryStage
    /// The reply code; 0 where no reply is the cause.
    var code = 0
    /// The reply's text as a response keeps it, or what happened.
    var text: String
    /// What to do about it.
    var advice = ""
    /// The connection works, but offers too little for the next message, which looks for another.
    var offersTooLittle = false
    /// QUIT was written, and leaves before the connection is closed.
    var isPolite = false
    /// What it is for a message whose final dot was sent.
    var missed = MissedResponse.connectionEnded

    /// The error that says it of a provider.
    func error(of provider: Provider) -> TransportError {
        let place = "provider '\(provider.name)' at \(provider.host):\(provider.port)"
        let said = code == 0 ? text : "responded \(code) \(text)"
        return TransportError(
            description: "\(place): \(said)\(advice.isEmpty ? "" : "; \(advice)")", action: action, stage: stage,
            isPassing: (400...499).contains(code) && stage != .auth)
    }

    /// The response to a message whose text was not sent.
    /// - Parameter isStarted: the failure met this message's envelope, not another's or none.
    func response(isStarted: Bool) -> ProviderResponse {
        let isItsOwn = isStarted && [.mail, .rcpt, .data].contains(stage)
        let stage = isItsOwn || action != .reconnect && stage != .body ? stage : .connect
        return ProviderResponse(action: action, stage: stage, code: code, text: text)
    }
}

extension SMTPFailure {
    /// We ended the connection ourselves.
    static func cut(at stage: DeliveryStage) -> SMTPFailure {
        SMTPFailure(
            action: .reconnect, stage: stage, text: "cut short by our own stop; it may have arrived", missed: .workerEnded)
    }

    /// Why no connection was made.
    init(connecting error: any Error, within time: Duration) {
        if let failure = error as? SMTPFailure {
            self = failure
            return
        }
        let text: String
        switch error {
        case let error as NIOConnectionError:
            // With no attempt made, the name has no address.
            text = error.connectionErrors.first.map { Self.short($0.error) } ?? "the host's name is not known"
        case ChannelError.connectTimeout: text = "no connection within \(time.seconds) s"
        default: text = Self.short(error)
        }
        self.init(
            action: .reconnect, stage: .connect, text: "cannot connect: \(text)",
            advice: "check host and port, and that the server runs")
    }

    /// An error in one line.
    static func short(_ error: any Error) -> String {
        let text = if let error = error as? IOError { String(cString: strerror(error.errnoCode)) } else { "\(error)" }
        return String(text.prefix(200).map { $0.isNewline ? " " : $0 })
    }
}
