/// Values as they stand in a CSV file (RFC 4180).
package enum CSVValue {
    /// The value, in quotation marks where a reader could take it for something else, whatever the delimiter.
    package static func encoded(_ value: String) -> String {
        guard value.utf8.contains(where: { ",;|\t\"\n\r".utf8.contains($0) }) || value.first == " " || value.last == " " else {
            return value
        }
        return "\"\(value.replacing("\"", with: "\"\""))\""
    }
}
