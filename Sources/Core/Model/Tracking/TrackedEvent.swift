/// What a visitor of a message's links did.
package enum TrackedAction: UInt8, Sendable, CaseIterable {
    /// The pixel was loaded.
    case open = 1
    /// A link was followed.
    case click
    case unsubscribe
    case resubscribe
    /// The message was read in a browser.
    case view
    /// The page of preferences was saved.
    case preferences

    /// Whether it says what the recipient wants to get, and not only what they saw.
    package var isChoice: Bool { self == .unsubscribe || self == .resubscribe || self == .preferences }
}

/// The method of the request that an event was made from.
package enum TrackedMethod: UInt8, Sendable, CaseIterable {
    case get = 1
    case head, post
}

/// One visit of one recipient's link, as it is kept: nothing in it says yet whether a person or a machine came.
package struct TrackedEvent: Sendable, Equatable {
    package var action: TrackedAction
    package var method: TrackedMethod
    /// The mailing's number in the ledger.
    package var mailing: UInt32
    /// The recipient's batch, below `batches`, and its place there, below `indexes`.
    package var batch: UInt32
    package var index: UInt32
    /// The link's place in the message; 0 unless a click.
    package var link: UInt16
    /// By the tracker's clock, in milliseconds since 1970.
    package var time: Int64
    /// The user agent, without control characters; `agentBytes` at most.
    package var agent = ""
    /// The named range of addresses that the visitor's is in, as `apple-proxy`; empty for none. `networkBytes` at most.
    package var network = ""
    /// A keyed hash of the visitor's address; 0 for none.
    package var visitor: UInt64 = 0
    /// The visitor's address, where it is kept at all; else empty. `addressBytes` at most.
    package var address = ""
    /// A machine's, by what was seen beside it: its visitor had just tried a damaged token near this one; or, in the ledger, many
    /// recipients of its domain followed its link at once.
    package var damaged = false
    /// What was saved; nil unless the action is `preferences`.
    package var change: PreferenceChange?

    package static let batches: UInt32 = 1 << 20
    package static let indexes: UInt32 = 1 << 14
    package static let agentBytes = 256
    package static let networkBytes = 64
    package static let addressBytes = 64

    package init(
        _ action: TrackedAction, by method: TrackedMethod = .get, mailing: UInt32, batch: UInt32, index: UInt32, link: UInt16 = 0,
        time: Int64
    ) {
        (self.action, self.method) = (action, method)
        (self.mailing, self.batch, self.index, self.link) = (mailing, batch, index, link)
        self.time = time
    }
}
