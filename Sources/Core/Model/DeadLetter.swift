/// An entry of a stream that could not be read, as it is kept for people and for a release that can read it.
package struct DeadLetter: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: [UInt8]

        package init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// Where an entry was found.
    package enum Source: Sendable, Hashable {
        /// A status stream, by its number: results or events.
        case status(Int)
        /// An events stream, by its number: what visitors of messages' links did.
        case events(Int)
        /// The stream of what providers tell of messages that they took.
        case receipts
        /// A lane: it was a batch on its way to a worker.
        case lane(Lane)
        /// The stream of the dead letters itself, which another program wrote to.
        case foreign

        package enum Kind: String, Sendable, CaseIterable { case status, events, receipts, lane, foreign }

        package var kind: Kind {
            switch self {
            case .status: .status
            case .events: .events
            case .receipts: .receipts
            case .lane: .lane
            case .foreign: .foreign
            }
        }

        /// The stream's name without the prefix.
        package var stream: String {
            switch self {
            case .status(let number): "status:\(number)"
            case .events(let number): "events:\(number)"
            case .receipts: "receipts"
            case .lane(let lane): "lane:\(lane)"
            case .foreign: "dead"
            }
        }
    }

    /// Fields of an entry that are kept at most.
    package static let mostFields = 64
    /// Bytes of a field that are kept at most.
    package static let fieldBytes = 1 << 20

    package var source: Source
    /// Its id there.
    package var entry: String
    /// Why it cannot be read.
    package var reason: String
    package var fields: [Field]
    /// When it was found, in milliseconds since 1970.
    package var at: Int64 = 0
    /// Its fields are here in full: it can be put back.
    package var isWhole = true
    /// Its mailing and batch, where those can be read.
    package var mailing: MailingID?
    package var batch: Int?
    package var dispatchNumber: Int?

    package init(source: Source, entry: String, reason: String, fields: [Field]) {
        self.source = source
        self.entry = entry
        self.reason = reason
        self.fields = fields
    }

    /// It was a batch on its way to a worker.
    package var isBatch: Bool { source.kind == .lane }

    /// Bytes of all its fields.
    package var bytes: Int { fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.count } }
}
