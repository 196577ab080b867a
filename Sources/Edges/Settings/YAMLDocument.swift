package import Yams

/// Parses YAML. No other place calls the parser, so that every file of ours has the same bounds.
///
/// Anchors and aliases are refused: a few lines of them stand for billions of values.
package enum YAMLDocument {
    /// - Returns: nil for an empty document.
    package static func compose(_ text: String) throws(YAMLFault) -> Node? {
        // The parser compares the keys of a mapping, and an alias as a key would be compared with all that it stands for.
        guard !hasAliasedKeys(text) else { throw YAMLFault(.alias, mark: nil) }
        let (root, anchored): (Node?, Node?)
        do {
            let parser = try Parser(yaml: text)
            root = try parser.singleRoot()
            // Nodes know their anchors as long as there is the parser.
            anchored = withExtendedLifetime(parser) { root.flatMap(firstAnchored) }
        } catch let error as YamlError {
            throw YAMLFault(error)
        } catch {
            throw YAMLFault(.syntax("it cannot be read"), mark: nil)
        }
        if let anchored { throw YAMLFault(.alias, mark: anchored.mark) }
        return root
    }

    /// The first node that has an anchor. It stands before each alias of it, so that no alias is followed.
    private static func firstAnchored(_ node: Node) -> Node? {
        if node.anchor != nil { return node }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                if let found = firstAnchored(key) ?? firstAnchored(value) { return found }
            }
        case .sequence(let items):
            for item in items { if let found = firstAnchored(item) { return found } }
        case .scalar, .alias: break
        }
        return nil
    }

    /// The text may have aliases as keys, of anchors that hold anchors. Text in a block that looks like it is harmless below that many.
    private static func hasAliasedKeys(_ text: String) -> Bool {
        var anchors = 0
        var keys = 0
        var before: UInt8 = 0x0a
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            defer { before = byte }
            guard byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), before <= 0x20 || "[{,?:-".utf8.contains(before),
                let next = rest.first, next > 0x20
            else { continue }
            if byte == UInt8(ascii: "&") { anchors += 1 } else { keys += 1 }
            if anchors > 3, keys > 3, isKey(rest) { return true }
        }
        return false
    }

    /// A name that is followed by a colon.
    private static func isKey(_ text: Substring.UTF8View) -> Bool {
        let behind = text.drop { $0 > 0x20 && !",[]{}:".utf8.contains($0) }.drop { $0 == 0x20 || $0 == 0x09 }
        return behind.first == UInt8(ascii: ":")
    }
}

/// Why a text is no YAML that we read. It never repeats the text, which may hold passwords.
package struct YAMLFault: Error, Equatable, CustomStringConvertible {
    package enum Kind: Equatable {
        case syntax(String)
        case duplicateKeys([String])
        case tooDeep, alias
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
        case .alias: "has an anchor or alias (&name, *name), which are not read; write the value out, or put a text with & or * into quotes"
        }
    }
}
