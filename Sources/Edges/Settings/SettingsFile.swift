import Yams

/// Reads `flotilla.yaml`: finds the keys of the table in it, each with its line, and refuses everything else.
struct SettingsFile {
    private let file: YAMLFile
    private var source = SettingsSource()

    private init(_ file: YAMLFile) { self.file = file }

    static func read(_ path: String) -> SettingsSource {
        var yaml = YAMLFile(name: path)
        let root = yaml.read()
        var file = SettingsFile(yaml)
        file.source.problems = yaml.problems
        if let root { file.take(root) }
        return file.source
    }

    static func read(_ section: Node, of yaml: YAMLFile) -> SettingsSource {
        var file = SettingsFile(yaml)
        file.take(section)
        return file.source
    }

    private mutating func take(_ root: Node) {
        if let mapping = root.mapping {
            walk(mapping, [])
        } else {
            source.refuse(
                file.place(root), "", "must hold sections: \(SettingsSchema.children(of: []).joined(separator: ", "))")
        }
    }

    private mutating func walk(_ mapping: Node.Mapping, _ section: [String]) {
        for (keyNode, node) in mapping {
            guard let name = keyNode.scalar?.string else {
                source.refuse(file.place(keyNode), section.joined(separator: "."), "a key must be text")
                continue
            }
            // A key may be written as the docs name it, `ledger.keep: 400d`; names that operators choose have dots of their own.
            let isWhole = section.isEmpty && SettingsSchema.isPlainKey(name)
            var path = isWhole ? name.split(separator: ".").map(String.init) : section + [name]
            if let replacement = DeprecatedKeys.replacement(of: path) {
                source.warn(
                    file.place(keyNode), deprecated: path.joined(separator: "."), replacement: replacement.joined(separator: "."))
                path = replacement
            }
            let full = path.joined(separator: ".")
            let match = SettingsSchema.match(path)
            if case .unknown = match {
                // The value is not shown: a misspelt key may hold a password.
                source.refuse(file.place(keyNode), full, SettingsSchema.advice(path))
                continue
            }
            if let problem = SettingsSchema.problem(withNamesOf: path) {
                source.refuse(file.place(keyNode), full, problem)
                continue
            }
            if path.count == 2, section == ["providers"] { source.providers[name] = file.place(keyNode) }
            if path.count == 2, section == ["domains"] { source.domains[name] = file.place(keyNode) }
            if path.count == 3, section == ["tracker", "webhooks"] { source.webhooks[name] = file.place(keyNode) }
            if path.count == 3, section == ["tracker", "domains"], node.isNothing {
                source.refuse(file.place(keyNode), full, "is empty; give it an address, or leave it out")
            }
            if case .key(let key) = match {
                take(node, path, key, file.place(keyNode))
            } else if let mapping = node.mapping {
                walk(mapping, path)
            } else if !node.isNothing {
                let children = SettingsSchema.children(of: path).joined(separator: ", ")
                source.refuse(file.place(keyNode), full, "is a section; write below it, indented: \(children)")
            }
        }
    }

    private mutating func take(_ node: Node, _ path: [String], _ key: SettingKey, _ place: String) {
        if node.isNothing { return }
        if let scalar = node.scalar {
            source.add(SettingsEntry(path: path, key: key, texts: [scalar.string], place: place))
        } else if key.form.isList, let items = node.sequence, items.allSatisfy({ $0.scalar != nil }) {
            source.add(SettingsEntry(path: path, key: key, texts: items.compactMap(\.scalar?.string), place: place))
        } else {
            source.refuse(
                place, path.joined(separator: "."), key.form.isList ? "must be a list of names" : "must be one value")
        }
    }
}
