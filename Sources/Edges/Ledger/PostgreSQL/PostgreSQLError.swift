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

    var description: String { sqlState.isEmpty ? detail : "\(detail) (SQLSTATE \(sqlState))" }

    init(kind: Kind, sqlState: String = "", detail: String) {
        self.kind = kind
        self.sqlState = sqlState
        self.detail = detail
    }

    init(sqlState: String, detail: String) {
        self.init(kind: Self.kind(sqlState), sqlState: sqlState, detail: detail)
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
        case "XX001", "XX002": return .corrupt
        default: break
        }
        switch sqlState.prefix(2) {
        case "08", "53", "57": return .transient
        case "28": return .denied
        case "22", "23", "54": return .unfit
        default: return .permanent
        }
    }
}
