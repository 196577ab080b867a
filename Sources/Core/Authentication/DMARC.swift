/// A record of DMARC (RFC 9989 section 4.7).
package struct DMARCRecord: Sendable, Equatable {
    package enum Policy: String, Sendable {
        case none, quarantine, reject
    }

    package let policy: Policy
    package let subdomainPolicy: Policy?
    package let hasReports: Bool
    package let isTesting: Bool
    package let isStrictDKIM: Bool
    package let isStrictSPF: Bool
    /// `psd`: `y` for a public suffix, `n` for an organization, nil for neither.
    let suffix: String?
    /// Tags that are given and have no meaning any more.
    package let historic: [String]

    /// Whether a text is a record of DMARC at all.
    static func isRecord(_ text: String) -> Bool {
        let tags = TagList(text)
        return tags.first == "v" && tags["v"] == "DMARC1"
    }

    /// - Returns: nil for a record that receivers ignore: one without a policy that they know and without an address for reports.
    package init?(_ text: String) {
        guard Self.isRecord(text) else { return nil }
        let tags = TagList(text)
        hasReports = tags["rua"]?.isEmpty == false
        if let policy = tags["p"].flatMap({ Policy(rawValue: $0.lowercased()) }) {
            self.policy = policy
        } else {
            guard hasReports else { return nil }
            policy = .none
        }
        subdomainPolicy = tags["sp"].flatMap { Policy(rawValue: $0.lowercased()) }
        isTesting = tags["t"]?.lowercased() == "y"
        isStrictDKIM = tags["adkim"]?.lowercased() == "s"
        isStrictSPF = tags["aspf"]?.lowercased() == "s"
        suffix = tags["psd"]?.lowercased()
        historic = ["pct", "rf", "ri"].filter { tags[$0] != nil }
    }
}

/// What the tree above a domain says of it: whose organization it is, and by which policy it is judged (RFC 9989 section 4.10).
package struct DMARCTree: Sendable, Equatable {
    package struct Found: Sendable, Equatable {
        package var domain: String
        package var record: DMARCRecord
    }

    package let organization: String
    /// The record that counts; nil where there is none.
    package let policy: Found?
    /// Names with several records, or with one that cannot be read; receivers take them for none.
    package let unusable: [String]
    /// Why the tree could not be walked to its end.
    package let failure: String?

    /// Questions at most for one domain.
    private static let mostLabels = 8

    /// Walks from a domain to the top: eight questions at most.
    package static func walk(_ domain: String, _ lookup: any NameLookup) async -> DMARCTree {
        var found: [Found] = []
        var unusable: [String] = []
        for name in names(domain) {
            switch await lookup.answer("_dmarc.\(name)", .text) {
            case .none: continue
            case .failed(let why):
                return DMARCTree(of: domain, found, unusable, failure: "_dmarc.\(name): \(why)")
            case .records(let texts):
                let records = texts.filter(DMARCRecord.isRecord)
                guard records.count == 1, let record = DMARCRecord(records[0]) else {
                    if !records.isEmpty { unusable.append(name) }
                    continue
                }
                found.append(Found(domain: name, record: record))
                if record.suffix == "n" || record.suffix == "y" && name != domain { return DMARCTree(of: domain, found, unusable) }
            }
        }
        return DMARCTree(of: domain, found, unusable)
    }

    /// The domain, and what is above it; of a long name only the last seven labels and fewer.
    static func names(_ domain: String) -> [String] {
        let labels = domain.split(separator: ".")
        let begin = labels.count >= mostLabels ? labels.count - mostLabels + 1 : 1
        return [domain] + (labels.isEmpty ? [] : (begin..<max(begin, labels.count)).map { labels[$0...].joined(separator: ".") })
    }

    private init(of domain: String, _ found: [Found], _ unusable: [String], failure: String? = nil) {
        organization = Self.organization(of: domain, found)
        // The domain's own, or the organization's, or that of the suffix above.
        policy =
            found.first { $0.domain == domain } ?? found.first { [organization] in $0.domain == organization }
            ?? found.last { $0.record.suffix == "y" }
        self.unusable = unusable
        self.failure = failure
    }

    private static func organization(of domain: String, _ found: [Found]) -> String {
        for entry in found {
            if entry.record.suffix == "n" { return entry.domain }
            if entry.record.suffix == "y", entry.domain != domain {
                let below = domain.dropLast(entry.domain.count + 1).split(separator: ".").last
                return below.map { "\($0).\(entry.domain)" } ?? domain
            }
        }
        return found.last?.domain ?? domain
    }

    /// Whether a domain that SPF or DKIM has proven speaks for the From domain (section 4.4): the same, or of the same organization.
    package func isAligned(_ domain: String, with other: DMARCTree, proven: String, isStrict: Bool) -> Bool {
        domain == proven || !isStrict && organization == other.organization
    }
}
