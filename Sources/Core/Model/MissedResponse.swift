/// Why no response came to a message that was sent: it may have arrived.
///
/// The numbers are those of encoded results, in which they share a field with `RefusalDoubt`.
package enum MissedResponse: Int, Sendable {
    /// The provider had it, and did not respond in time. It is likely to have taken it.
    case timedOut = 3
    /// The connection ended first: a server was stopped, or ended a kept connection while the message was on its way.
    case connectionEnded = 4
    /// Our own process ended first.
    case workerEnded = 5
}
