/// What a check of a whole ledger found.
package struct LedgerInspection: Sendable, Equatable {
    /// Something that is not as it must be.
    package struct Fault: Sendable, Equatable, Encodable {
        package enum Kind: String, Sendable, Encodable {
            /// The file is damaged.
            case file
            /// The tables are of an older release.
            case version
            /// A table, a column or an index is missing.
            case schema
            /// A mailing's row cannot be read.
            case mailing
            /// A counter does not agree with what it counts.
            case counts
            /// A row cannot be read, or is not what another one says of it.
            case content
            /// Rows belong to nothing.
            case orphans
        }

        package var kind: Kind
        /// The mailing's id; nil for what is of no mailing.
        package var mailing: String?
        /// A sentence for people.
        package var text: String

        package init(_ kind: Kind, mailing: String? = nil, _ text: String) {
            self.kind = kind
            self.mailing = mailing
            self.text = text
        }
    }

    package var version: Int
    package var mailings = 0
    /// Recipients that were recounted.
    package var recipients = 0
    package var faults: [Fault] = []

    package init(version: Int) { self.version = version }
}
