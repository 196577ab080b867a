import Yams

/// YAML that was read, or put together, as a text again.
enum YAMLText {
    /// An empty mapping where it cannot be written, which only a document that was never read could be.
    static func of(_ node: Node) -> String {
        (try? serialize(node: node, allowUnicode: true)) ?? "{}\n"
    }
}

extension Node {
    /// Puts a text at a path of keys, making mappings on the way.
    mutating func set(_ path: some Collection<String>, _ text: String) {
        guard let key = path.first else {
            self = Node(text)
            return
        }
        if mapping == nil { self = [:] }
        var child = self[key] ?? [:]
        child.set(path.dropFirst(), text)
        self[key] = child
    }
}
