import Model
import Text

/// Finds the columns of ids and addresses in a header.
extension RecipientPlanner {
    static func find(
        _ name: String, _ role: String, in columns: [String], of source: RecipientSource
    ) throws(InputError) -> Int {
        if !name.isEmpty, let index = columns.firstIndex(of: name) {
            if let fault = fault(ofColumn: name, in: columns, of: source.file) { throw fault }
            return index
        }
        let named = columns.filter { !$0.isEmpty }
        let more = named.count > 30 ? " and \(named.count - 30) more" : ""
        var problem = "has no column '\(name)' for the recipients' \(role)"
        if named.contains(where: { $0.contains("\u{fffd}") }) { problem += "; the header is no valid UTF-8: save the file as UTF-8" }
        if let nearest = NearestName.of(name, among: named) { problem += "; did you mean '\(nearest)'?" }
        problem += " (columns: \(named.prefix(30).joined(separator: ", "))\(more))"
        throw InputError(file: source.file, problem: problem)
    }

    /// Why a name tells of no one column; nil where it does.
    static func fault(ofColumn name: String, in columns: [String], of file: String) -> InputError? {
        guard let first = columns.firstIndex(of: name), let second = columns[(first + 1)...].firstIndex(of: name) else { return nil }
        return InputError(
            file: file, column: name, problem: "stands twice in the header, as columns \(first + 1) and \(second + 1); rename one")
    }
}
