/// Why PostgreSQL did not do what it was asked to. No password and no value of a row is in it.
struct PostgreSQLError: Error, Equatable, CustomStringConvertible {
    /// What a caller can do about it.
    enum Kind: Equatable {
        /// The same call may succeed later: the connection is lost, the server full of connections, a transaction lost against another.
        case transient
        /// No room is left on the server's disk.
        case full
        /// The name, the password or a right is wrong: a person has to act.
        case denied
        /// There is no such database.
        case absent
        /// What was to be written breaks a rule of the tables.
        case unfit
        /// The server says that its files are damaged.
        case corrupt
        /// Anything else: the same call fails again.
        case permanent
    }

    var kind: Kind
    /// Five characters of the SQL standard; empty where the server did not answer.
    var sqlState: String
    var detail: String
    /// Whom the server refused something, and where, for people; empty where it does not matter.
    var user = ""
    var schema = ""

    var description: String {
        if detail.contains("unsupported startup parameter: options") { return "\(detail): \(Self.noOptions)" }
        let pooler = ["26000", "42P05"].contains(sqlState) ? "; \(Self.sessions)" : ""
        return sqlState.isEmpty ? detail : "\(detail) (SQLSTATE \(sqlState))\(pooler)"
    }

    private static let noOptions = """
        a pooler in between takes no options; leave them out of ledger.url, and name the schema by ALTER ROLE … SET search_path
        """
    private static let sessions = """
        a pooler in between must keep sessions and reset them (pgbouncer: pool_mode = session, server_reset_query = DISCARD ALL)
        """

    /// A server or pooler has no place for another connection (SQLSTATE 53300, or the words in which libpq tells of it): it may soon.
    var isOfFullServer: Bool {
        guard kind == .transient else { return false }
        return sqlState == "53300" || Self.fullWords.contains { detail.contains($0) }
    }

    private static let fullWords = [
        "too many clients already", "too many connections for", "remaining connection slots are reserved", "no more connections allowed",
    ]

    /// A new session may not have it.
    var isOfSession: Bool { ["26000", "42P05", "0A000"].contains(sqlState) }

    init(kind: Kind, sqlState: String = "", detail: String) {
        self.kind = kind
        self.sqlState = sqlState
        self.detail = detail
    }

    /// - Parameter isLast: it ends the session.
    init(sqlState: String, detail: String, isLast: Bool = false) {
        // A pooler has one code for all that it says, also of an unavailable server; a server that finds no room for its log starts again.
        let isPassing = isLast && ["08P01", "53100"].contains(sqlState)
        self.init(kind: isPassing ? .transient : Self.kind(sqlState), sqlState: sqlState, detail: detail)
    }

    /// What an error code asks for: exact codes before their classes.
    static func kind(_ sqlState: String) -> Kind {
        switch sqlState {
        // Serialization failure, deadlock, lock not available, statement time-out.
        case "40001", "40P01", "55P03", "57014": return .transient
        case "53100": return .full
        // A broken protocol, or malformed copied data: a fault of ours.
        case "08P01": return .permanent
        case "42501": return .denied
        case "3D000": return .absent
        // A standby, or a primary that has become one.
        case "25006": return .transient
        case "57P04": return .absent
        // What the session had prepared is gone, or another's is there, or it does not fit tables that another release has changed: a new
        // session prepares anew.
        case "26000", "42P05", "0A000": return .transient
        case "XX001", "XX002": return .corrupt
        default: break
        }
        switch sqlState.prefix(2) {
        case "08", "40", "53", "57": return .transient
        case "28": return .denied
        case "22", "23", "54": return .unfit
        default: return .permanent
        }
    }

    /// The same of libpq's or the server's words, where no code comes with them: while a connection opens.
    static func kind(ofWords words: String) -> Kind {
        func says(_ parts: String...) -> Bool { parts.contains { words.contains($0) } }
        if says("authentication failed", "no password supplied", "pg_hba.conf", "permission denied for database", "not permitted to log in")
        {
            return .denied
        }
        // pgbouncer's words.
        if says("no such database: ") { return .absent }
        if says("no such user") { return .denied }
        if says("unsupported startup parameter") { return .permanent }
        if words.hasSuffix("does not exist") {
            if words.contains("role \"") { return .denied }
            if words.contains("database \"") { return .absent }
        }
        // A setting that libpq cannot use, or a server that does not prove who it is.
        if words.hasPrefix("invalid ") || says("does not support SSL", "certificate", "no encryption") { return .permanent }
        return .transient
    }
}
