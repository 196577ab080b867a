import Customers

/// The columns of attributes in the tables `customer` and `customer_staging`: `a1`, `a2` and so on, by their numbers.
enum CustomerColumn {
    static func name(_ attribute: Attribute) -> String { "a\(attribute.number)" }

    static func type(_ type: AttributeType) -> SQLType {
        switch type {
        case .text, .list: .text
        case .number, .date, .boolean: .bigint
        }
    }

    /// Adds an attribute's column to both tables.
    static func add(_ attribute: Attribute, _ db: any SQLTransaction) throws {
        for table in ["customer", "customer_staging"] {
            try db.run("ALTER TABLE \(table) ADD COLUMN \(name(attribute)) \(db.columnType(type(attribute.type)))")
        }
    }

    /// What is bound for a value; NULL of its type for none.
    static func value(_ value: AttributeValue?, _ type: AttributeType) -> any SQLConvertible {
        switch value {
        case .text(let text): text
        case .number(let number): number
        case .date(let time): time
        case .boolean(let flag): flag
        case .list(let elements): AttributeValue.packed(elements)
        case nil:
            switch type {
            case .text, .list: String?.none
            case .number, .date, .boolean: Int64?.none
            }
        }
    }

    /// Reads what `value` bound; nil for NULL.
    static func read(_ row: any SQLRow, _ column: Int, _ type: AttributeType) throws -> AttributeValue? {
        switch type {
        case .text: try row.text(column).map { .text($0) }
        case .list: try row.text(column).map { .list(AttributeValue.unpacked($0)) }
        case .number: try row.read(column).map { .number($0) }
        case .date: try row.read(column).map { .date($0) }
        case .boolean: try row.read(column).map { .boolean($0) }
        }
    }
}

extension SQLLedger {
    static func attributes(_ db: any SQLTransaction) throws -> [Attribute] {
        try db.allRows("SELECT name, type, number FROM attribute ORDER BY name").compactMap { row in
            // A type of a newer release is not known here.
            guard let type = try AttributeType(rawValue: row.read(1)) else { return nil }
            return try Attribute(name: row.read(0), type: type, number: row.read(2))
        }
    }
}
