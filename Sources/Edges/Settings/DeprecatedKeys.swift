/// Old names of keys. This version still reads them, and warns with the new name; `docs/changelog.md` lists them.
enum DeprecatedKeys {
    /// Old name to new name, with dots; no name that the operator chooses lies within them.
    private static let replacements = [
        "worker.answers": "worker.responses",
        "worker.poison": "worker.max_deliveries",
    ]

    /// The path that took the place of an old one; nil for every other path.
    static func replacement(of path: [String]) -> [String]? {
        replacements[path.joined(separator: ".")].map { $0.split(separator: ".").map(String.init) }
    }

    /// The path that took the place of the key of an environment variable; nil for every other variable.
    static func replacement(ofVariable variable: String) -> [String]? {
        replacements.first { self.variable($0.key) == variable }.map { $0.value.split(separator: ".").map(String.init) }
    }

    /// The variables with old names replaced. A variable with the new name wins.
    static func replacing(_ environment: [String: String]) -> [String: String] {
        var environment = environment
        for (old, new) in replacements {
            guard let value = environment.removeValue(forKey: variable(old)) else { continue }
            if environment[variable(new), default: ""].isEmpty { environment[variable(new)] = value }
        }
        return environment
    }

    private static func variable(_ name: String) -> String {
        EnvironmentName.prefix + name.split(separator: ".").map { EnvironmentName.part(String($0)) }.joined(separator: "_")
    }
}
