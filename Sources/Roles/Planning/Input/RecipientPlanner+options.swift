import Model

extension RecipientPlanner {
    /// How large what is planned may become.
    package struct Bounds: Sendable {
        /// Recipients of a batch at most.
        package var size: Int
        /// Bytes of a batch in its wire form at most; a recipient that takes more is a batch by itself.
        package var bytes: Int
        /// Bytes of a recipient at most; one that takes more is excluded.
        package var recipientBytes: Int

        package init(size: Int = 500, bytes: Int = WireLimit.batchBytes, recipientBytes: Int = WireLimit.recipientBytes) {
            self.size = size
            self.bytes = bytes
            self.recipientBytes = recipientBytes
        }
    }

    /// The rows that were planned before a restart: nothing is given out for them again.
    package struct PlannedRows: Sendable {
        package var count: Int
        /// Nil where it is not known.
        package var checksum: UInt64?

        package init(_ count: Int = 0, checksum: UInt64? = nil) {
            self.count = count
            self.checksum = checksum
        }
    }

    /// Whom a planner excludes besides rows and addresses that cannot be sent to.
    package struct Exclusions: Sendable {
        /// Those who may be suppressed: they become candidates of the chunk; nil for nobody.
        package var suppressed: SuppressedAddresses?
        /// Finds those for whom there is no body; nil where there is one for everybody.
        package var check: BodyCheck?

        package init(suppressed: SuppressedAddresses? = nil, check: BodyCheck? = nil) {
            self.suppressed = suppressed
            self.check = check
        }
    }
}
