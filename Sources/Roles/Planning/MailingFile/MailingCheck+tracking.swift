import Model

extension MailingCheck {
    /// Bytes of a campaign parameter at most: it is in every link.
    private static let longestParameter = 200

    /// `tracking:` and `utm:`.
    mutating func tracking() -> MailingFile.Tracking {
        var tracking = MailingFile.Tracking()
        if let entry = entry("tracking"), case .mapping(let inner) = entry.value {
            tracking.isCounted = true
            tracking.unless = unless(inner, of: entry)
        } else if let text = text("tracking") {
            switch text.lowercased() {
            case "true", "yes", "on": tracking.isCounted = true
            case "false", "no", "off": tracking.isCounted = false
            default: report(entry("tracking"), "'\(text)' is not allowed; it is true, false or {unless: COLUMN}")
            }
        }
        if let entry = entry("utm") { tracking.campaign = campaign(entry) }
        if tracking.isCounted == false, let entry = entry("utm") {
            report(entry, at: entry.keyPlace, "is only used in links that are counted, and tracking is false; leave one of them out")
        }
        tracking.place = tracking.isCounted == true ? place("tracking") : place("utm")
        return tracking
    }

    /// The column of those who object.
    private mutating func unless(_ entries: [Entry], of parent: Entry) -> String? {
        for inner in entries where inner.key != "unless" {
            report(inner, key: "tracking.\(inner.key)", at: inner.keyPlace, "is no key of tracking, which has 'unless: COLUMN'")
        }
        guard let inner = entries.first(where: { $0.key == "unless" }) else {
            if entries.isEmpty { report(parent, "is empty; it is true, false or {unless: COLUMN}") }
            return nil
        }
        return scalar(inner, key: "tracking.unless")
    }

    private mutating func campaign(_ entry: Entry) -> [String: String] {
        guard case .mapping(let entries) = entry.value else {
            report(entry, "must be a mapping: {source: newsletter, medium: email, campaign: spring}")
            return [:]
        }
        let names = CampaignParameter.allCases.map(\.rawValue)
        var values: [String: String] = [:]
        for inner in entries {
            let key = "utm.\(inner.key)"
            guard names.contains(inner.key) else {
                report(inner, key: key, at: inner.keyPlace, "is no parameter; \(suggestion(inner.key, names, "they are"))")
                continue
            }
            guard let value = scalar(inner, key: key) else { continue }
            if value.utf8.count > Self.longestParameter { report(inner, key: key, "is longer than \(Self.longestParameter) bytes") }
            if value.contains("{{") { report(inner, key: key, "has merge fields in it; it is the same for all recipients") }
            values[inner.key] = value
        }
        return values
    }
}
