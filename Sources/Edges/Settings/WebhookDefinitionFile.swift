import Model
import Receipts
import Text
import Yams

/// Reads what is to be known of a provider's webhooks that is not built in: how they are signed, and where in them what is. Every unknown
/// key and bad value is refused with its line and what is allowed.
struct WebhookDefinitionFile {
    private static let keys = [
        "form", "signature", "signed_at", "window", "event", "words", "provider_id", "provider_id_end", "message_id", "recipient", "time",
        "detail", "machine",
    ]
    private static let parts = "header NAME, member PATH, query NAME, text TEXT, body, url, form"
    /// Words, and paths of one key, at most.
    private static let most = 200

    private var file: YAMLFile

    /// The scheme of a file, or what is wrong with it.
    static func read(_ path: String) -> (scheme: ProviderScheme?, problems: [SettingsError.Problem]) {
        var reader = WebhookDefinitionFile(file: YAMLFile(name: path))
        let root = reader.file.read()
        let scheme = root.flatMap { reader.scheme($0) }
        if root == nil, reader.file.problems.isEmpty { reader.file.refuse(path, "", "is empty") }
        return (reader.file.problems.isEmpty ? scheme : nil, reader.file.problems)
    }

    private mutating func scheme(_ root: Node) -> ProviderScheme? {
        let nodes = section(root, "", keys: Self.keys)
        guard let signature = nodes["signature"].flatMap({ readSignature($0) }) else {
            if nodes["signature"] == nil { file.refuse(file.place(root), "signature", "is missing") }
            return nil
        }
        let forms: [String: ProviderScheme.Form] = ["json": .json, "form": .form]
        let form = nodes["form"].flatMap { one($0, "form", "json, form") { forms[$0] } } ?? .json
        let word = nodes["event"].map { texts($0, "event") } ?? []
        let words = nodes["words"].map { readWords($0) } ?? []
        guard !word.isEmpty, !words.isEmpty else {
            file.refuse(file.place(root), word.isEmpty ? "event" : "words", "is missing: it says what an event is called")
            return nil
        }
        var scheme = ProviderScheme(file.name, form, signature, word: word, words: words)
        scheme.signedAt = nodes["signed_at"].flatMap { part($0, "signed_at") }
        let windows: ClosedRange<Duration> = .seconds(1)...(.seconds(86_400))
        let window: Duration? = nodes["window"].flatMap { node in
            one(node, "window", "1s to 1d") { text in Duration(settingText: text).flatMap { windows.contains($0) ? $0 : nil } }
        }
        if let window { scheme.window = window.components.seconds }
        scheme.providerID = nodes["provider_id"].map { texts($0, "provider_id") } ?? []
        scheme.providerIDEnd = nodes["provider_id_end"].flatMap {
            one($0, "provider_id_end", "one sign") { $0.count == 1 ? $0.first : nil }
        }
        scheme.messageID = nodes["message_id"].map { texts($0, "message_id") } ?? []
        if scheme.providerID.isEmpty, scheme.messageID.isEmpty {
            file.refuse(file.place(root), "message_id", "is missing, and so is provider_id: an event has to name its message")
        }
        scheme.recipient = nodes["recipient"].map { texts($0, "recipient") } ?? []
        // Seconds are numbers, and RFC 3339 is not.
        for path in nodes["time"].map({ texts($0, "time") }) ?? [] { scheme.time += [.seconds(path), .text(path)] }
        scheme.detail = nodes["detail"].map { texts($0, "detail") } ?? []
        scheme.machine = nodes["machine"].flatMap { one($0, "machine", "a path") { $0.isEmpty ? nil : $0 } }
        return scheme
    }

    private mutating func readSignature(_ node: Node) -> WebhookSignature? {
        if node.scalar?.string == "basic" { return .basic }
        let nodes = section(node, "signature.", keys: ["hmac", "public_key", "token", "encoding", "in", "of"])
        if let token = nodes["token"] { return part(token, "signature.token").map { .token($0) } }
        let digests = ["sha1": WebhookSignature.Digest.sha1, "sha256": .sha256]
        let signed = nodes["of"].map { texts($0, "signature.of").compactMap { Self.part($0) } } ?? []
        guard let place = nodes["in"].flatMap({ part($0, "signature.in") }), !signed.isEmpty,
            signed.count == nodes["of"].map({ texts($0, "signature.of").count })
        else {
            file.refuse(file.place(node), "signature", "needs in, and of as a list; allowed there: \(Self.parts)")
            return nil
        }
        if let key = nodes["public_key"] {
            return one(key, "signature.public_key", "sha1, sha256") { digests[$0] }.map { .publicKey($0, signature: place, of: signed) }
        }
        let encodings = ["hexadecimal": WebhookSignature.Encoding.hexadecimal, "base64": .base64]
        let encoding = nodes["encoding"].flatMap { one($0, "signature.encoding", "hexadecimal, base64") { encodings[$0] } } ?? .hexadecimal
        guard let key = nodes["hmac"] else {
            file.refuse(file.place(node), "signature", "needs hmac, public_key or token, or is basic")
            return nil
        }
        return one(key, "signature.hmac", "sha1, sha256") { digests[$0] }.map { .hmac($0, encoding, signature: place, of: signed) }
    }

    private mutating func readWords(_ node: Node) -> [ProviderScheme.Word] {
        let kinds = ProviderReceipt.Kind.allCases.map(\.name).joined(separator: ", ")
        guard let items = node.sequence, items.count <= Self.most else {
            file.refuse(file.place(node), "words", "must be a list of {word, kind}, \(Self.most) at most")
            return []
        }
        return items.compactMap { item in
            let nodes = section(item, "words.", keys: ["word", "kind", "when", "is"])
            guard let word = nodes["word"]?.scalar?.string, let kindNode = nodes["kind"] else {
                file.refuse(file.place(item), "words", "needs word and kind")
                return nil
            }
            guard let kind = one(kindNode, "words.kind", kinds, { ProviderReceipt.Kind(name: $0) }) else { return nil }
            var found = ProviderScheme.Word(word, kind)
            found.path = nodes["when"]?.scalar?.string
            found.values = Set(nodes["is"].map { texts($0, "words.is") } ?? [])
            return found
        }
    }

    // What the keys share

    private mutating func section(_ node: Node, _ name: String, keys: [String]) -> [String: Node] {
        guard let mapping = node.mapping else {
            file.refuse(file.place(node), name, "must be a section with \(keys.joined(separator: ", "))")
            return [:]
        }
        var nodes: [String: Node] = [:]
        for (keyNode, node) in mapping {
            let key = keyNode.scalar?.string ?? ""
            if keys.contains(key) {
                if !node.isNothing { nodes[key] = node }
                continue
            }
            let near = NearestName.of(key, among: keys).map { "did you mean \($0)?" } ?? "allowed here: \(keys.joined(separator: ", "))"
            file.refuse(file.place(keyNode), name + key.prefix(80), "unknown key; \(near)")
        }
        return nodes
    }

    private mutating func one<Value>(_ node: Node, _ key: String, _ allowed: String, _ read: (String) -> Value?) -> Value? {
        if let value = node.scalar.flatMap({ read($0.string) }) { return value }
        file.refuse(file.place(node), key, "'\(node.scalar?.string.prefix(80) ?? "")' is not allowed; allowed: \(allowed)")
        return nil
    }

    private mutating func part(_ node: Node, _ key: String) -> WebhookSignature.Part? { one(node, key, Self.parts) { Self.part($0) } }

    /// One text, or a list of them.
    private mutating func texts(_ node: Node, _ key: String) -> [String] {
        let items = node.sequence.map(Array.init) ?? [node]
        let texts = items.compactMap { $0.scalar?.string }.filter { !$0.isEmpty }
        if texts.count != items.count || texts.count > Self.most {
            file.refuse(file.place(node), key, "must be a text, or a list of texts")
        }
        return texts
    }

    private static func part(_ text: String) -> WebhookSignature.Part? {
        let halves = text.split(separator: " ", maxSplits: 1).map(String.init)
        switch (halves.first, halves.count) {
        case ("header", 2): return .header(halves[1].lowercased())
        case ("member", 2): return .member(halves[1])
        case ("query", 2): return .query(halves[1])
        case ("text", 2): return .text(halves[1])
        case ("body", 1): return .body
        case ("url", 1): return .url
        case ("form", 1): return .form
        default: return nil
        }
    }
}
