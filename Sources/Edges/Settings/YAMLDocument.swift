import Text
package import Yams

/// Parses YAML. No other place calls the parser, so that every file of ours has the same bounds.
///
/// Anchors and aliases are refused: a few lines of them stand for billions of values. So are tags of other programs, such as `!include`:
/// what they ask for is not done, and their text would be taken as it stands.
package enum YAMLDocument {
    /// - Returns: nil for an empty document.
    package static func compose(_ text: String) throws(YAMLFault) -> Node? {
        // The parser compares the keys of a mapping, and an alias in a key would be compared with all that it stands for.
        guard !mayHaveManyAliases(text) else { throw YAMLFault(.alias, mark: nil) }
        let (root, anchored) = try parse(text)
        if let anchored { throw YAMLFault(.alias, mark: anchored.mark) }
        if let root, let tagged = first(in: root, where: { !ownTags.contains($0.tag.description) }) {
            throw YAMLFault(.tag(tagged.tag.description), mark: tagged.mark)
        }
        return root
    }

    /// - Returns: the document, and its first anchored node.
    private static func parse(_ text: String) throws(YAMLFault) -> (root: Node?, anchored: Node?) {
        var text = text
        for _ in 0..<YAMLSurrogates.mostTexts {
            do {
                let parser = try Parser(yaml: text)
                let root = try parser.singleRoot()
                // Nodes know their anchors only while the parser exists.
                return (root, withExtendedLifetime(parser) { root.flatMap { first(in: $0) { $0.anchor != nil } } })
            } catch YamlError.scanner(_, YAMLSurrogates.problem, let mark, _) {
                guard let joined = YAMLSurrogates.joined(text, at: mark) else { throw YAMLFault(.noCharacter, mark: mark) }
                text = joined
            } catch let error as YamlError {
                throw YAMLFault(error)
            } catch {
                throw YAMLFault(.syntax("it cannot be read"), mark: nil)
            }
        }
        throw YAMLFault(.noCharacter, mark: nil)
    }

    /// The tags that a plain value, or its own type before it (`!!str`), has here: of YAML 1.2 section 10, and those of YAML 1.1 that the
    /// parser finds by itself.
    private static let ownTags = Set(
        ["str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge", "value"].map { "tag:yaml.org,2002:" + $0 })

    /// The first node of a kind, in the order of the text: an anchor stands before each alias of it, so that no alias is followed.
    private static func first(in node: Node, where matches: (Node) -> Bool) -> Node? {
        if matches(node) { return node }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                if let found = first(in: key, where: matches) ?? first(in: value, where: matches) { return found }
            }
        case .sequence(let items):
            for item in items { if let found = first(in: item, where: matches) { return found } }
        case .scalar, .alias: break
        }
        return nil
    }

    /// Whether the text may have an anchor and eight aliases. Fewer cost little, whatever they stand for, and are refused when they are
    /// found.
    private static func mayHaveManyAliases(_ text: String) -> Bool {
        var (anchors, aliases) = (0, 0)
        var before: UInt8 = 0x0a
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            defer { before = byte }
            guard byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), before <= 0x20 || "[{,?:-".utf8.contains(before), isName(rest)
            else { continue }
            if byte == UInt8(ascii: "&") { anchors += 1 } else { aliases += 1 }
            if anchors > 0, aliases > 7 { return true }
        }
        return false
    }

    /// A name of an anchor as the parser reads it: `&amp;` and `*bold*` are none.
    private static func isName(_ text: Substring.UTF8View) -> Bool {
        let behind = text.drop { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        guard behind.startIndex > text.startIndex else { return false }
        return behind.first.map { $0 <= 0x20 || $0 >= 0x80 || "?:,]}%@`".utf8.contains($0) } ?? true
    }
}

/// Why a text is no YAML that we read. It never repeats the text, which may hold passwords.
package struct YAMLFault: Error, Equatable, CustomStringConvertible {
    package enum Kind: Equatable {
        case syntax(String)
        case duplicateKeys([String])
        case tooDeep, alias
        /// An escape in a text that stands for no character.
        case noCharacter
        case tag(String)
    }

    package let kind: Kind
    /// From 1; nil where it is not known.
    package let line: Int?
    package let column: Int?

    init(_ kind: Kind, mark: Mark?) {
        self.kind = kind
        line = mark?.line
        column = mark?.column
    }

    fileprivate init(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            // The parser is recursive, and stops itself at a depth of 1000.
            let kind: Kind =
                problem.contains("nesting level") ? .tooDeep : problem.contains("undefined alias") ? .alias : .syntax(problem)
            self.init(kind, mark: mark)
        case .duplicatedKeysInMapping(let keys, let context): self.init(.duplicateKeys(keys), mark: context.mark)
        case .reader(let problem, _, _, _): self.init(.syntax(problem), mark: nil)
        default: self.init(.syntax("it cannot be read"), mark: nil)
        }
    }

    /// Without its place.
    package var description: String {
        switch kind {
        case .syntax(let problem):
            "not valid YAML: \(problem)"
                + (problem.contains("mapping values are not allowed") ? "; put a value with ': ' in it between quotation marks" : "")
        case .duplicateKeys(let keys): "not valid YAML: the key \(keys.joined(separator: ", ")) comes twice in one section"
        case .tooDeep: "not valid YAML: it is nested too deep"
        case .noCharacter:
            "not valid YAML: an escape here stands for no character; write both halves of a pair (\\ud83d\\ude00), or the character itself"
        case .tag(let name): "has the tag '\(name)', which is not supported; put a text that begins with ! into quotes"
        case .alias: "has an anchor or alias (&name, *name), which are not read; write the value out, or put a text with & or * into quotes"
        }
    }
}
