import Telemetry
import Text

/// One key of the configuration, as it is documented.
struct SettingKey: Sendable {
    /// How much of its value an error shows.
    enum Display: Sendable {
        case whole
        /// A URL without user information and query.
        case url
        case nothing
    }

    /// How a value is written, and how it is documented.
    struct Form: Sendable {
        let type: String
        let allowed: String
        /// The default as a file would have it; nil if there is none or a file cannot have it.
        let defaultText: String?
        /// The default in words, where no value of a file expresses it.
        let shownDefault: String
        let display: Display

        init(type: String, allowed: String, default defaultText: String? = nil, shown: String? = nil, display: Display = .whole) {
            self.type = type
            self.allowed = allowed
            self.defaultText = defaultText
            shownDefault = shown ?? defaultText.map { "`\($0)`" } ?? ""
            self.display = display
        }

        var isList: Bool { type == "list" }
    }

    /// Sections with dots between; `*` stands for a name that the operator chooses.
    let name: String
    let meaning: String
    let form: Form
    /// Whether the setting takes the value.
    let isAllowed: @Sendable ([String]) -> Bool

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
        switch form.display {
        case .whole: "'\(value.prefix(80))\(value.count > 80 ? "…" : "")'"
        case .url: "'\(ParsedURL.withoutSecrets(value))'"
        case .nothing: "the value (not shown)"
        }
    }
}

/// A key with the Swift type of its value.
struct Setting<Value: Sendable>: Sendable {
    let key: SettingKey
    /// Reads the value, of which a list has several texts; nil for a value that is not allowed.
    let parse: @Sendable ([String]) -> Value?

    /// A setting of several texts where its form is a list, otherwise of one.
    init(_ name: String, _ meaning: String, _ form: SettingKey.Form, list parse: @escaping @Sendable ([String]) -> Value?) {
        key = SettingKey(name: name, meaning: meaning, form: form, isAllowed: { parse($0) != nil })
        self.parse = parse
    }

    /// A setting of one text.
    init(_ name: String, _ meaning: String, _ form: SettingKey.Form, parse: @escaping @Sendable (String) -> Value?) {
        self.init(name, meaning, form, list: { texts in texts.first.flatMap(parse) })
    }
}
