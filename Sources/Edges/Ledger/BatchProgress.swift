import Model

/// Where the recipients of one batch stand, and which dispatch of it is with the workers: the part of a batch that changes.
/// A pure value: it is loaded, changed and stored within one transaction.
struct BatchProgress: Equatable {
    /// How often the batch has been dispatched.
    var dispatchNumber = 0
    /// When it was dispatched, in milliseconds since 1970; 0 while it is not with the workers.
    var dispatched: Int64 = 0
    /// `RecipientState.code`, one byte a recipient.
    var states: [UInt8]
    /// Attempts spent, one printable byte a recipient (see `attemptsCode`).
    var attempts: [UInt8]
    /// While dispatched: one bit a recipient of whom this dispatch still owes a result.
    var awaited: [UInt8] = []
    /// A worker said that each recipient of this dispatch has a result.
    var isDone = false
    /// How many groups of results there are of this dispatch, once a worker has closed it; 0 before.
    var released = 0

    /// A batch none of whose recipients was tried.
    init(planned count: Int) {
        states = [UInt8](repeating: RecipientState.planned.code, count: count)
        attempts = [UInt8](repeating: Self.attemptsCode(0), count: count)
    }

    init(states: [UInt8], attempts: [UInt8]) {
        self.states = states
        self.attempts = attempts
    }

    /// Attempts as a printable ASCII character, from `0` for none to `~` for 78 and more.
    static func attemptsCode(_ attempts: Int) -> UInt8 { UInt8(48 + min(max(attempts, 0), 78)) }
    static let attemptsCodes = attemptsCode(0)...attemptsCode(.max)

    var isDispatched: Bool { dispatched != 0 }

    /// Nil for a place that the batch does not have.
    func state(_ index: Int) -> RecipientState? { states.indices.contains(index) ? StateCode.state(states[index]) : nil }

    func attempts(_ index: Int) -> Int { Int(attempts[index]) - 48 }

    func count(of state: RecipientState) -> Int { count(of: StateCode.code(state)) }

    private func count(of code: UInt8) -> Int {
        var count = 0
        for byte in states where byte == code { count += 1 }
        return count
    }

    /// Recipients that are not terminal.
    var open: Int { count(of: .planned) + count(of: .deferred) + count(of: .uncertain) }
}

extension BatchProgress {
    /// Takes one result.
    /// - Returns: the state it came from when the result counts: when its state ranks higher than that before, or both are
    ///   `deferred` or `failed` (`RecipientMove` then keeps that of the later attempt). Nil when it changes no state, as one that only
    ///   lists the recipient as uncertain: the dispatch still owes a result of it.
    mutating func apply(_ result: RecipientResult, dispatchNumber: Int) -> RecipientState? {
        let index = result.index
        note(result, dispatchNumber: dispatchNumber)
        if result.isListing { return nil }
        guard let old = state(index), result.state != .planned else { return nil }
        let isSame = result.state == old && (old == .deferred || old == .failed)
        guard result.state.rank > old.rank || isSame else { return nil }
        states[index] = StateCode.code(result.state)
        return old
    }

    /// Notes that a result has come, and nothing of its state: the dispatch owes none any more, but after one that only lists.
    mutating func note(_ result: RecipientResult, dispatchNumber: Int) {
        let index = result.index
        attempts[index] = max(attempts[index], Self.attemptsCode(result.attempts))
        guard !result.isListing, dispatchNumber == self.dispatchNumber, isDispatched else { return }
        awaited[index >> 3] &= ~(1 << UInt8(index & 7))
    }

    /// Whom a dispatch would be for: all planned recipients and those deferred ones in `due`, ascending.
    func sendable(due: Set<Int>) -> [Int] {
        let planned = StateCode.code(.planned)
        return states.indices.filter { states[$0] == planned || due.contains($0) }
    }

    /// Hands the batch out under a new dispatch number, for all planned recipients and those deferred ones in `due`.
    /// - Parameter part: whom it is for of these; nil for all.
    /// - Returns: whom to send to; nil for every one of the batch at the first attempt.
    mutating func dispatch(due: Set<Int>, among part: Set<Int>? = nil, now: Int64) -> [OpenRecipient]? {
        dispatchNumber += 1
        dispatched = now
        isDone = false
        released = 0
        awaited = [UInt8](repeating: 0, count: (states.count + 7) / 8)
        let planned = StateCode.code(.planned)
        for index in states.indices {
            let isOpen = states[index] == planned || due.contains(index)
            if isOpen, part?.contains(index) ?? true { awaited[index >> 3] |= 1 << UInt8(index & 7) }
        }
        return owed
    }

    /// Those of whom this dispatch owes a result; nil for every one of the batch at the first attempt.
    private var owed: [OpenRecipient]? {
        var open: [OpenRecipient] = []
        var isFirstAttempt = true
        for index in states.indices where isAwaited(index) {
            if attempts(index) > 0 { isFirstAttempt = false }
            open.append(OpenRecipient(index: index, attempts: attempts(index)))
        }
        return isFirstAttempt && open.count == states.count ? nil : open
    }

    func isAwaited(_ index: Int) -> Bool {
        isDispatched && awaited[index >> 3] & (1 << UInt8(index & 7)) != 0
    }

    /// Every recipient of this dispatch has a result.
    var owesNothing: Bool { awaited.allSatisfy { $0 == 0 } }

    /// Ends the dispatch.
    mutating func close() {
        dispatched = 0
        awaited = []
        isDone = false
        released = 0
    }

    /// From when on the batch may be dispatched, in milliseconds since 1970 (0: at once); nil when it is dispatched or has nobody to send
    /// to.
    /// - Parameter due: when the first of its deferred recipients is due.
    func ready(due: Int64?) -> Int64? {
        if isDispatched { return nil }
        return count(of: .planned) > 0 ? 0 : due
    }
}

extension RecipientResult {
    /// It says that the message may have arrived and is sent again: it puts the recipient on the list and moves no state.
    var isListing: Bool { state == .uncertain && due > 0 }
}
