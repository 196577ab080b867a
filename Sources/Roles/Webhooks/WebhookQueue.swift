import DequeModule
import Ledger
import Model
import Policy
import Text

/// What one subscription is told of next, and how far it was told: a pure value. Recipients are parted by a hash. In a part one event is
/// told after the other, so that those of a recipient come in their order, and a message that is tried again delays its own part alone.
struct WebhookQueue {
    /// The rules by which it gives up.
    struct Limits: Equatable {
        /// Milliseconds without any success after which a subscription is disabled, and a message given up whose receiver takes others.
        var patience: Int64 = 86_400_000
        /// Events of a part that wait at most.
        var waiting = 200
    }

    /// An event that is to be sent now.
    struct Attempt: Sendable, Equatable {
        var part: Int
        var message: WebhookMessage
    }

    /// What follows from an outcome beside what the queue does itself.
    enum Verdict: Equatable {
        case none
        /// Nothing of this message is tried any more.
        case gaveUp
        /// The subscription is to be disabled, for the reason in words.
        case disable(String)
    }

    private struct Part {
        /// As it stands in the ledger.
        var stored: WebhookPart
        var now: WebhookPart
        var waiting: Deque<WebhookMessage> = []
        /// All of the part before it waits, or was told.
        var readTo: WebhookPlace
        var isInFlight = false
    }

    private(set) var subscription: WebhookSubscription
    private let limits: Limits
    private var parts: [Part]
    /// The row behind the last one that was read.
    private var frontier: Int64
    /// The outbox may have more behind it.
    private var hasMore = true
    /// Events that were told since the last store.
    private(set) var unstored = 0
    /// Attempts that failed since the last success, or since this began.
    private var failures = 0
    private static let fewestFailures = 3

    init(_ subscription: WebhookSubscription, _ parts: [WebhookPart], limits: Limits = Limits()) {
        self.subscription = subscription
        self.limits = limits
        self.parts = parts.map { Part(stored: $0, now: $0, readTo: $0.place) }
        frontier = parts.map(\.place.sequence).max() ?? 0
    }

    /// The part of a recipient, or of a mailing.
    static func part(of message: WebhookMessage, among count: Int) -> Int {
        var hash = message.mailing.description.utf8.reduce(FNV.seed64) { FNV.step($0, $1) }
        if !message.event.type.isOfMailing {
            for shift in stride(from: 0, to: 32, by: 8) { hash = FNV.step(hash, UInt8(truncatingIfNeeded: message.event.batch >> shift)) }
            for shift in stride(from: 0, to: 32, by: 8) { hash = FNV.step(hash, UInt8(truncatingIfNeeded: message.event.index >> shift)) }
        }
        return Int((hash ^ hash >> 32) % UInt64(max(count, 1)))
    }

    // MARK: Reading

    /// There may be new events behind what was read.
    mutating func woken() { hasMore = true }

    /// The row from which the outbox is to be read; nil where nobody waits for more. A part with enough waiting does not count: one that is
    /// behind reads again what others have read.
    var readFrom: Int64? {
        parts.filter { $0.waiting.count <= limits.waiting / 2 && (hasMore || $0.readTo.sequence < frontier) }.map(\.readTo.sequence).min()
    }

    /// An older copy of the ledger has taken its place: the outbox ends before rows that were read.
    func isBehind(_ page: WebhookPage) -> Bool { page.isLast && page.next < frontier }

    /// Takes what was read.
    /// - Returns: parts that lack what was removed from the outbox before they were told.
    mutating func take(_ page: WebhookPage, from sequence: Int64) -> Int {
        var open = parts.map { $0.readTo >= WebhookPlace(sequence) }
        var lacking = 0
        for place in parts.indices where open[place] && parts[place].now.place.sequence <= page.pruned && parts[place].waiting.isEmpty {
            lacking += 1
            parts[place].now.place = max(parts[place].now.place, WebhookPlace(page.pruned + 1))
            parts[place].readTo = max(parts[place].readTo, parts[place].now.place)
        }
        for message in page.messages {
            let place = Self.part(of: message, among: parts.count)
            guard open[place], message.place >= parts[place].readTo else { continue }
            if parts[place].waiting.count >= limits.waiting {
                parts[place].readTo = message.place
                open[place] = false
            } else {
                parts[place].waiting.append(message)
            }
        }
        for place in parts.indices where open[place] {
            parts[place].readTo = max(parts[place].readTo, WebhookPlace(page.next))
            if parts[place].waiting.isEmpty, !parts[place].isInFlight { parts[place].now.place = parts[place].readTo }
        }
        if page.next >= frontier { hasMore = !page.isLast }
        frontier = max(frontier, page.next)
        return lacking
    }

    // MARK: Telling

    /// The events that may be sent now, one of each part at most; they are in flight then.
    mutating func attempts(now: Int64) -> [Attempt] {
        var found: [Attempt] = []
        for place in parts.indices where !parts[place].isInFlight && parts[place].now.due <= now {
            guard let message = parts[place].waiting.first else { continue }
            parts[place].isInFlight = true
            found.append(Attempt(part: place, message: message))
        }
        return found
    }

    /// When the next event is due that waits for another attempt; nil where none does.
    func due(after now: Int64) -> Int64? {
        parts.filter { !$0.isInFlight && !$0.waiting.isEmpty && $0.now.due > now }.map(\.now.due).min()
    }

    var inFlight: Int { parts.count { $0.isInFlight } }
    /// When the oldest event happened that waits.
    var oldest: Int64? { parts.compactMap { $0.waiting.first?.event.at }.min() }
    var waiting: Int { parts.reduce(0) { $0 + $1.waiting.count } }

    /// Takes what became of an attempt.
    /// - Parameter jitter: from 0 to 1.
    mutating func done(_ part: Int, _ outcome: WebhookOutcome, now: Int64, jitter: Double) -> Verdict {
        parts[part].isInFlight = false
        switch outcome {
        case .notSent: return .none
        case .accepted:
            (subscription.lastSuccess, subscription.firstFailure, subscription.problem) = (now, nil, "")
            failures = 0
            advance(part)
            return .none
        case .gone: return .disable("its receiver answered 410 (gone): it wants no more")
        case .failed(let words, let retryAfter):
            subscription.problem = words
            let since = parts[part].now.since ?? now
            let first = subscription.firstFailure ?? now
            (parts[part].now.since, subscription.firstFailure) = (since, first)
            failures += 1
            // After a time in which the role did not run, a receiver gets some attempts all the same.
            let isTried = failures >= Self.fewestFailures
            if isTried, now - first >= limits.patience {
                let time = TimeSpan.text(seconds: Double(limits.patience) / 1000)
                return .disable("its receiver took nothing for \(time); the last attempt: \(words)")
            }
            if now - since >= limits.patience, isTried || first > since {
                advance(part)
                return .gaveUp
            }
            parts[part].now.attempts += 1
            parts[part].now.due = now + WebhookBackoff.wait(after: parts[part].now.attempts, retryAfter: retryAfter, jitter: jitter)
            return .none
        }
    }

    private mutating func advance(_ place: Int) {
        guard let told = parts[place].waiting.popFirst() else { return }
        let next = parts[place].waiting.isEmpty ? max(told.place.next, parts[place].readTo) : told.place.next
        parts[place].now = WebhookPart(number: parts[place].now.number, place: next)
        unstored += 1
    }

    // MARK: Storing

    /// What has changed since it was stored: nil for nothing.
    func progress() -> WebhookProgress? {
        let changed = parts.filter { $0.now != $0.stored }.map(\.now)
        return changed.isEmpty ? nil : WebhookProgress(subscription, parts: changed)
    }

    mutating func stored(_ progress: WebhookProgress) {
        for part in progress.parts { parts[part.number].stored = part }
        unstored = 0
    }
}
