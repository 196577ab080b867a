import Model

/// Why a connection cannot be used any more, or could not be had.
struct SMTPFailure: Sendable, Equatable {
    var kind: AnswerClass
    var stage: DeliveryStage
    /// The reply code; 0 where no reply is the cause.
    var code = 0
    /// The reply's text as an answer keeps it, or what happened.
    var text: String
    /// What to do about it.
    var advice = ""

    /// The error that says it of a provider.
    func error(of provider: Provider) -> TransportError {
        let place = "provider '\(provider.name)' at \(provider.host):\(provider.port)"
        let said = code == 0 ? text : "answered \(code) \(text)"
        return TransportError(
            description: "\(place): \(said)\(advice.isEmpty ? "" : "; \(advice)")", kind: kind, stage: stage)
    }

    /// The answer to a message whose text was not sent.
    /// - Parameter isBegun: the failure met this message's envelope, not another's or none.
    func answer(isBegun: Bool) -> Answer {
        let isItsOwn = isBegun && [.mail, .rcpt, .data].contains(stage)
        let stage = isItsOwn || kind != .unreachable && stage != .body ? stage : .connect
        return Answer(kind: kind, stage: stage, code: code, text: text)
    }
}
