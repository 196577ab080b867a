import Telemetry
import Text

/// One key of the configuration, as it is documented.
struct SettingKey: Sendable {
    /// How much of its value an error may show.
    enum Display: Sendable {
        case whole
        /// User information and query are left out.
        case url
        case nothing
    }

    /// Dots between sections; `*` stands for a name that the operator chooses.
    let name: String
    let type: String
    /// The default as it is written in a file; nil where there is none or it cannot be written.
    let defaultText: String?
    /// The default in words, where `defaultText` cannot say it.
    let shownDefault: String
    let allowed: String
    let meaning: String
    let display: Display
    let isList: Bool
    /// The value is one that the setting takes.
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
        switch display {
        case .whole: "'\(value.prefix(80))\(value.count > 80 ? "…" : "")'"
        case .url: "'\(ParsedURL.withoutSecrets(value))'"
        case .nothing: "the value (not shown)"
        }
    }
}

/// A key with the Swift type of its value.
struct Setting<Value: Sendable>: Sendable {
    let key: SettingKey
    /// Reads the value; a list has several texts. nil: not allowed.
    let parse: @Sendable ([String]) -> Value?

    init(
        _ name: String, type: String, default defaultText: String? = nil, shown: String? = nil, allowed: String,
        _ meaning: String, display: SettingKey.Display = .whole, list parse: @escaping @Sendable ([String]) -> Value?
    ) {
        key = SettingKey(
            name: name, type: type, defaultText: defaultText,
            shownDefault: shown ?? defaultText.map { "`\($0)`" } ?? "",
            allowed: allowed, meaning: meaning, display: display, isList: type == "list",
            isAllowed: { parse($0) != nil })
        self.parse = parse
    }

    init(
        _ name: String, type: String, default defaultText: String? = nil, shown: String? = nil, allowed: String,
        _ meaning: String, display: SettingKey.Display = .whole, parse: @escaping @Sendable (String) -> Value?
    ) {
        self.init(
            name, type: type, default: defaultText, shown: shown, allowed: allowed, meaning, display: display,
            list: { texts in texts.first.flatMap(parse) })
    }
}
