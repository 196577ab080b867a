/// Who a visit of a message's link was.
package enum VisitorClass: UInt8, Sendable, CaseIterable {
    /// A person's browser or mail program.
    case human = 1
    /// A person, as far as can be known, behind a proxy of the mailbox's provider: address and program are the proxy's.
    case proxied
    /// A program without a person: a security scanner, a prefetch, a link preview, a crawler.
    case machine

    /// As files and reports have it.
    package var name: String {
        switch self {
        case .human: "human"
        case .proxied: "proxied"
        case .machine: "machine"
        }
    }
}
