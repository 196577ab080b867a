import Model
import Policy
import Text
import Yams

/// Reads the operator's rules for providers' responses (`worker.responses`): a list of mappings, in order. Every unknown key and
/// bad value is refused with its line and what is allowed.
struct ResponseRuleFile {
    /// Rules at most: each response of a provider is compared with all of them.
    static let most = 500

    private var file: YAMLFile
    private var rules: [ResponseRule] = []
    private var warnings: [String] = []

    /// The rules of a file, or what is wrong with it.
    static func read(_ path: String) -> (rules: [ResponseRule], problems: [SettingsError.Problem], warnings: [String]) {
        var reader = ResponseRuleFile(file: YAMLFile(name: path))
        if let root = reader.file.read() { reader.take(root) }
        return (reader.rules, reader.file.problems, reader.warnings)
    }

    private init(file: YAMLFile) { self.file = file }

    private mutating func take(_ root: Node) {
        guard let items = root.sequence else {
            return file.refuse(file.place(root), "", "must be a list of rules, each beginning with '- '")
        }
        guard items.count <= Self.most else {
            return file.refuse(file.place(root), "", "has \(items.count) rules; allowed: \(Self.most) at most")
        }
        for item in items {
            guard let mapping = item.mapping, !mapping.isEmpty else {
                file.refuse(file.place(item), "", "is not a rule; it needs \(ResponseRuleFields.needs)")
                continue
            }
            guard var fields = fields(of: mapping, at: file.place(item)) else { continue }
            if let rule = fields.rule() { rules.append(rule) }
            file.problems += fields.problems
            if let warning = fields.warning { warnings.append(warning) }
        }
    }

    /// The fields of a rule; nil if a key is unknown or a value is not text.
    private mutating func fields(of mapping: Node.Mapping, at start: String) -> ResponseRuleFields? {
        var fields = ResponseRuleFields(place: start)
        var isWhole = true
        for (keyNode, node) in mapping {
            let place = file.place(keyNode)
            let line = keyNode.mark?.line ?? 0
            guard let name = keyNode.scalar?.string, let key = ResponseRuleFields.Key(rawValue: name) else {
                file.refuse(place, keyNode.scalar?.string ?? "", Self.advice(keyNode.scalar?.string ?? ""))
                isWhole = false
                continue
            }
            if node.isNothing { continue }
            if let scalar = node.scalar {
                fields.values[key] = ResponseRuleFields.Value(texts: [scalar.string], place: place, line: line)
            } else if key.isList, let items = node.sequence, !items.isEmpty, items.allSatisfy({ $0.scalar != nil }) {
                fields.values[key] = ResponseRuleFields.Value(
                    texts: items.compactMap(\.scalar?.string), place: place, line: line)
            } else {
                file.refuse(place, name, key.isList ? "must be one value or a list of values" : "must be one value")
                isWhole = false
            }
        }
        return isWhole ? fields : nil
    }

    private static func advice(_ name: String) -> String {
        let keys = ResponseRuleFields.Key.allCases.map(\.rawValue)
        if let near = NearestName.of(name, among: keys) { return "unknown key; did you mean \(near)?" }
        return "unknown key; allowed here: \(keys.joined(separator: ", "))"
    }
}
