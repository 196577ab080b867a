package import Model
package import Policy

extension SQLLedger: BrakeStore {
    package func brakeFacts(_ id: MailingID, now: Int64) async throws(LedgerError) -> BrakeFacts? {
        try await read("counting for the brake") { db in
            guard let row = try db.row("SELECT state, brake_since FROM mailing WHERE id = ?", [id.description]) else { return nil }
            var facts = try BrakeFacts(
                state: MailingState(rawValue: row.read(0)) ?? .failed, since: row.read(1), windows: BrakeWindows())
            // The second of the resume has messages of before, too.
            let first = max(facts.since > 0 ? facts.since / 1000 + 1 : 0, (now / 60_000 - BrakeFinding.Window.day.minutes + 1) * 60)
            let rows = try db.rows(
                """
                SELECT second / 60 AS minute, sum(sent), sum(refused), sum(bounced), sum(complained) FROM timeline
                WHERE mailing = ? AND second >= ? GROUP BY minute
                """, [id.description, first])
            while let row = try rows.next() {
                let counts = try BrakeCounts(sent: row.read(1), refused: row.read(2), bounced: row.read(3), complained: row.read(4))
                try facts.windows.add(counts, minute: row.read(0))
            }
            return facts
        }
    }

    package func noteBrake(
        _ findings: [BrakeFinding], of id: MailingID, since: Int64, now: Int64
    ) async throws(LedgerError) -> (new: [BrakeFinding], isPaused: Bool) {
        try await write("brake") { db in
            let known = try db.one(Int64.self, "SELECT brake_since FROM mailing WHERE id = ?", [id.description])
            guard known == since else { return ([], false) }
            let written = try db.runAll(
                """
                INSERT INTO brake_finding (mailing, kind, span, level, events, total, share, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """,
                findings.map { one in
                    [
                        id.description, one.key.kind.rawValue, one.key.window.rawValue, one.key.level.rawValue, one.events, one.of,
                        one.limit, now,
                    ]
                })
            let new = zip(findings, written).filter { $0.1 == 1 }.map(\.0)
            guard let worst = findings.first(where: { $0.key.level == .pause }) else { return (new, false) }
            let note = AuditNote(.pause, actor: "brake")
            let before = try Self.stateBefore(db, id, note)
            let isPaused = try Self.setState(
                db, id, StateChange(to: .paused, from: [.sending], reason: .brake(worst.words), now: now))
            if isPaused { try Self.note(db, note, on: id, before: before, now: now) }
            return (new, isPaused)
        }
    }

    /// What the brake has found since the last resume, by mailing, the oldest first.
    /// - Parameter condition: names the mailings.
    static func brakeFindings(
        _ db: any SQLTransaction, _ condition: String, _ arguments: [any SQLConvertible]
    ) throws -> [String: [NotedBrakeFinding]] {
        let rows = try db.rows(
            """
            SELECT mailing, kind, span, level, events, total, share, at FROM brake_finding
            WHERE mailing IN (SELECT id FROM mailing \(condition)) ORDER BY at, kind, span, level
            """, arguments)
        var findings: [String: [NotedBrakeFinding]] = [:]
        while let row = try rows.next() {
            guard let kind = try BrakeFinding.Kind(rawValue: row.read(1)), let window = try BrakeFinding.Window(rawValue: row.read(2)),
                let level = try BrakeFinding.Level(rawValue: row.read(3))
            else { continue }
            let finding = try BrakeFinding(.init(kind, window, level), events: row.read(4), of: row.read(5), limit: row.read(6))
            try findings[row.read(0), default: []].append(NotedBrakeFinding(finding: finding, at: row.read(7)))
        }
        return findings
    }
}
