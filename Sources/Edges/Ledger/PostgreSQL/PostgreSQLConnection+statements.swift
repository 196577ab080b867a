import Text

extension PostgreSQLConnection {
    /// The prepared form of a statement whose parameters are `?` or `?1`, for values of these types.
    func statement(_ sql: String, _ values: [SQLValue]) -> PostgreSQLStatement {
        let types = values.map(\.type)
        let key = StatementKey(sql: sql, types: types)
        if let known = statements[key] { return known }
        // Where a pooler swaps sessions under us, a name that stands for another text in each would run the wrong one.
        let text = String(sql.utf8.reduce(FNV.seed64) { FNV.step($0, $1) }, radix: 16)
        let new = PostgreSQLStatement(name: "flotilla_\(text)_\(statements.count)", sql: Self.numbered(sql), types: types)
        statements[key] = new
        return new
    }

    struct StatementKey: Hashable {
        var sql: String
        var types: [UInt32]
    }

    /// Writes `?` and `?1` as `$1`: a bare one is the next after the highest before it, as SQLite counts.
    static func numbered(_ sql: String) -> String {
        var text: [UInt8] = []
        var highest = 0
        var isQuoted = false
        let bytes = Array(sql.utf8)
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "'") { isQuoted.toggle() }
            guard byte == UInt8(ascii: "?"), !isQuoted else {
                text.append(byte)
                continue
            }
            var number = 0
            while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]), number < 1000 {
                number = number * 10 + Int(bytes[place] - UInt8(ascii: "0"))
                place += 1
            }
            if number == 0 { number = highest + 1 }
            highest = max(highest, number)
            text += Array("$\(number)".utf8)
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension SQLValue {
    /// The number of its type in `pg_type`.
    var type: UInt32 {
        switch self {
        case .bigint, .null(.bigint): 20
        case .text, .null(.text): 25
        case .bytes, .null(.bytes): 17
        }
    }
}
