import Model
import NIOCore

extension HTTPSession {
    /// Decides about a whole request, records it, and answers.
    mutating func finish(now: Int64, into out: inout ByteBuffer) -> SinkStep {
        if shared.records?.isFailing == true {
            shared.counter.add { $0.unrecorded += 1 }
            return give(.fault(Self.cannotRecord), into: &out)
        }
        recipient.removeAll(keepingCapacity: true)
        JSONMember.recipient(in: request.body, into: &recipient)
        if recipient.isEmpty { recipient.append(contentsOf: request.key) }
        if request.isAuthorised, let limit = shared.limit(at: now) {
            // Before the attempt is counted, so that attempts have the results that they would have without the limit.
            note(code: limit.http.code, accepted: false, bytes: request.body.readableBytes, id: 0, now: now)
            return give(.fault(limit.http), into: &out)
        }
        var attempt = FaultSelector.Attempt(key: 0, number: 0)
        let fault: Fault? = recipient.withUnsafeBytes { recipient in
            let behaviour = AddressBehaviour(recipient)
            attempt = shared.faultSelector.begin(recipient, behaviour)
            if !request.isAuthorised { return Self.unauthorised }
            return behaviour?.atRequest(attempt: attempt.number) ?? shared.faultSelector.fault(at: .http, attempt)
        }
        let accepted = fault == nil || fault?.kind == .dropAfter
        let id = accepted ? shared.nextID() : 0
        note(code: fault?.code ?? 200, accepted: accepted, bytes: request.body.readableBytes, id: id, now: now)
        switch fault?.kind {
        case .drop, .dropAfter: return .drop
        case .stall: return .stall
        case .response, nil: break
        }
        let response = fault.map { DelayedResponse.fault($0) } ?? .accepted(id)
        let wait = shared.faultSelector.latency(attempt)
        guard wait > 0 else { return give(response, into: &out) }
        held = response
        return .hold(wait)
    }

    /// Refuses a request without reading its body.
    mutating func tooLarge(now: Int64, into out: inout ByteBuffer) -> SinkStep {
        recipient.removeAll(keepingCapacity: true)
        recipient.append(contentsOf: request.key)
        note(code: 413, accepted: false, bytes: 0, id: 0, now: now)
        return breakOff(Self.bodyTooLarge, into: &out)
    }

    private func note(code: Int, accepted: Bool, bytes: Int, id: UInt64, now: Int64) {
        recipient.withUnsafeBytes { recipient in
            request.key.withUnsafeBytes { key in
                shared.note(
                    RecordLine(
                        begun: request.begun, decided: now, channel: request.channel, recipient: recipient,
                        messageID: key, code: code, accepted: accepted, stage: .response, bytes: bytes, queueID: id,
                        connection: number))
            }
        }
    }

    private static let cannotRecord = Fault.http(507)
    private static let unauthorised = Fault.http(401)
}
