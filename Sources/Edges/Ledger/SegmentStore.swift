package import Customers

/// Segments of customers, and who belongs to them.
package protocol SegmentStore: Sendable {
    /// By name.
    func segments() async throws(LedgerError) -> [StoredSegment]

    /// What definitions may name.
    func segmentCatalogue() async throws(LedgerError) -> SegmentCatalogue

    /// Keeps a segment.
    /// - Parameter replaces: one of the name that is there gets the definition; without it that is refused.
    /// - Throws: `LedgerError.refused` for a definition that is none, and for one that uses itself.
    func save(_ segment: StoredSegment, replaces: Bool, note: AuditNote?, now: Int64) async throws(LedgerError)

    /// Forgets a segment.
    /// - Returns: whether there was one.
    /// - Throws: `LedgerError.refused` where another uses it.
    func removeSegment(_ name: String, note: AuditNote?, now: Int64) async throws(LedgerError) -> Bool

    /// How many customers fulfil a definition.
    /// - Parameter now: milliseconds since 1970, which spans of days end at.
    func count(of definition: SegmentDefinition, now: Int64) async throws(LedgerError) -> Int

    /// Customers who fulfil a definition, in the order in which they were added.
    /// - Parameters:
    ///   - place: that of the page before; 0 for the first page.
    ///   - limit: how many at most.
    func members(of definition: SegmentDefinition, after place: Int64, limit: Int, now: Int64) async throws(LedgerError) -> SegmentPage
}

package struct StoredSegment: Sendable, Equatable {
    package var name: String
    /// Who looks after it.
    package var owner: String
    package var definition: SegmentDefinition
    /// Milliseconds since 1970.
    package var created: Int64
    package var changed: Int64

    package init(name: String, owner: String, definition: SegmentDefinition, created: Int64 = 0, changed: Int64 = 0) {
        (self.name, self.owner, self.definition) = (name, owner, definition)
        (self.created, self.changed) = (created, changed)
    }
}

/// Some members of a segment.
package struct SegmentPage: Sendable, Equatable {
    /// The customers' ids.
    package var members: [String] = []
    /// For the next page.
    package var last: Int64
    /// No customer is behind it.
    package var isEnd = false

    package init(last: Int64) { self.last = last }
}
