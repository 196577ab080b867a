extension LedgerError {
    /// - Parameter operation: what failed, for people.
    init(_ error: PostgreSQLError, path: String, operation: String) {
        self =
            switch error.kind {
            case .transient: .unreachable(path: path, detail: "\(error)")
            case .full: .full(path: path, detail: "\(error)")
            case .denied, .absent: .denied(path: path, detail: "\(error). \(error.remedy)")
            case .unfit: .unfit(path: path, operation: operation, detail: "\(error)")
            case .corrupt: .corrupt(path: path, detail: "\(error)")
            case .permanent: .failed(path: path, operation: operation, detail: "\(error)")
            }
    }

    /// Runs `body`, with whatever it throws turned into a `LedgerError`.
    static func mapping<T>(postgreSQL path: String, operation: String, _ body: () throws -> T) throws(LedgerError) -> T {
        do { return try body() } catch let error as LedgerError { throw error } catch let error as PostgreSQLError {
            throw LedgerError(error, path: path, operation: operation)
        } catch let error as SQLDamage { throw .corrupt(path: path, detail: "\(operation): \(error.text)") } catch {
            throw .failed(path: path, operation: operation, detail: "\(error)")
        }
    }
}

extension PostgreSQLError {
    /// What a person does about a refusal: the right that is missing, with the words that grant it.
    var remedy: String {
        let grantee = user.isEmpty ? "our user" : "\"\(user)\""
        if kind == .absent { return "Make it (CREATE DATABASE … OWNER \(grantee), as an administrator), or correct ledger.url" }
        guard sqlState == "42501" || detail.contains("permission denied") else {
            return "Check user and password (ledger.url, ~/.pgpass, PGPASSWORD) and the server's pg_hba.conf"
        }
        let what = Self.rights.first { detail.contains("permission denied for \($0.kind)") }
        let name = what.flatMap { Self.name(after: $0.kind, in: detail) } ?? "…"
        guard let what else {
            return "Run flotilla ledger init or flotilla ledger migrate once with the ledger.url of the tables' owner"
        }
        let grant = "GRANT \(what.grant.replacing("NAME", with: name)) TO \(grantee)"
        return what.kind == "schema"
            ? "\(grant); or let an owner make the tables (flotilla ledger init, flotilla ledger migrate, with the owner's ledger.url)"
            : grant
    }

    private static let rights: [(kind: String, grant: String)] = [
        ("schema", "USAGE, CREATE ON SCHEMA NAME"), ("database", "CONNECT ON DATABASE NAME"),
        ("table", "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"),
        ("view", "SELECT ON ALL TABLES IN SCHEMA public"), ("sequence", "USAGE ON ALL SEQUENCES IN SCHEMA public"),
        ("function", "EXECUTE ON ALL FUNCTIONS IN SCHEMA public"),
    ]

    /// The word behind a kind, without quotes.
    private static func name(after kind: String, in detail: String) -> String? {
        guard let place = detail.firstRange(of: "permission denied for \(kind) ") else { return nil }
        let name = detail[place.upperBound...].prefix { !" ;\n".contains($0) }
        return name.isEmpty ? nil : String(name)
    }
}
