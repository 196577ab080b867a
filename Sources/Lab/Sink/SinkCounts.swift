import Synchronization

/// What the sink has done since it was started.
package struct SinkCounts: Sendable, Equatable {
    /// Messages taken, one for each recipient; the sum of the record's column `accepted`.
    package var accepted = 0
    /// Messages refused, by the code of the response.
    package var refused: [Int: Int] = [:]
    /// Messages not taken and not answered: dropped or left waiting for ever.
    package var dropped = 0
    /// Of those taken: without a response.
    package var unanswered = 0
    /// Commands, requests and connections that broke the protocol or a limit.
    package var errors = 0
    /// Messages refused because the record cannot be written; the record does not hold them.
    package var unrecorded = 0
    /// Connections open now.
    package var connections = 0
    /// Connections taken so far.
    package var opened = 0

    package init() {}

    package var refusals: Int { refused.values.reduce(0, +) }
}

extension SinkCounts: CustomStringConvertible {
    /// One line, with the refusals by code.
    package var description: String {
        let codes = refused.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        var line = "accepted \(accepted) refused \(refusals)"
        if !codes.isEmpty { line += " (\(codes))" }
        line += " dropped \(dropped) unanswered \(unanswered) errors \(errors)"
        if unrecorded > 0 { line += " unrecorded \(unrecorded)" }
        return line + " connections \(connections) of \(opened)"
    }
}

/// The counts that all connections share.
final class SinkCounter: Sendable {
    private let counts = Mutex(SinkCounts())

    var snapshot: SinkCounts { counts.withLock { $0 } }

    func add(_ change: (inout SinkCounts) -> Void) {
        counts.withLock { change(&$0) }
    }
}
