import DequeModule
import Text

/// The tokens that were refused lately, by visitor. Scanners change tokens, or cut them off, and follow the good ones beside them: a visit
/// by a good token is a machine's where its visitor has just tried one that is near it. A person who copies a link once more, as a whole,
/// takes longer. Strangers send any number of tokens: memory is bounded, and the oldest are forgotten.
package struct DamagedTokens: Sendable {
    private struct Refused: Sendable {
        var token: [UInt8]
        var at: Int64
    }

    /// Tokens that are remembered at most, and those of one visitor.
    package static let most = 4096
    private static let ofVisitor = 8
    /// Bytes of a token that is worth remembering.
    private static let lengths = 8...64
    /// A changed token differs from the good one in so many places at most.
    private static let changes = 3

    private let window: Int64
    private var tokens: [UInt64: [Refused]] = [:]
    /// The visitors of the tokens, in the order in which these came.
    private var order: Deque<UInt64> = []

    /// - Parameter window: how long before a good token a damaged one counts, in milliseconds.
    package init(window: Int64) { self.window = window }

    /// Tokens that are remembered.
    package var count: Int { order.count }

    /// A token was refused.
    /// - Parameters:
    ///   - visitor: as `TrackedEvent.visitor`; nothing is remembered of nobody.
    ///   - now: milliseconds since 1970.
    package mutating func add(_ token: some Collection<UInt8>, by visitor: UInt64, at now: Int64) {
        guard visitor != 0, Self.lengths.contains(token.count) else { return }
        // Of one visitor the last ones are enough.
        if let known = tokens[visitor], known.count == Self.ofVisitor {
            tokens[visitor]?.removeFirst()
            if let place = order.firstIndex(of: visitor) { order.remove(at: place) }
        } else if order.count == Self.most {
            forgetOldest()
        }
        tokens[visitor, default: []].append(Refused(token: Array(token), at: now))
        order.append(visitor)
    }

    private mutating func forgetOldest() {
        guard let visitor = order.popFirst() else { return }
        tokens[visitor]?.removeFirst()
        if tokens[visitor]?.isEmpty == true { tokens[visitor] = nil }
    }

    /// Whether a visitor has just tried a token that is near a good one.
    package func isNear(_ token: some Collection<UInt8>, by visitor: UInt64, at now: Int64) -> Bool {
        guard !tokens.isEmpty, let refused = tokens[visitor] else { return false }
        return refused.contains { now - window...now ~= $0.at && Self.isNear($0.token, token) }
    }

    /// Whether a refused token is a good one that was changed in a few places, put into other letters, cut off, or added to. The same token
    /// was refused for what stands behind it.
    static func isNear(_ refused: some Collection<UInt8>, _ good: some Collection<UInt8>) -> Bool {
        var (different, inLetters) = (0, 0)
        for (left, right) in zip(refused, good) where left != right {
            different += 1
            if left.lowercased != right.lowercased { inLetters += 1 }
        }
        if refused.count != good.count { return different == 0 && min(refused.count, good.count) >= lengths.lowerBound }
        return different <= changes || inLetters == 0
    }
}
