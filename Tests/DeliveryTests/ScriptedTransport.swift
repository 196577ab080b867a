import Model
import Policy
import Synchronization
import TestServers
import Transport

/// A provider whose responses a test writes. It watches what every transport may rely on: that no message starts after the worker's lease,
/// and that no recipient has two messages in flight.
final class ScriptedTransport: DeliveryTransport {
    /// What becomes of a message.
    enum Outcome: Sendable {
        case response(ProviderResponse)
        /// Its response is late: it comes once the test lets it.
        case late(ProviderResponse?)
        /// It and the rest of its group are not started.
        case unsent
    }

    private struct State {
        /// By recipient, in the order of the starts.
        var starts: [String: Int] = [:]
        var inFlight: Set<String> = []
        var late: [(recipient: String, response: ProviderResponse?, waiting: LateResponse)] = []
        var groups: [Int] = []
        /// Recipients whose last message may have arrived, or did.
        var mayHave: Set<String> = []
        var problems: [String] = []
    }

    private let clocks: Clocks
    private let script: @Sendable (_ recipient: String, _ start: Int) -> Outcome
    private let state = Mutex(State())
    /// When the worker's lease ends by its own clock; nil while nobody has said so.
    let leaseEnd = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameter script: asked for each message that starts, with the number of its recipient's starts, from 1.
    init(_ clocks: Clocks, _ script: @escaping @Sendable (_ recipient: String, _ start: Int) -> Outcome) {
        self.clocks = clocks
        self.script = script
    }

    /// How often each recipient was started.
    var starts: [String: Int] { state.withLock { $0.starts } }
    /// Messages of each group that began.
    var groups: [Int] { state.withLock { $0.groups } }
    /// What must never be, and was.
    var problems: [String] { state.withLock { $0.problems } }
    /// Responses that are late and have not come.
    var lateCount: Int { state.withLock { $0.late.count } }
    /// Recipients whose last message may have arrived.
    var mayHave: Set<String> { state.withLock { $0.mayHave } }

    func prepare() async throws(TransportError) -> ProviderCapabilities {
        ProviderCapabilities(eightBitMIME: true, smtpUTF8: true, maximumSize: nil)
    }

    func deliver(_ group: MessageGroup, mayStart: @escaping @Sendable () -> Bool) async -> [ProviderResponse?] {
        state.withLock { $0.groups.append(group.messages.count) }
        var responses: [ProviderResponse?] = Array(repeating: nil, count: group.messages.count)
        for (index, message) in group.messages.enumerated() {
            // Others of this worker's groups may let time pass meanwhile.
            let now = clocks.now
            guard mayStart() else { break }
            let number = start(message.recipient, at: now)
            switch script(message.recipient, number) {
            case .response(let response):
                responses[index] = response
                end(message.recipient, response)
            case .late(let response):
                let waiting = LateResponse()
                state.withLock { $0.late.append((message.recipient, response, waiting)) }
                group.detach?(index, waiting)
            case .unsent:
                end(message.recipient, nil)
                return responses
            }
        }
        return responses
    }

    private func start(_ recipient: String, at now: ContinuousClock.Instant) -> Int {
        let end = leaseEnd.withLock { $0 }
        return state.withLock { state in
            state.starts[recipient, default: 0] += 1
            if !state.inFlight.insert(recipient).inserted { state.problems.append("two messages of \(recipient) in flight") }
            if let end, now >= end { state.problems.append("\(recipient) starts after the lease") }
            return state.starts[recipient] ?? 0
        }
    }

    private func end(_ recipient: String, _ response: ProviderResponse?) {
        state.withLock { state in
            state.inFlight.remove(recipient)
            let mayHave = response.map { $0.action == .accept || $0.mayHaveArrived } ?? false
            if mayHave { state.mayHave.insert(recipient) } else { state.mayHave.remove(recipient) }
        }
    }

    /// Lets the oldest late response come.
    func resolveLate() {
        let next = state.withLock { $0.late.isEmpty ? nil : $0.late.removeFirst() }
        guard let next else { return }
        end(next.recipient, next.response)
        next.waiting.resolve(next.response)
    }

    func close() async {}
    func abort() {}
}

extension ProviderResponse {
    static let accepted = ProviderResponse(action: .accept, stage: .response, code: 250, text: "Ok")
    static let refused = ProviderResponse(.unknownUser, .fail, about: .recipient, stage: .rcpt, code: 550, text: "5.1.1 unknown")
    static let refusedForNow = ProviderResponse(action: .retry, stage: .rcpt, code: 451, text: "4.3.0 later")
    static let noConnection = ProviderResponse(action: .reconnect, stage: .connect, code: 0, text: "connection refused")
    static let lost = ProviderResponse(missed: .connectionEnded, stage: .body, text: "the connection was lost")
}
