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
        if let country = values["country"] { check(country: country, at: inner("country")) }
        guard let (file, format) = file(values, entries, of: entry) else { return nil }
        return RecipientSource(
            file: file, format: format, id: values["id"] ?? "", address: values["address"] ?? "",
            country: values["country"]?.uppercased())
    }

    private mutating func check(country: String, at entry: Entry?) {
        if let channel, channel != .sms {
            report(entry, key: "recipients.country", "is only used by the channel sms; leave it out")
        } else if PhoneCountry(country) == nil {
            report(
                entry, key: "recipients.country", "'\(country)' is no country; write its ISO 3166-1 code, such as DE, FR or US")
        }
    }

    /// The recipients' file, by the command line or else by the mailing file; nil where there is none, or its format is unknown.
    private mutating func file(
        _ values: [String: String], _ entries: [Entry], of entry: Entry
    ) -> (path: String, format: RecipientSource.Format)? {
        let isOverridden = overrides.recipients != nil
        let fileEntry = entries.first { $0.key == "file" }
        guard let given = overrides.recipients ?? values["file"].map({ TextFile.beside(document.path, $0) }) else {
            if fileEntry == nil { report(entry, key: "recipients.file", "is missing: a CSV or NDJSON file") }
            return nil
        }
        let place = isOverridden ? nil : fileEntry
        let key = isOverridden ? "--recipients" : "recipients.file"
        if let fault = TextFile.fault(ofInput: given) { report(place, key: key, "\(given) \(fault.description)") }
        var format = RecipientSource.Format(path: given)
        if let name = values["format"], !isOverridden || format == nil {
            format = choice("recipients.format", name, entry: entries.first { $0.key == "format" })
        } else if format == nil {
            report(
                place, key: key,
                "'\(given)' does not say its format by .csv, .tsv, .txt, .ndjson or .jsonl; add 'format: csv' or "
                    + "'format: ndjson' to recipients")
        }
        return format.map { (TextFile.absolute(given), $0) }
    }
}
