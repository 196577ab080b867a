package import Customers
package import Ledger
package import Model

/// Adds an attribute that customers may have from now on.
package struct AddAttribute: Order {
    package let name: String
    package let type: AttributeType

    package init(_ name: String, _ type: AttributeType) { (self.name, self.type) = (name, type) }

    package var kind: AuditNote.Order { .addAttribute }
    package var object: AuditedObject { .attribute(name) }

    package func obstacle(_ isNew: Bool) -> OrderObstacle? {
        isNew ? nil : .unchanged("there is an attribute '\(name)' of the type \(type.rawValue) already")
    }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Bool {
        if let fault = Attribute.fault(ofName: name) { throw .refused("'\(name)' \(fault)") }
        return try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.addAttribute(name, type, note: context.note, now: context.now)
        }
    }
}

/// Adds the customers of a file and changes those that there are, part by part, each in a transaction. What a part has changed stays when a
/// later one fails: the same import, given again, does the rest.
package struct ImportCustomers: Order {
    package let file: String
    private let proof: String
    /// The next part of the file, in which each id occurs once; nil behind the last.
    private let next: @Sendable () throws -> [CustomerChange]?
    /// Is told how many are done, after each part.
    private let progress: @Sendable (Int) -> Void

    /// - Parameter proof: what proves the subscriptions, such as the address of a stored form.
    package init(
        file: String, proof: String = "", next: @escaping @Sendable () throws -> [CustomerChange]?,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        (self.file, self.proof) = (file, proof)
        self.next = next
        self.progress = progress
    }

    package var kind: AuditNote.Order { .importCustomers }
    package var object: AuditedObject { .customers }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> CustomerSummary {
        var total = CustomerSummary()
        var audit = CustomerAudit(context.note, file: file)
        var done = 0
        while true {
            do {
                guard let part = try next() else { return total }
                try await context.requireCategories(Set(part.flatMap { $0.subscriptions.keys.map(\.category) }))
                total += try await context.ledger.store(part, source: file, proof: proof, audit: audit, now: context.now)
                done += part.count
            } catch let error as LedgerError where done == 0 {
                throw .ledger(error)
            } catch {
                throw stopped(done, "\(error)")
            }
            audit.entry = total.entry
            audit.changed = done
            progress(done)
        }
    }

    private func stopped(_ done: Int, _ why: String) -> OrderError {
        done == 0
            ? .refused(why)
            : .refused("\(why). The first \(done) customers are in the ledger: import the same file again, and the others follow")
    }
}

/// Removes customers. Messages that they got stay in the reports; `flotilla recipient erase` takes a person out of these too.
package struct RemoveCustomers: Order {
    package let ids: [String]

    package init(_ ids: [String]) { self.ids = ids }

    package var kind: AuditNote.Order { .removeCustomers }
    package var object: AuditedObject { .customers }

    package func obstacle(_ removed: Int) -> OrderObstacle? { removed == 0 ? .refused("there are no such customers") : nil }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Int {
        try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.removeCustomers(ids, note: context.note, now: context.now)
        }
    }
}
