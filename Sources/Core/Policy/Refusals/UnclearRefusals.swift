/// Tells whether a refusal that may be everybody's is the recipient's own, for a mailing of which others have been accepted: it is when
/// somebody is accepted after it, or when it is the first since. The others of a row wait, and are asked again. Whether everybody is
/// refused is told meanwhile (`RefusalCircuit`), and nobody of them has failed for it.
///
/// A pure value of one worker and mailing; times are parameters, in milliseconds since 1970.
package struct UnclearRefusals: Sendable {
    /// A message of the mailing.
    package struct Key: Hashable, Sendable {
        let batch: Int
        let index: Int

        package init(batch: Int, index: Int) {
            self.batch = batch
            self.index = index
        }
    }

    private struct Waiting {
        /// Since when.
        var since: Int64
        /// Rows that had ended then.
        var row: Int
    }

    /// Whoever has waited so long, in milliseconds, is one of the last of a list: a longer row would have paused the mailing.
    static let longestWait: Int64 = 20_000
    /// Those who are known to wait at most. Beyond, nobody else waits: the mailing is paused long before.
    static let most = 10_000

    /// Rows of refusals that an acceptance has ended.
    private var row = 0
    private var isInRow = false
    private var waiting: [Key: Waiting] = [:]

    package init() {}

    /// Nobody waits, and the last response was an acceptance.
    package var isQuiet: Bool { !isInRow && waiting.isEmpty }

    /// Somebody of the mailing was accepted.
    package mutating func noteAccepted() {
        if isInRow { row += 1 }
        isInRow = false
    }

    /// A recipient was refused, and nobody was accepted since, as far as is known.
    /// - Parameter speaksOfUs: its words refuse us, and not the recipient: then the first of such refusals waits too.
    /// - Returns: whether the recipient waits; otherwise the refusal is its own.
    package mutating func note(_ key: Key, at now: Int64, speaksOfUs: Bool = false) -> Bool {
        defer { isInRow = true }
        if let known = waiting[key] {
            // Somebody was accepted after its first refusal, or nobody is left to be.
            guard known.row == row, now - known.since < Self.longestWait else {
                waiting[key] = nil
                return false
            }
            return true
        }
        guard isInRow || speaksOfUs, waiting.count < Self.most else { return false }
        waiting[key] = Waiting(since: now, row: row)
        return true
    }

    /// The mailing was paused: whoever waits begins to wait again.
    package mutating func startAnew() { waiting = [:] }

    /// A recipient has been decided on in another way.
    package mutating func forget(_ key: Key) { waiting[key] = nil }
}
