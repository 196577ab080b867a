import Text

extension LedgerError {
    /// - Parameters:
    ///   - operation: what failed, for people.
    ///   - mayBeDone: a commit was sent, and its answer was lost.
    init(_ error: PostgreSQLError, path: String, operation: String, mayBeDone: Bool = false) {
        let detail = "\(error)" + (mayBeDone ? ". \(Self.mayBeDone)" : "")
        self =
            switch error.kind {
            case .transient: .unreachable(path: path, detail: detail)
            case .full: .full(path: path, detail: detail)
            case .denied, .absent: .denied(path: path, detail: "\(detail). \(error.remedy)")
            case .unfit: .unfit(path: path, operation: operation, detail: detail)
            case .corrupt: .corrupt(path: path, detail: detail)
            case .permanent: .failed(path: path, operation: operation, detail: detail)
            }
    }

    /// What a person has to know of a commit whose answer was lost.
    static let mayBeDone = "The answer to the commit was lost: it may have been done all the same, so look before you do it again"

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
        if sqlState == "25006" {
            return "ALTER ROLE \(grantee) SET default_transaction_read_only = off (or ALTER DATABASE, where that says so) lets it write"
        }
        guard sqlState == "42501" || detail.contains("permission denied") else {
            return "Check user and password (ledger.url, ~/.pgpass, PGPASSWORD) and the server's pg_hba.conf"
        }
        let what = Self.rights.first { detail.contains("permission denied for \($0.kind)") }
        let name = what.flatMap { Self.name(after: $0.kind, in: detail) } ?? "…"
        guard let what else {
            return "Run flotilla ledger init or flotilla ledger migrate once with the ledger.url of the tables' owner"
        }
        let grant = "GRANT \(what.grant.replacing("NAME", with: name).replacing("OURS", with: Self.quoted(schema))) TO \(grantee)"
        return grant + what.more
    }

    /// A name as a statement has it.
    static func quoted(_ name: String) -> String {
        if name.isEmpty { return "public" }
        let isPlain = name.utf8.allSatisfy { ($0.isLetterOrDigit && $0.lowercased == $0) || $0 == UInt8(ascii: "_") }
        return isPlain && name.utf8.first?.isDigit == false ? name : "\"\(name.replacing("\"", with: "\"\""))\""
    }

    private static let rights: [(kind: String, grant: String, more: String)] = [
        (
            "schema", "USAGE, CREATE ON SCHEMA NAME",
            "; or let an owner make the tables (flotilla ledger init, flotilla ledger migrate, with the owner's ledger.url)"
        ), ("database", "CONNECT ON DATABASE NAME", ""),
        (
            "table", "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA OURS",
            " (SELECT alone lets it look at mailings, reports and people, and change nothing)"
        ), ("view", "SELECT ON ALL TABLES IN SCHEMA OURS", ""), ("sequence", "USAGE ON ALL SEQUENCES IN SCHEMA OURS", ""),
        ("function", "EXECUTE ON ALL FUNCTIONS IN SCHEMA OURS", ""),
    ]

    /// The word behind a kind, without quotes.
    private static func name(after kind: String, in detail: String) -> String? {
        guard let place = detail.firstRange(of: "permission denied for \(kind) ") else { return nil }
        let name = detail[place.upperBound...].prefix { !" ;\n".contains($0) }
        return name.isEmpty ? nil : String(name)
    }
}
