import Text

/// One value as text, with its key and its place.
struct SettingsEntry {
    let path: [String]
    let key: SettingKey
    let texts: [String]
    /// `file:line`, or the name of an environment variable.
    let place: String

    var name: String { path.joined(separator: ".") }

    /// Name and value for a log, without secrets.
    var masked: String {
        let value = texts.joined(separator: ",")
        return switch key.form.display {
        case .whole: "\(name)=\(value.prefix(80))\(value.count > 80 ? "…" : "")"
        case .url: "\(name)=\(ParsedURL.withoutSecrets(value))"
        case .nothing: "\(name)=****"
        }
    }

    /// The error in the value; nil if it is allowed.
    var problem: SettingsError.Problem? {
        guard !key.isAllowed(texts) else { return nil }
        let value = texts.joined(separator: ", ")
        var text = "\(key.shown(value)) is not allowed; "
        text += "allowed: \(key.form.allowed.filter { $0 != "`" })"
        if key.form.type == "duration" { text += ", a whole number with ms, s, m, h or d" }
        return SettingsError.Problem(place: place, key: name, text: text)
    }
}

/// The contents of one source of settings: a file, or the environment.
struct SettingsSource {
    var entries: [SettingsEntry] = []
    /// In the order of the source.
    var problems: [SettingsError.Problem] = []
    /// A sentence for each deprecated key.
    var warnings: [String] = []
    /// The providers that the source names, each with the place of its first mention. A provider may have no keys here.
    var providers: [String: String] = [:]
    /// The entries of `domains:`, each with the place of its first mention.
    var domains: [String: String] = [:]
    /// The entries of `tracker.webhooks:`, each with the place of its first mention.
    var webhooks: [String: String] = [:]

    mutating func add(_ entry: SettingsEntry) {
        if entries.contains(where: { $0.path == entry.path }) {
            return refuse(entry.place, entry.name, "is set twice, perhaps in its section and with dots, or by a deprecated name")
        }
        entries.append(entry)
        if let problem = entry.problem { problems.append(problem) }
    }

    mutating func warn(_ place: String, deprecated old: String, replacement new: String) {
        warnings.append("\(place): \(old) is deprecated; write \(new)")
    }

    mutating func refuse(_ place: String, _ key: String, _ text: String) {
        problems.append(SettingsError.Problem(place: place, key: key, text: text))
    }
}
