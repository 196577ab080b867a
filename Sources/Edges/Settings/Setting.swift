import Telemetry

/// One key of the configuration, as it is documented.
struct SettingKey: Sendable {
    /// How much of its value an error shows.
    enum Display: Sendable {
        case whole
        /// Without user information and query.
        case url
        case nothing
    }

    /// Sections with dots between; `*` stands for a name that the operator chooses.
    let name: String
    let type: String
    /// The default as a file would have it; nil if there is none or a file cannot have it.
    let defaultText: String?
    /// The default in words, where `defaultText` cannot say it.
    let shownDefault: String
    let allowed: String
    let meaning: String
    let display: Display
    /// The value is one that the setting takes.
    fileprivate(set) var isAllowed: @Sendable ([String]) -> Bool = { _ in true }

    /// - Parameters:
    ///   - defaultText: the default as a file would have it.
    ///   - shown: the default in words, where `defaultText` cannot say it.
    init(
        _ name: String, type: String, default defaultText: String? = nil, shown: String? = nil, allowed: String, _ meaning: String,
        display: Display = .whole
    ) {
        self.name = name
        self.type = type
        self.defaultText = defaultText
        shownDefault = shown ?? defaultText.map { "`\($0)`" } ?? ""
        self.allowed = allowed
        self.meaning = meaning
        self.display = display
    }

    var isList: Bool { type == "list" }

    var components: [String] { name.split(separator: ".").map(String.init) }

    /// The environment variable, with the `*` of the name in capitals: `FLOTILLA_PROVIDERS_<NAME>_URL`.
    var variable: String {
        var wildcards = 0
        let parts = components.map { component in
            guard component == "*" else { return EnvironmentName.part(component) }
            wildcards += 1
            return wildcards == 1 ? "<NAME>" : "<FIELD>"
        }
        return EnvironmentName.prefix + parts.joined(separator: "_")
    }

    /// A value as an error may show it.
    func shown(_ value: String) -> String {
        switch display {
        case .whole: "'\(value.prefix(80))\(value.count > 80 ? "…" : "")'"
        case .url: "'\(URLParts.withoutSecrets(value))'"
        case .nothing: "the value (not shown)"
        }
    }
}

/// A key with the Swift type of its value.
struct Setting<Value: Sendable>: Sendable {
    let key: SettingKey
    /// Reads the value; a list has several texts. Nil if it is not allowed.
    let parse: @Sendable ([String]) -> Value?

    init(_ key: SettingKey, list parse: @escaping @Sendable ([String]) -> Value?) {
        var key = key
        key.isAllowed = { parse($0) != nil }
        self.key = key
        self.parse = parse
    }

    init(_ key: SettingKey, parse: @escaping @Sendable (String) -> Value?) {
        self.init(key, list: { texts in texts.first.flatMap(parse) })
    }
}
