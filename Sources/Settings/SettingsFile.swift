import Foundation
import Yams

/// Reads `flotilla.yaml`: finds the keys of the table in it, each with its line, and refuses everything else.
struct SettingsFile {
    private static let sizeLimit = 1 << 20

    private let name: String
    private var source = SettingsSource()

    private init(name: String) { self.name = name }

    static func read(_ path: String) -> SettingsSource {
        var file = SettingsFile(name: path)
        do {
            let data = try Data(contentsOf: URL(filePath: path))
            if data.count > sizeLimit {
                file.source.refuse(path, "", "is larger than \(sizeLimit) bytes, too large for a configuration")
            } else if let text = String(validating: data, as: UTF8.self) {
                file.parse(text)
            } else {
                file.source.refuse(path, "", "is not UTF-8")
            }
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            file.source.refuse(path, "", "there is no such file")
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            file.source.refuse(path, "", "may not be read")
        } catch {
            file.source.refuse(path, "", "cannot be read; is it a file?")
        }
        return file.source
    }

    private mutating func parse(_ text: String) {
        do {
            guard let root = try compose(yaml: text), !root.isEmpty else { return }
            if let mapping = root.mapping {
                walk(mapping, [])
            } else {
                source.refuse(
                    place(root), "", "must hold sections: \(SettingsSchema.children(of: []).joined(separator: ", "))")
            }
        } catch let error as YamlError {
            let (line, problem) = error.plain
            source.refuse(line.map { "\(name):\($0)" } ?? name, "", "no YAML: \(problem)")
        } catch {
            source.refuse(name, "", "no YAML")
        }
    }

    private mutating func walk(_ mapping: Node.Mapping, _ section: [String]) {
        for (keyNode, node) in mapping {
            guard let name = keyNode.scalar?.string else {
                source.refuse(place(keyNode), section.joined(separator: "."), "a key must be text")
                continue
            }
            let path = section + [name]
            let full = path.joined(separator: ".")
            let match = SettingsSchema.match(path)
            if case .unknown = match {
                // The value stays unsaid: under a misspelt key may stand a password.
                source.refuse(place(keyNode), full, SettingsSchema.advice(path))
                continue
            }
            if let problem = SettingsSchema.problem(withNamesOf: path) {
                source.refuse(place(keyNode), full, problem)
                continue
            }
            if path.count == 2, section == ["providers"] { source.providers[name] = place(keyNode) }
            if path.count == 2, section == ["domains"] { source.domains[name] = place(keyNode) }
            if case .key(let key) = match {
                take(node, path, key, place(keyNode))
            } else if let mapping = node.mapping {
                walk(mapping, path)
            } else if !node.isEmpty {
                let children = SettingsSchema.children(of: path).joined(separator: ", ")
                source.refuse(place(keyNode), full, "is a section; write below it, indented: \(children)")
            }
        }
    }

    private mutating func take(_ node: Node, _ path: [String], _ key: SettingKey, _ place: String) {
        if node.isEmpty { return }
        if let scalar = node.scalar {
            source.add(SettingsEntry(path: path, key: key, texts: [scalar.string], place: place))
        } else if key.isList, let items = node.sequence, items.allSatisfy({ $0.scalar != nil }) {
            source.add(SettingsEntry(path: path, key: key, texts: items.compactMap(\.scalar?.string), place: place))
        } else {
            source.refuse(
                place, path.joined(separator: "."), key.isList ? "must be a list of names" : "must be one value")
        }
    }

    private func place(_ node: Node) -> String { node.mark.map { "\(name):\($0.line)" } ?? name }
}

extension Node {
    /// Nothing was written, or null: the default holds.
    fileprivate var isEmpty: Bool {
        guard let scalar else { return false }
        return scalar.style != .doubleQuoted && scalar.style != .singleQuoted
            && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

extension YamlError {
    /// Line and problem, without the text of the file, which may hold passwords.
    fileprivate var plain: (line: Int?, problem: String) {
        switch self {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (mark.line, problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            (context.mark.line, "the key \(duplicates.joined(separator: ", ")) comes twice in one section")
        case .reader(let problem, _, _, _): (nil, problem)
        default: (nil, "it cannot be read")
        }
    }
}
