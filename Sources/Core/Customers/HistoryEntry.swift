import Text

/// Something of a customer's past that another system knows: an event or an order. Each has a key, and is kept once however often it is
/// told.
package protocol HistoryEntry: Sendable, Equatable {
    /// The columns of a table, in the order of `init`.
    static var columns: [HistoryColumn] { get }

    /// The customer's id.
    var customer: String { get }
    /// It is the same entry when it comes again.
    var key: String { get }

    /// Reads a row of a table.
    /// - Parameter value: of a column of `columns`, by its place; without spaces around it, and empty for none.
    init(_ value: (Int) -> String) throws(HistoryFault)
}

/// A column of a table of events or orders.
package struct HistoryColumn: Sendable, Equatable {
    package let name: String
    package let isRequired: Bool

    init(_ name: String, isRequired: Bool = true) { (self.name, self.isRequired) = (name, isRequired) }
}

/// Why a row is no entry.
package struct HistoryFault: Error, Sendable, Equatable {
    /// The place in the entry's columns.
    package let column: Int
    /// The end of a sentence that begins with the column.
    package let problem: String
}

/// Where a table has the columns of an entry.
package struct HistoryColumns<Entry: HistoryEntry>: Sendable {
    /// For each column of the entry its place in the table; nil where the table lacks it.
    package let places: [Int?]

    /// - Parameters:
    ///   - columns: the table's, in their order.
    ///   - mapping: for a column the name of what it is, `-` for nothing.
    package init(_ columns: [String], mapping: [String: String]) throws(CustomerColumns.Fault) {
        let names = Entry.columns.map(\.name)
        var places = [Int?](repeating: nil, count: names.count)
        for name in mapping.keys.sorted() where !columns.contains(name) {
            throw CustomerColumns.Fault("there is no column '\(name)' for --map; the columns are \(columns.joined(separator: ", "))")
        }
        for (place, column) in columns.enumerated() {
            let name = mapping[column] ?? column.trimmed.lowercased()
            if name == "-" || name.isEmpty { continue }
            guard let found = names.firstIndex(of: name) else {
                let meant =
                    NearestName.of(name, among: names).map { "did you mean '\($0)'?" } ?? "they are \(names.joined(separator: ", "))."
                throw CustomerColumns.Fault(
                    """
                    the column '\(column)' is not one of those that are read; \(meant) Say what it is (--map '\(column)=NAME'), or \
                    ignore it (--map '\(column)=-')
                    """)
            }
            guard places[found] == nil else {
                throw CustomerColumns.Fault("the column '\(column)' means the same as another; ignore one with --map '\(column)=-'")
            }
            places[found] = place
        }
        for (place, column) in Entry.columns.enumerated() where column.isRequired && places[place] == nil {
            throw CustomerColumns.Fault(
                """
                no column is '\(column.name)'; name it so, or say --map COLUMN=\(column.name). The columns are \
                \(columns.joined(separator: ", "))
                """)
        }
        self.places = places
    }
}

/// Reads values that events and orders share.
enum HistoryValue {
    /// Bytes of an id or a key at most.
    private static let longest = 256

    static func text(_ text: String, _ column: Int, longest: Int = longest) throws(HistoryFault) -> String {
        guard !text.isEmpty else { throw HistoryFault(column: column, problem: "is empty") }
        guard text.utf8.count <= longest, !text.utf8.contains(0) else {
            throw HistoryFault(column: column, problem: "is longer than \(longest) bytes, or holds a NUL")
        }
        return text
    }

    static func date(_ text: String, _ column: Int) throws(HistoryFault) -> Int64 {
        do throws(AttributeValue.Fault) { return try AttributeValue.date(text) } catch {
            throw HistoryFault(column: column, problem: "'\(shown(text))' \(error)")
        }
    }

    static func number(_ text: String, _ column: Int) throws(HistoryFault) -> Int64 {
        do throws(AttributeValue.Fault) { return try AttributeValue.number(text) } catch {
            throw HistoryFault(column: column, problem: "'\(shown(text))' \(error)")
        }
    }

    static func shown(_ text: String) -> String { SingleLine.clean(text.utf8, longest: 80) }
}
