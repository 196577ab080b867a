import Authentication

/// DNS as a test has it: `example.com TXT` to records. Names that are not there do not exist.
struct FixedNames: NameLookup {
    var records: [String: [String]]
    /// Names of which no server answers.
    var silent: Set<String> = []

    func answer(_ name: String, _ kind: RecordKind) async -> NameAnswer {
        if silent.contains(name) { return .failed("no answer") }
        let word =
            switch kind {
            case .address4: "A"
            case .address6: "AAAA"
            case .alias: "CNAME"
            case .pointer: "PTR"
            case .mailExchanger: "MX"
            case .text: "TXT"
            }
        return records["\(name) \(word)"].map { .records($0) } ?? .none
    }
}
