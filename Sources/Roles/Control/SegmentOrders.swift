package import Customers
package import Ledger
package import Model

/// Keeps a segment of customers, for mailings and for other segments.
package struct SaveSegment: Order {
    /// Bytes of a name or an owner at most.
    private static let longestName = 64

    package let name: String
    private let definition: SegmentDefinition
    /// Who looks after it; nil for whoever gives the order.
    private let owner: String?
    private let replaces: Bool

    /// - Parameter replaces: a segment of the name that is there gets the definition; without it that is refused.
    package init(_ name: String, _ definition: SegmentDefinition, owner: String?, replaces: Bool) {
        (self.name, self.definition, self.owner, self.replaces) = (name, definition, owner, replaces)
    }

    package var kind: AuditNote.Order { .saveSegment }
    package var object: AuditedObject { .segment(name) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) {
        let owner = owner ?? context.actor.description
        for (what, text) in [("name", name), ("owner", owner)] where !Self.isName(text) {
            throw .refused("'\(text)' is no \(what) of a segment: it has 1 to \(Self.longestName) bytes without control characters")
        }
        try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.save(
                StoredSegment(name: name, owner: owner, definition: definition), replaces: replaces, note: context.note, now: context.now)
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...longestName).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } && text.first != " "
            && text.last != " "
    }
}

/// Forgets a segment that no other uses.
package struct RemoveSegment: Order {
    package let name: String

    package init(_ name: String) { self.name = name }

    package var kind: AuditNote.Order { .removeSegment }
    package var object: AuditedObject { .segment(name) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) {
        let isRemoved = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.removeSegment(name, note: context.note, now: context.now)
        }
        guard isRemoved else { throw .refused("there is no segment '\(name)'; flotilla segments list shows them") }
    }
}
