import Text

/// Reads the `FLOTILLA_` variables: finds the key of each, and refuses a variable that has none.
struct SettingsEnvironment {
    private let file: SettingsSource
    private var source = SettingsSource()

    private init(file: SettingsSource) { self.file = file }

    /// - Parameters:
    ///   - environment: `FLOTILLA_` variables; an empty one counts as not set.
    ///   - file: what the file holds, for the names of its providers and header fields.
    static func read(_ environment: [String: String], file: SettingsSource) -> SettingsSource {
        var reader = SettingsEnvironment(file: file)
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) { reader.take(variable, value) }
        return reader.source
    }

    private mutating func take(_ variable: String, _ value: String) {
        let name = variable.dropFirst(EnvironmentName.prefix.count)
        let replacement = value.isEmpty ? nil : DeprecatedKeys.replacement(ofVariable: variable)
        guard let path = replacement ?? plain(name) ?? provider(name) ?? domain(name) ?? webhook(name),
            case .key(let key) = SettingsSchema.match(path)
        else {
            let known = SettingsTable.keys.map(\.variable)
            let near = NearestName.of(variable.uppercased(), among: known)
            source.refuse(
                variable, "",
                near.map { "unknown variable; did you mean \($0)?" }
                    ?? "unknown variable; the configuration page lists the keys")
            return
        }
        if value.isEmpty { return }
        if path.count > 1, path[0] == "providers", source.providers[path[1]] == nil {
            source.providers[path[1]] = variable
        }
        if path.count == 4, path[1] == "webhooks", source.webhooks[path[2]] == nil { source.webhooks[path[2]] = variable }
        if replacement != nil { source.warn(variable, deprecated: "the variable", replacement: key.variable) }
        let texts = key.form.isList ? value.split(separator: ",").map { String($0.trimmed) } : [value]
        source.add(SettingsEntry(path: path, key: key, texts: texts, place: variable))
    }

    /// The path of a key without names of the operator's choice.
    private func plain(_ name: Substring) -> [String]? {
        SettingsTable.keys.first { !$0.components.contains("*") && $0.variable == EnvironmentName.prefix + name }?
            .components
    }

    /// The path of a key of a provider: of one in the file, or else of one that the variable itself names, in small
    /// letters.
    private func provider(_ name: Substring) -> [String]? {
        guard name.hasPrefix("PROVIDERS_") else { return nil }
        let rest = name.dropFirst("PROVIDERS_".count)
        let known = file.providers.keys.map { (name: $0, part: EnvironmentName.part($0) + "_") }
            .filter { rest.hasPrefix($0.part) }
        if let longest = known.max(by: { $0.part.count < $1.part.count }),
            let tail = tail(rest.dropFirst(longest.part.count), provider: longest.name)
        {
            return ["providers", longest.name] + tail
        }
        for (index, character) in zip(rest.indices, rest) where character == "_" {
            let name = rest[..<index].lowercased()
            guard SettingsSchema.problem(withNamesOf: ["providers", name]) == nil else { continue }
            // The search begins at the left, so that the longest key wins: CONNECT_TIMEOUT before TIMEOUT.
            if let tail = tail(rest[rest.index(after: index)...], provider: name) { return ["providers", name] + tail }
        }
        return nil
    }

    /// The path of a key of an entry of `domains:` that the file has.
    private func domain(_ name: Substring) -> [String]? {
        guard name.hasPrefix("DOMAINS_") else { return nil }
        let rest = name.dropFirst("DOMAINS_".count)
        for key in SettingsTable.keys where key.components.count == 3 && key.components[0] == "domains" {
            let ending = "_" + EnvironmentName.part(key.components[2])
            guard rest.hasSuffix(ending) else { continue }
            let part = rest.dropLast(ending.count)
            // The first one, so that the choice is always the same. Two with the same spelling are refused elsewhere.
            let entry = file.domains.keys.sorted().first { EnvironmentName.part($0) == part }
            if let entry { return ["domains", entry, key.components[2]] }
        }
        return nil
    }

    /// The path of a key of a webhook: of one in the file, or else of one that the variable itself names, in small letters.
    private func webhook(_ name: Substring) -> [String]? {
        guard name.hasPrefix("TRACKER_WEBHOOKS_") else { return nil }
        let rest = name.dropFirst("TRACKER_WEBHOOKS_".count)
        for key in SettingsTable.keys where key.components.count == 4 && key.components[1] == "webhooks" {
            let ending = "_" + EnvironmentName.part(key.components[3])
            guard rest.hasSuffix(ending) else { continue }
            let part = rest.dropLast(ending.count)
            let entry = file.webhooks.keys.sorted().first { EnvironmentName.part($0) == part } ?? part.lowercased()
            let path = ["tracker", "webhooks", entry, key.components[3]]
            return SettingsSchema.problem(withNamesOf: path) == nil ? path : nil
        }
        return nil
    }

    /// The end of the path, below the provider's name.
    private func tail(_ name: Substring, provider: String) -> [String]? {
        for key in SettingsTable.keys where key.components.count == 3 && key.components[0] == "providers" {
            if EnvironmentName.part(key.components[2]) == name { return [key.components[2]] }
        }
        guard name.hasPrefix("HEADERS_"), name.count > "HEADERS_".count else { return nil }
        let part = name.dropFirst("HEADERS_".count)
        let inFile = file.entries.first {
            $0.path.count == 4 && $0.path[1] == provider && EnvironmentName.part($0.path[3]) == part
        }
        let field = inFile?.path[3] ?? part.lowercased().map { $0 == "_" ? "-" : String($0) }.joined()
        let path = ["providers", provider, "headers", field]
        return SettingsSchema.problem(withNamesOf: path) == nil ? ["headers", field] : nil
    }
}
