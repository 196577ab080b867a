import Foundation
import Model

extension SQLLedger {
    /// Adds the audit entry of an addition, or brings that of the transactions before up to date. It names nobody: an address is masked.
    /// A call that changes nothing has no entry.
    /// - Returns: the entry's number.
    static func note(
        _ db: any SQLTransaction, _ audit: SuppressionAudit?, suppressed: [Suppression], count: Int, now: Int64
    ) throws -> Int64? {
        guard let audit, count > 0 || audit.entry != nil else { return audit?.entry }
        var after = AuditedValues()
        after.file = audit.file
        after.suppressions = audit.changed + count
        if let one = suppressed.first, suppressed.count == 1, audit.file == nil {
            after.describe(one)
        }
        guard let entry = audit.entry else {
            let object = object(suppressed.map(\.key), file: audit.file)
            return try note(db, audit.note, on: object, before: AuditedValues(), after: after, now: now)
        }
        try db.run("UPDATE audit SET after = ? WHERE number = ?", [try after.json(), entry])
        return entry
    }

    /// The same for a removal.
    /// - Parameter filter: by what those were found that were removed; nil where they were named.
    static func note(
        _ db: any SQLTransaction, _ audit: SuppressionAudit?, unsuppressed: [Suppression], by filter: SuppressionFilter?, now: Int64
    ) throws -> Int64? {
        guard let audit, !unsuppressed.isEmpty else { return audit?.entry }
        var before = AuditedValues()
        before.suppressions = audit.changed + unsuppressed.count
        if let one = unsuppressed.first, unsuppressed.count == 1, filter == nil { before.describe(one) }
        if let filter { before.describe(filter) }
        guard let entry = audit.entry else {
            let object = filter == nil ? object(unsuppressed.map(\.key), file: audit.file) : .suppressions
            return try note(db, audit.note, on: object, before: before, after: AuditedValues(), now: now)
        }
        try db.run("UPDATE audit SET before = ? WHERE number = ?", [try before.json(), entry])
        return entry
    }

    private static func object(_ keys: [Suppression.Key], file: String?) -> AuditedObject {
        guard let key = keys.first, keys.count == 1, file == nil else { return .suppressions }
        return .suppression(key.channel, Masking.address(key.address))
    }
}

extension AuditedValues {
    fileprivate mutating func describe(_ one: Suppression) {
        reason = one.reason.rawValue
        category = one.key.category.isEmpty ? Category.all : one.key.category
        expires = one.expires.map { MailingReport.text($0) }
    }

    fileprivate mutating func describe(_ filter: SuppressionFilter) {
        reason = filter.reason?.rawValue
        provider = filter.provider
        category = filter.category.map { $0.isEmpty ? Category.all : $0 }
        since = filter.since.map { MailingReport.text($0) }
        until = filter.until.map { MailingReport.text($0) }
    }
}
