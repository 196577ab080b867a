import Text

/// Matches paths of a file with the keys of the table.
enum SettingsSchema {
    enum Match {
        case key(SettingKey)
        /// A section, with keys below it.
        case section
        case unknown
    }

    static func match(_ path: [String]) -> Match {
        var isSection = false
        for key in SettingsTable.keys {
            let components = key.components
            guard components.count >= path.count, zip(components, path).allSatisfy({ $0 == "*" || $0 == $1 }) else {
                continue
            }
            if components.count == path.count { return .key(key) }
            isSection = true
        }
        return isSection ? .section : .unknown
    }

    /// Whether a name is a whole key of the table, or a deprecated one, without names that operators choose.
    static func isPlainKey(_ name: String) -> Bool {
        guard name.contains("."), !name.contains("*") else { return false }
        if DeprecatedKeys.replacement(of: name.split(separator: ".").map(String.init)) != nil { return true }
        return SettingsTable.keys.contains { $0.name == name }
    }

    /// The names in a section, in the order of the table; `*` where the operator chooses them.
    static func children(of path: some Collection<String>) -> [String] {
        var names: [String] = []
        for key in SettingsTable.keys {
            let components = key.components
            guard components.count > path.count, zip(components, path).allSatisfy({ $0 == "*" || $0 == $1 }) else {
                continue
            }
            if !names.contains(components[path.count]) { names.append(components[path.count]) }
        }
        return names
    }

    /// The error text for an unknown path.
    static func advice(_ path: [String]) -> String {
        guard let name = path.last else { return "" }
        let section = path.dropLast()
        let siblings = children(of: section)
        if let near = NearestName.of(name, among: siblings) {
            return "unknown key; did you mean \((section + [near]).joined(separator: "."))?"
        }
        // A section and its key in one name: misspelt, or with names that the operator chose.
        let parts = name.split(separator: ".").map(String.init)
        if section.isEmpty, parts.count > 1 {
            if case .key = match(parts) { return "unknown key; write it in sections: \(nested(parts))" }
            let plain = SettingsTable.keys.map(\.name).filter { !$0.contains("*") }
            if let near = NearestName.of(name, among: plain) { return "unknown key; did you mean \(near)?" }
        }
        // A known key in another section, or in none.
        let elsewhere = SettingsTable.keys.first { $0.components.last == name && !$0.components.contains("*") }
        if let elsewhere { return "unknown key; did you mean \(elsewhere.name)?" }
        return "unknown key; allowed here: \(siblings.joined(separator: ", "))"
    }

    /// `providers: {main: {url: …}}`.
    private static func nested(_ parts: [String]) -> String {
        parts.dropLast().map { "\($0): {" }.joined() + "\(parts[parts.count - 1]): …" + String(repeating: "}", count: parts.count - 1)
    }

    /// The error in a name that the operator chose, in a path that matches the table; nil if there is none.
    static func problem(withNamesOf path: [String]) -> String? {
        switch path.first {
        case "providers": problem(withProvider: path)
        case "domains": path.count > 1 ? problem(withDomain: path[1].utf8) : nil
        case "tracker" where path.count > 2 && path[1] == "webhooks": problem(withName: path[2].utf8, of: "webhook")
        case "tracker" where path.count > 2 && path[1] == "domains":
            HostName.isPattern(path[2]) ? nil : "is no domain of senders; write example.com, or \"*.example.com\" for all below it"
        default: nil
        }
    }

    private static func problem(withName name: String.UTF8View, of what: String) -> String? {
        let isName = name.allSatisfy { byte in (byte.isLetterOrDigit && !(65...90).contains(byte)) || "-_".utf8.contains(byte) }
        if isName, (1...64).contains(name.count), name.first?.isLetterOrDigit == true { return nil }
        return "a \(what)'s name has 1 to 64 of a-z, 0-9, - and _, and starts with a letter or digit"
    }

    private static func problem(withDomain name: String.UTF8View) -> String? {
        let isName = name.allSatisfy { byte in
            (byte.isLetterOrDigit && !(65...90).contains(byte)) || "-_.".utf8.contains(byte)
        }
        if isName, (1...253).contains(name.count), name.first?.isLetterOrDigit == true { return nil }
        return "a name below domains has 1 to 253 of a-z, 0-9, -, _ and ., and starts with a letter or digit"
    }

    private static func problem(withProvider path: [String]) -> String? {
        if path.count > 1, let problem = problem(withName: path[1].utf8, of: "provider") { return problem }
        if path.count > 3, path[2] == "headers" {
            let isToken = path[3].utf8.allSatisfy { $0.isLetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
            guard isToken, !path[3].isEmpty else { return "is not the name of a header field (RFC 9110, section 5.6.2)" }
        }
        return nil
    }
}
