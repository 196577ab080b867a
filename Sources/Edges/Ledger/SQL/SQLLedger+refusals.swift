package import Model

extension SQLLedger: RefusalStore {
    package func doubtfulRefusals(_ id: MailingID) async throws(LedgerError) -> DoubtfulRefusals? {
        try await read("counting refusals") { db in
            guard let progress = try Self.progress(db, id) else { return nil }
            let accepted = progress[.sent] + progress[.delivered]
            let responses =
                try accepted > 0
                ? []
                : Self.responses(
                    db, id,
                    """
                    SELECT class, code, text, count(*) AS n FROM recipient_error\(db.indexed("recipient_error_held"))
                        JOIN failure ON failure.id = recipient_error.failure
                    WHERE recipient_error.mailing = ? AND held = 1 GROUP BY failure.id
                    """, limit: 1_000)
            return DoubtfulRefusals(accepted: accepted, open: progress.open, isPlanned: progress.planningDone, responses: responses)
        }
    }

    package func commonestDeferral(_ id: MailingID) async throws(LedgerError) -> MailingReport.ResponseCount? {
        try await read("reading the commonest response") { db in
            try Self.responses(
                db, id,
                """
                SELECT class, code, text, count(*) AS n
                FROM (SELECT failure FROM recipient_error WHERE mailing = ? AND due > 0 LIMIT 1000) AS waiting
                    JOIN failure ON failure.id = waiting.failure
                GROUP BY failure.id
                """, limit: 1
            ).first
        }
    }
}
