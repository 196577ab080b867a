import Model
import Policy

extension MailingCheck {
    mutating func recipients() -> RecipientSource? {
        guard let entry = entry("recipients") else {
            report(missing: "recipients", "is missing: {file: recipients.csv, id: id, address: email}")
            return nil
        }
        guard case .mapping(let entries) = entry.value else {
            report(entry, "must be a mapping: {file: recipients.csv, id: id, address: email}")
            return nil
        }
        let known = ["file", "format", "id", "address", "country"]
        for inner in entries where !known.contains(inner.key) {
            report(
                inner, key: "recipients.\(inner.key)", at: inner.keyPlace,
                "is no key of recipients; \(suggestion(inner.key, known, "the keys are"))")
        }
        func inner(_ key: String) -> Entry? { entries.first { $0.key == key } }
        var values: [String: String] = [:]
        for key in known {
            if let found = inner(key), let value = scalar(found, key: "recipients.\(key)") { values[key] = value }
        }
        if inner("address") == nil {
            report(entry, key: "recipients.address", "is missing: the column of the address")
        }
        if let country = values["country"] {
            if let channel, channel != .sms {
                report(inner("country"), key: "recipients.country", "is only used by the channel sms; leave it out")
            } else if PhoneCountry(country) == nil {
                report(
                    inner("country"), key: "recipients.country",
                    "'\(country)' is no country; write its ISO 3166-1 code, such as DE, FR or US")
            }
        }
        let given = overrides.recipients ?? values["file"].map { TextFile.beside(document.path, $0) }
        guard let given else {
            if inner("file") == nil { report(entry, key: "recipients.file", "is missing: a CSV or NDJSON file") }
            return nil
        }
        let fileEntry = overrides.recipients == nil ? inner("file") : nil
        let fileKey = overrides.recipients == nil ? "recipients.file" : "--recipients"
        if let fault = TextFile.fault(ofInput: given) {
            report(fileEntry, key: fileKey, "\(given) \(fault.description)")
        }
        var format: RecipientSource.Format?
        if let name = values["format"], overrides.recipients == nil || Self.format(of: given) == nil {
            format = choice("recipients.format", name, entry: inner("format"))
        } else {
            format = Self.format(of: given)
            if format == nil {
                report(
                    fileEntry, key: fileKey,
                    "'\(given)' does not say its format by .csv, .tsv, .txt, .ndjson or .jsonl; add 'format: csv' or "
                        + "'format: ndjson' to recipients")
            }
        }
        guard let format else { return nil }
        return RecipientSource(
            file: TextFile.absolute(given), format: format, id: values["id"] ?? "", address: values["address"] ?? "",
            country: values["country"]?.uppercased())
    }

    private static func format(of path: String) -> RecipientSource.Format? {
        let path = path.lowercased()
        if [".csv", ".tsv", ".txt"].contains(where: path.hasSuffix) { return .csv }
        if [".ndjson", ".jsonl"].contains(where: path.hasSuffix) { return .ndjson }
        return nil
    }
}
