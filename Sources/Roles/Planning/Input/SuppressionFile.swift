package import Model
package import Policy
import Text

/// Reads a table of suppressions (CSV with a header): `address`, `channel`, `category`, `reason`, `date`, `expiry`, `source`,
/// `provider`, in any order.
/// All but the address may be missing.
package struct SuppressionFile {
    /// What holds where a row or the table says nothing.
    package struct Defaults: Sendable {
        package var channel: Channel?
        /// Empty for all mailings.
        package var category = ""
        package var reason = Suppression.Reason.imported
        /// Of telephone numbers without a country code.
        package var country: PhoneCountry?
        /// Those that a row may name; nil for any.
        package var categories: KnownCategories?
        /// The date, in milliseconds since 1970.
        package var now: Int64

        package init(now: Int64) { self.now = now }
    }

    /// A row: the suppression, or what is wrong with it.
    package typealias Row = Result<Suppression, InputError>

    /// Columns of other names, which are ignored.
    package let ignored: [String]

    private let path: String
    private let defaults: Defaults
    private var reader: CSVReader
    private var row = InputRow()
    /// The column of each field that the table has.
    private let columns: [(field: SuppressionRow.Field, column: Int)]

    /// Opens the table and reads its header.
    package init(path: String, defaults: Defaults) throws(InputError) {
        self.path = path
        self.defaults = defaults
        reader = try CSVReader(path: path)
        let names = reader.columns.map { $0.lowercased() }
        var columns: [(field: SuppressionRow.Field, column: Int)] = []
        for field in SuppressionRow.Field.allCases {
            if let fault = RecipientPlanner.fault(ofColumn: field.rawValue, in: names, of: path) { throw fault }
            if let column = names.firstIndex(of: field.rawValue) { columns.append((field, column)) }
        }
        self.columns = columns
        let fields = SuppressionRow.Field.allCases.map(\.rawValue)
        let others = names.filter { !$0.isEmpty && !fields.contains($0) }
        for name in others {
            guard let meant = NearestName.of(name, among: fields), !names.contains(meant) else { continue }
            throw InputError(file: path, column: name, problem: "is no column of suppressions; did you mean '\(meant)'?")
        }
        ignored = others
        func has(_ field: SuppressionRow.Field) -> Bool { columns.contains { $0.field == field } }
        guard has(.address) else {
            throw InputError(file: path, problem: "has no column 'address'; the columns are \(fields.joined(separator: ", "))")
        }
        guard has(.channel) || defaults.channel != nil else {
            let channels = Channel.allCases.map(\.rawValue).joined(separator: ", ")
            throw InputError(file: path, problem: "has no column 'channel'; add it, or name one for all rows with --channel (\(channels))")
        }
    }

    /// Reads the next row; nil at the end of the file.
    /// - Throws: where the file cannot be read any further.
    package mutating func next() throws(InputError) -> Row? {
        guard try reader.next(&row) else { return nil }
        if let fault = row.fault { return .failure(fault.inputError(path)) }
        var values = SuppressionRow()
        for (field, column) in columns where column < row.count { values[field] = CSVValue.unguarded(row[column]) }
        if values[.channel].isEmpty, let channel = defaults.channel { values[.channel] = channel.rawValue }
        if values[.category].isEmpty { values[.category] = defaults.category }
        var faults: [(field: SuppressionRow.Field, problem: String)] = []
        if let category = try? values.categoryName(), let problem = defaults.categories?.fault(category) {
            faults.append((.category, problem))
        }
        switch values.judge(country: defaults.country, reason: defaults.reason, now: defaults.now) {
        case .success(let one): if faults.isEmpty { return .success(one) }
        case .failure(let found): faults = found.all.map { ($0.field, $0.problem) } + faults
        }
        let more = faults.dropFirst().map { "; column '\($0.field.rawValue)': \($0.problem)" }.joined()
        return .failure(
            InputError(file: path, line: row.line, column: faults[0].field.rawValue, problem: faults[0].problem + more))
    }
}
