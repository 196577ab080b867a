package import Model

extension SQLLedger: NumberStore {
    package func number(of id: MailingID) async throws(LedgerError) -> UInt32? {
        try await read("reading a mailing") { db in
            try db.one(Int64.self, "SELECT number FROM mailing WHERE id = ?", [id.description]).flatMap { UInt32(exactly: $0) }
        }
    }

    package func mailing(numbered number: UInt32) async throws(LedgerError) -> MailingID? {
        try await read("finding a mailing") { db in
            try db.one(String.self, "SELECT id FROM mailing WHERE number = ?", [Int(number)]).flatMap { MailingID($0) }
        }
    }
}
