package import Ledger
package import Model
import Policy

/// Makes categories known: mailings and suppressions may name them from now on.
package struct AddCategories: Order {
    package let names: [String]

    package init(_ names: [String]) { self.names = names }

    package var kind: AuditNote.Order { .addCategories }
    package var object: AuditedObject { .categories(names.joined(separator: ",")) }

    package func obstacle(_ new: [String]) -> OrderObstacle? { new.isEmpty ? .unchanged("all of them are known already") : nil }

    /// - Returns: those that are new.
    package func carryOut(_ context: OrderContext) async throws(OrderError) -> [String] {
        for name in names {
            if let fault = Category.fault(name) { throw .refused("'\(name)' \(fault)") }
        }
        return try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.addCategories(names, note: context.note, now: context.now)
        }
    }
}

/// Forgets a category that no mailing and no suppression has.
package struct RemoveCategory: Order {
    package let name: String

    package init(_ name: String) { self.name = name }

    package var kind: AuditNote.Order { .removeCategory }
    package var object: AuditedObject { .categories(name) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) {
        try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.removeCategory(name, note: context.note, now: context.now)
        }
    }
}

extension OrderContext {
    /// Refuses an order that names a category which nobody has added; an empty name stands for none.
    func requireCategories(_ names: Set<String>) async throws(OrderError) {
        guard names.contains(where: { !$0.isEmpty }) else { return }
        let known = try await OrderError.mapping { () async throws(LedgerError) in KnownCategories(try await ledger.categories()) }
        for name in names.sorted() {
            if let fault = known.fault(name) { throw .refused(fault) }
        }
    }
}
