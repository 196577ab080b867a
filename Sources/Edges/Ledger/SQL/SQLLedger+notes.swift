import Logging
package import Model

/// The note beside the ledger is written inside a transaction, so that of several processes none undoes what another notes.
extension SQLLedger {
    package func note() async throws(LedgerError) -> LedgerNote? {
        guard engine.notes != nil else { return nil }
        return try await read("reading the note beside the ledger") { [self] db in try note(db) }
    }

    package func note(reached: [MailingID: Int]?) async throws(LedgerError) {
        guard let notes = engine.notes else { return }
        try await write("note") { [logger = engine.logger] db in
            let (identity, commits) = try Self.position(db)
            let problem = notes.change(identity) { note in
                note.commits = max(note.commits, commits)
                note.reached = reached.map { reached in
                    Dictionary(reached.map { ($0.key.description, $0.value) }) { $1 }
                }
            }
            guard let problem else { return }
            // A note that is out of date would show people as not reached who are.
            guard reached == nil, notes.remove() else {
                throw LedgerError.refused(
                    """
                    the note beside the ledger cannot be replaced (\(problem)), and what it says is not true any more: make the file and \
                    its folder writable for this user, or remove the file. Whatever waits for it then continues by itself
                    """)
            }
            logger.warning("the note beside the ledger was removed, as it cannot be written (\(problem)): an older copy is not known by it")
        }
    }

    /// What is noted of this ledger. A file that cannot be read is no reason to stop.
    func note(_ db: any SQLTransaction) throws -> LedgerNote? {
        guard let notes = engine.notes else { return nil }
        let identity = try Self.position(db).identity
        do throws(LedgerNotes.Unreadable) {
            return try notes.note(of: identity)
        } catch {
            engine.logger.warning("\(notes.path) is not believed (\(error)): what an older copy of the ledger lacks is not known")
            return nil
        }
    }

    /// Notes a mailing that is added, as the last step before the commit.
    func noteAdded(_ mailing: LedgerNote.Added, _ db: any SQLTransaction) throws {
        guard let notes = engine.notes else { return }
        let problem = notes.change(try Self.position(db).identity) { $0.add(mailing) }
        guard let problem else { return }
        engine.logger.warning("a mailing cannot be noted beside the ledger (\(problem)): an older copy of the ledger would not miss it")
    }

    /// Takes a mailing that was not added after all out of the note.
    func forgetAdded(_ id: MailingID) async {
        guard let notes = engine.notes else { return }
        let identity = try? await read("looking for a mailing") { db in
            try MailingRecord.one(db, id) == nil ? Self.position(db).identity : nil
        }
        guard let identity, (try? notes.note(of: identity))?.mailings.contains(where: { $0.id == id }) == true else { return }
        _ = notes.change(identity) { $0.remove(id) }
    }

    private static func position(_ db: any SQLTransaction) throws -> (identity: String, commits: Int64) {
        (try db.one(String.self, "SELECT identity FROM ledger") ?? "", try db.commits())
    }
}
