import Settings
import Yams

/// The YAML of a mailing's file: its keys, values and their places, not yet judged.
struct MailingDocument {
    struct Place {
        var line: Int
        var column: Int
    }

    enum Value {
        case scalar(String, isBlock: Bool)
        /// Nothing behind the key, `~` or `null`.
        case null
        case mapping([Entry])
        /// Its items have no keys.
        case sequence([Entry])
    }

    struct Entry {
        var key: String
        var keyPlace: Place
        var value: Value
        var place: Place
    }

    let path: String
    let entries: [Entry]

    /// - Throws: `MailingFileError` when it is no YAML, or no mapping.
    init(_ text: String, path: String) throws(MailingFileError) {
        self.path = path
        func refuse(_ place: Place?, _ text: String) -> MailingFileError {
            MailingFileError(
                problems: [.init(file: path, line: place?.line, column: place?.column, key: "", text: text)])
        }
        let root: Node?
        do throws(YAMLFault) {
            root = try YAMLDocument.compose(text)
        } catch {
            throw refuse(error.line.map { Place(line: $0, column: error.column ?? 1) }, Self.explain(error))
        }
        guard let root, case let value = Self.value(root), case .mapping(let entries) = value else {
            throw refuse(
                root?.mark.map { Place(line: $0.line, column: $0.column) },
                "is no mailing; it needs keys such as 'name: Spring sale', a line each")
        }
        self.entries = entries
    }

    private static func value(_ node: Node) -> Value {
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain
            if isPlain, ["", "~", "null", "Null", "NULL"].contains(scalar.string) { return .null }
            return .scalar(scalar.string, isBlock: scalar.style == .literal || scalar.style == .folded)
        case .mapping(let mapping):
            return .mapping(
                mapping.map { key, value in
                    let keyPlace = place(key.mark)
                    let content = Self.value(value)
                    // The parser puts what is not there onto the next line.
                    var isNull = false
                    if case .null = content { isNull = true }
                    return Entry(
                        key: key.scalar?.string ?? "?", keyPlace: keyPlace, value: content,
                        place: isNull ? keyPlace : place(value.mark))
                })
        case .sequence(let items):
            return .sequence(items.map { Entry(key: "", keyPlace: place($0.mark), value: value($0), place: place($0.mark)) })
        case .alias: return .sequence([])
        }
    }

    private static func place(_ mark: Mark?) -> Place { Place(line: mark?.line ?? 1, column: mark?.column ?? 1) }

    private static func explain(_ fault: YAMLFault) -> String {
        switch fault.kind {
        case .tooDeep: "is nested too deep; a mailing needs two levels"
        case .duplicateKeys(let keys): "has the key '\(keys.joined(separator: "', '"))' twice; leave one"
        case .alias, .tag: fault.description
        case .syntax, .noCharacter: "is \(fault.description)"
        }
    }
}
