package import Customers
package import Model
package import Policy
import Text

/// Reads a table of customers: CSV with a header, or a JSON object a line (NDJSON). The columns are fields of customers and attributes;
/// only the id must be there.
package struct CustomerFile {
    /// How a table is read.
    package struct Options: Sendable {
        /// For a column what it is, `-` for nothing.
        package var mapping: [String: String] = [:]
        package var attributes: [Attribute]
        /// Of telephone numbers without a country code.
        package var country: PhoneCountry?
        /// The state of subscriptions of rows that say nothing, for each channel of which they have an address; nil for none.
        package var subscribed: Subscription.State?

        package init(attributes: [Attribute]) { self.attributes = attributes }
    }

    /// A row: what it says of a customer, or what is wrong with it.
    package typealias Row = Swift.Result<CustomerChange, InputError>

    private let path: String
    private var reader: RecipientReader
    private let names: [String]
    private let rows: CustomerRow
    /// Values may have the apostrophe of an export.
    private let isGuarded: Bool
    private var row = InputRow()

    /// Opens the table and reads its header.
    package init(path: String, format: RecipientSource.Format, options: Options) throws(InputError) {
        self.path = path
        isGuarded = format == .csv
        reader = try RecipientReader(RecipientSource(file: path, format: format, id: "", address: ""))
        names = reader.columns
        do throws(CustomerColumns.Fault) {
            rows = CustomerRow(
                columns: try CustomerColumns(names, mapping: options.mapping, attributes: options.attributes), country: options.country,
                subscribed: options.subscribed)
        } catch { throw InputError(file: path, problem: error.description) }
    }

    /// Reads the next row; nil at the end of the file.
    /// - Throws: where the file cannot be read any further.
    package mutating func next() throws(InputError) -> Row? {
        guard try reader.next(&row) else { return nil }
        if let fault = row.fault { return .failure(fault.inputError(path)) }
        do throws(CustomerRow.Fault) {
            return .success(
                try rows.read { place in
                    guard place < row.count else { return "" }
                    return isGuarded ? CSVValue.unguarded(row[place]) : row[place]
                })
        } catch {
            return .failure(InputError(file: path, line: row.line, column: names[error.column], problem: error.problem))
        }
    }
}
