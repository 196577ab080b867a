package import Customers
package import Settings
import Yams

/// Reads the definition of a segment from a file, in YAML or JSON.
package enum SegmentFile {
    /// - Throws: `SettingsError` for a file that is neither; whether it is a segment is not looked at.
    package static func read(_ path: String) throws(SettingsError) -> SegmentDefinition {
        var file = YAMLFile(name: path)
        let root = file.read()
        if root == nil, file.problems.isEmpty { file.refuse(path, "", "is empty; it has conditions, as docs/segments.md tells") }
        let definition = root.flatMap { read($0, &file) }
        guard let definition, file.problems.isEmpty else { throw SettingsError(problems: file.problems) }
        return definition
    }

    private static func read(_ node: Node, _ file: inout YAMLFile) -> SegmentDefinition? {
        switch node {
        case .scalar(let scalar): return .text(node.isNothing ? "" : scalar.string)
        case .sequence(let items): return .list(items.compactMap { read($0, &file) })
        case .mapping(let mapping):
            var values: [String: SegmentDefinition] = [:]
            for (keyNode, value) in mapping {
                guard let key = keyNode.scalar?.string else {
                    file.refuse(file.place(keyNode), "", "a key is a text")
                    return nil
                }
                values[key] = read(value, &file)
            }
            return .section(values)
        case .alias: return nil
        }
    }
}
