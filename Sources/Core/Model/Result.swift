import Text

/// The outcome of one attempt on one recipient.
package struct RecipientResult: Sendable, Hashable {
    /// Its place in the batch, from 0.
    package var index: Int
    package var state: RecipientState
    /// Attempts spent so far, this one included.
    package var attempts: Int
    /// When, in milliseconds since 1970.
    package var at: Int64
    /// When the next attempt is due, in milliseconds since 1970; 0 unless `state` is `deferred`, or `uncertain` and the
    /// message is sent again: such a result puts the recipient on the list of the uncertain and moves no state.
    package var due: Int64
    /// The provider's last response; nil where there was none (stopped, expired before an attempt). Of an uncertain one, why
    /// it is not known whether the message arrived.
    package var response: ProviderResponse?
    /// Why a refusal that ends a recipient did not end this one; nil for all other results.
    package var doubt: RefusalDoubt?

    package init(
        index: Int, state: RecipientState, attempts: Int, at: Int64, due: Int64 = 0, response: ProviderResponse? = nil
    ) {
        self.index = index
        self.state = state
        self.attempts = attempts
        self.at = at
        self.due = due
        self.response = response
    }
}

/// Why a recipient that was refused for good waits: the refusal may be everybody's.
package enum RefusalDoubt: Int, Sendable {
    /// Nobody of the mailing has been accepted yet.
    case beforeAcceptance = 1
    /// It speaks of us, and others have been accepted.
    case ofUs = 2
    /// Others have been accepted, and nobody since. (3 to 5 of the encoded field are `MissedResponse`'s.)
    case sinceAcceptance = 6
}

/// How a recipient ended that a provider refused for the recipient's own sake: what 1 to 6 of the encoded field mean is of results that
/// end nobody.
package enum OwnRefusal: Int, Sendable {
    /// It will be refused next time, too.
    case lasting = 7
    /// It may be taken next time; there was no attempt left.
    case passing = 8
}

extension RecipientResult {
    /// Nil for a recipient that did not end, or by a response that may be everybody's.
    package var ownRefusal: OwnRefusal? {
        guard state == .failed || state == .expired, let response, response.subject == .recipient else { return nil }
        return response.action == .fail ? .lasting : .passing
    }
}

/// Results of one batch that travel together: one entry of a status stream.
package struct ResultGroup: Sendable, Equatable {
    /// What a group reports about its batch besides results.
    package enum Closing: String, Sendable {
        /// More groups follow.
        case open = ""
        /// The worker has finished this dispatch: each of its recipients has a result.
        case done
        /// The worker gave back the rest of the batch, which was not started.
        case released
    }

    package var batch: BatchID
    package var dispatchNumber: Int
    /// Who worked on it: the worker's id.
    package var worker: String
    /// The provider that its attempts went to; empty where the entry does not say (an older worker).
    package var provider: String
    /// The group's number within (batch, dispatch number, worker), from 0: writing one twice changes nothing.
    package var sequence: Int
    package var closing: Closing
    /// With a closing group: how many groups all workers reported of this dispatch, this one included. Redis counts them.
    package var groups: Int
    package var results: [RecipientResult]
    /// Not all of its results could be read: recipients without a result at the end of the dispatch are uncertain.
    package var isPartial = false

    package init(
        _ dispatch: Dispatch, worker: String, provider: String = "", sequence: Int, closing: Closing, groups: Int = 0,
        results: [RecipientResult]
    ) {
        batch = dispatch.batch
        dispatchNumber = dispatch.dispatchNumber
        self.worker = worker
        self.provider = provider
        self.sequence = sequence
        self.closing = closing
        self.groups = groups
        self.results = results
    }
}

extension [RecipientResult] {
    /// The wire form, which the ledger keeps as it is: a JSON array of
    /// `[index, state, attempts, at, code, text, message id, reason, stage, due, why]`, where `at` and `due` are milliseconds after
    /// `base`. Results of state `sent` have no reason, stage and due; few have `why`, which is `doubt`, why the response was missed, or
    /// that the recipient ended by a response that is certainly its own (`OwnRefusal`).
    /// - Parameter base: milliseconds since 1970, not above any `at`.
    package func encoded(base: Int64) -> [UInt8] {
        var out = JSONWriter(capacity: count * 80 + 2)
        out.beginArray()
        for result in self {
            out.beginArray()
            out.int(Int64(result.index))
            out.string(CollectionOfOne(result.state.code))
            out.int(Int64(result.attempts))
            out.int(result.at - base)
            out.int(Int64(result.response?.code ?? 0))
            out.string((result.response?.text ?? "").utf8)
            out.string((result.response?.messageID ?? "").utf8)
            if result.state != .sent {
                out.string((result.response?.reason.rawValue ?? "").utf8)
                out.string((result.response?.stage.rawValue ?? "").utf8)
                // 0 is for none: what is due at the base itself is due a millisecond later.
                out.int(result.due == 0 ? 0 : Swift.max(1, result.due - base))
                if let why = result.doubt?.rawValue ?? result.response?.missed?.rawValue ?? result.ownRefusal?.rawValue {
                    out.int(Int64(why))
                }
            }
            out.endArray()
        }
        out.endArray()
        return out.bytes
    }

    /// Reads the wire form.
    package init(decoding wire: [UInt8], base: Int64) throws(WireError) {
        let (results, problem) = Self.readable(in: wire, base: base)
        if let problem { throw problem }
        self = results
    }

    /// Reads those results of the wire form that can be read; a newer worker may have states and classes that this release lacks.
    /// - Returns: also why others cannot; nil where there are none.
    package static func readable(in wire: [UInt8], base: Int64) -> (results: [RecipientResult], problem: WireError?) {
        guard WireLimit.time.contains(base) else { return ([], WireError("the time \(base) is out of range")) }
        var results: [RecipientResult] = []
        let problem = WireReader.readable(wire) { reader throws(WireError) in
            let result = try RecipientResult(from: &reader, base: base)
            guard results.count <= WireLimit.index.upperBound else { throw WireError("more results than a batch has recipients") }
            results.append(result)
        }
        return (results, problem)
    }
}

extension RecipientResult {
    fileprivate init(from reader: inout WireReader, base: Int64) throws(WireError) {
        try reader.beginArray()
        let index = try Int(reader.int(in: WireLimit.index))
        try reader.next()
        var letter: [UInt8] = []
        try reader.string(into: &letter)
        guard letter.count == 1, let state = RecipientState(code: letter[0]) else { throw WireError("unknown state") }
        try reader.next()
        let attempts = try Int(reader.int(in: WireLimit.count))
        try reader.next()
        let at = try reader.int(in: WireLimit.difference) + base
        guard WireLimit.time.contains(at) else { throw WireError("the time \(at) is out of range") }
        try reader.next()
        let code = try Int(reader.int(in: WireLimit.code))
        try reader.next()
        let text = try reader.string(atMost: WireLimit.text)
        try reader.next()
        let messageID = try reader.string(atMost: WireLimit.text)
        var response = ProviderResponse(.accepted, .accept, about: .unclear, stage: .response, code: code, text: text, messageID: messageID)
        var hasResponse = state == .sent
        var due: Int64 = 0
        var doubt: RefusalDoubt?
        var own: OwnRefusal?
        if reader.hasNext() {
            let reason = try reader.string()
            try reader.next()
            let stage = try reader.string()
            try reader.next()
            due = try reader.int(in: WireLimit.time)
            if reader.hasNext() {
                let why = Int(try reader.int(in: 0...WireLimit.count.upperBound))
                doubt = RefusalDoubt(rawValue: why)
                response.missed = MissedResponse(rawValue: why)
                own = OwnRefusal(rawValue: why)
            }
            if !reason.isEmpty {
                guard let stage = DeliveryStage(rawValue: stage) else { throw WireError("unknown stage '\(stage.prefix(40))'") }
                response.reason = ResponseReason(name: reason)
                response.action = state.usualAction
                response.stage = stage
                if let own { (response.subject, response.action) = (.recipient, own == .passing ? .retry : .fail) }
                hasResponse = true
            }
        }
        while reader.hasNext() { try reader.skip() }
        try reader.endArray()
        self.init(
            index: index, state: state, attempts: attempts, at: at, due: due == 0 ? 0 : min(due + base, WireLimit.time.upperBound),
            response: hasResponse ? response : nil)
        self.doubt = doubt
    }
}

extension RecipientState {
    /// What was done after a response that left a recipient in this state: results do not hold it.
    fileprivate var usualAction: ResponseAction {
        switch self {
        case .sent, .delivered: .accept
        case .planned, .deferred: .retry
        case .uncertain: .reconnect
        case .stopped, .skipped, .expired, .failed: .fail
        }
    }
}
