import Configuration
import Text

/// Values by key, through swift-configuration: the environment before the file.
struct SettingsReader {
    private let reader: ConfigReader

    /// - Parameters:
    ///   - file: the entries of the file. `SettingsFile` has parsed it with its lines, so the library's file provider is not used.
    ///   - environment: `FLOTILLA_` variables.
    init(file: [SettingsEntry], environment: [String: String]) {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for entry in file {
            let content: ConfigContent = entry.key.form.isList ? .stringArray(entry.texts) : .string(entry.texts.joined())
            values[AbsoluteConfigKey(entry.path)] = ConfigValue(content, isSecret: entry.key.form.display != .whole)
        }
        let variables = EnvironmentVariablesProvider(
            environmentVariables: environment.filter { !$0.value.isEmpty }, secretsSpecifier: .all)
        reader = ConfigReader(providers: [
            variables.prefixKeys(with: ["flotilla"]), InMemoryProvider(name: "file", values: values),
        ])
    }

    /// The value of a key; nil if neither source has it.
    /// - Parameter names: the names for each `*` of the key, in order.
    func value<Value>(_ setting: Setting<Value>, _ names: String...) -> Value? { value(setting, names) }

    func read<Value>(_ setting: Setting<Value>, _ names: String..., into target: inout Value) {
        if let value = value(setting, names) { target = value }
    }

    func read<Value>(_ setting: Setting<Value>, _ names: String..., into target: inout Value?) {
        if let value = value(setting, names) { target = value }
    }

    private func value<Value>(_ setting: Setting<Value>, _ names: [String]) -> Value? {
        var names = names[...]
        let path = setting.key.components.map { $0 == "*" ? names.popFirst() ?? $0 : $0 }
        let isSecret = setting.key.form.display != .whole
        let texts =
            setting.key.form.isList
            ? reader.stringArray(forKey: ConfigKey(path), isSecret: isSecret)
            : reader.string(forKey: ConfigKey(path), isSecret: isSecret).map { [$0] }
        return texts.flatMap(setting.parse)
    }
}
