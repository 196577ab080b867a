/// Where a mailing's recipients come from.
package struct RecipientSource: Codable, Sendable, Equatable {
    package enum Format: String, Codable, Sendable, CaseIterable {
        case csv, ndjson

        /// The format that a file's name says; nil where it says none.
        package init?(path: String) {
            let path = path.lowercased()
            if [".csv", ".tsv", ".txt"].contains(where: path.hasSuffix) {
                self = .csv
            } else if [".ndjson", ".jsonl"].contains(where: path.hasSuffix) {
                self = .ndjson
            } else {
                return nil
            }
        }
    }

    /// The file's absolute path.
    package var file: String
    package var format: Format
    /// The column of the recipient's id; empty takes the row's number.
    package var id: String
    /// The column of the address.
    package var address: String
    /// For numbers without a country code: the ISO 3166-1 code of the country (`DE`); nil where each has its own.
    package var country: String?

    package init(file: String, format: Format, id: String, address: String, country: String? = nil) {
        self.file = file
        self.format = format
        self.id = id
        self.address = address
        self.country = country
    }
}
