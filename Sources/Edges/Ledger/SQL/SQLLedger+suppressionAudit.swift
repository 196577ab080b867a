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

    static func note(_ db: any SQLTransaction, _ audit: SuppressionAudit?, unsuppressed: [Suppression], now: Int64) throws {
        guard let audit, !unsuppressed.isEmpty else { return }
        var before = AuditedValues()
        before.suppressions = unsuppressed.count
        if let one = unsuppressed.first, unsuppressed.count == 1 { before.describe(one) }
        let object = object(unsuppressed.map(\.key), file: audit.file)
        try note(db, audit.note, on: object, before: before, after: AuditedValues(), now: now)
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
}
