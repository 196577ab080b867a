package import Model

/// A message to one recipient, its visits in the order of their times, and who they were.
package struct VisitedMessage: Sendable {
    package enum Visitor: Sendable, Equatable {
        case person
        /// A burst of a scanner, by its number in the message.
        case burst(Int)
        /// A scanner that follows fewer links than a burst has.
        case loneScanner
        /// A mail program that loads pictures for later.
        case prefetch
    }

    package let links: Int
    package let visits: [TrackedEvent]
    package let visitors: [Visitor]
}
