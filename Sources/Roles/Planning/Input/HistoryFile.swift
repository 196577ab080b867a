package import Customers
package import Model
import Text

/// Reads a table of events or orders of customers: CSV with a header, or a JSON object a line (NDJSON).
package struct HistoryFile<Entry: HistoryEntry> {
    /// A row: an entry with its line, or what is wrong with it.
    package typealias Row = Swift.Result<(entry: Entry, line: Int), InputError>

    private let path: String
    private var reader: RecipientReader
    private let names: [String]
    private let places: [Int?]
    private var row = InputRow()

    /// Opens the table and reads its header.
    /// - Parameter mapping: for a column what it is, `-` for nothing.
    package init(path: String, format: RecipientSource.Format, mapping: [String: String]) throws(InputError) {
        self.path = path
        reader = try RecipientReader(RecipientSource(file: path, format: format, id: "", address: ""))
        names = reader.columns
        do throws(CustomerColumns.Fault) {
            places = try HistoryColumns<Entry>(names, mapping: mapping).places
        } catch { throw InputError(file: path, problem: error.description) }
    }

    /// Reads the next row; nil at the end of the file.
    /// - Throws: where the file cannot be read any further.
    package mutating func next() throws(InputError) -> Row? {
        guard try reader.next(&row) else { return nil }
        if let fault = row.fault { return .failure(fault.inputError(path)) }
        do throws(HistoryFault) {
            let entry = try Entry { column in
                guard let place = places[column], place < row.count else { return "" }
                return String(row[place].trimmed)
            }
            return .success((entry, row.line))
        } catch {
            let column = places[error.column].map { names[$0] } ?? Entry.columns[error.column].name
            return .failure(InputError(file: path, line: row.line, column: column, problem: error.problem))
        }
    }

    /// The error of a row whose customer the ledger does not have.
    package func unknownCustomer(_ entry: Entry, line: Int) -> InputError {
        InputError(
            file: path, line: line, column: places[0].map { names[$0] } ?? "customer",
            problem: "'\(SingleLine.clean(entry.customer.utf8, longest: 80))' is no customer; import customers first")
    }
}
