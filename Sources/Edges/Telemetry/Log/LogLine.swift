import Logging
import Text

/// One event as a line of text, with control characters escaped.
struct LogLine {
    /// Milliseconds since 1970.
    var time: Int64
    var level: Logger.Level
    var message: String
    var label: String
    var metadata: Logger.Metadata

    /// Time, level, message, `key=value` sorted by key.
    var human: String {
        var out = Timestamp.text(time) + " "
        let name = level.rawValue.uppercased()
        out += name + String(repeating: " ", count: max(0, 8 - name.count) + 1)
        LogText.append(message, to: &out)
        for (key, value) in flattened() {
            out += " "
            LogText.append(key, to: &out)
            out += "="
            let text = value.plain
            if LogText.needsQuotes(text) { out.appendJSONString(text) } else { out += text }
        }
        return out
    }

    /// An object with `ts`, `level`, `message`, `label` and the metadata beside them; a key of metadata that is one of
    /// these four gets `metadata.` in front.
    var json: String {
        var out = "{\"ts\":\"\(Timestamp.text(time))\",\"level\":\"\(level.rawValue)\",\"message\":"
        out.appendJSONString(message)
        out += ",\"label\":"
        out.appendJSONString(label)
        for (key, value) in flattened() {
            out += ","
            out.appendJSONString(["ts", "level", "message", "label"].contains(key) ? "metadata." + key : key)
            out += ":"
            value.appendJSON(to: &out)
        }
        return out + "}"
    }

    /// Metadata without dictionaries: `{a: {b: 1}}` becomes `a.b: 1`. Keys are unique and sorted.
    private func flattened() -> [(key: String, value: Logger.MetadataValue)] {
        var flat: [String: Logger.MetadataValue] = [:]
        func add(_ metadata: Logger.Metadata, prefix: String) {
            for (key, value) in metadata {
                if case .dictionary(let inner) = value, !inner.isEmpty {
                    add(inner, prefix: prefix + key + ".")
                } else {
                    flat[prefix + key] = value
                }
            }
        }
        add(metadata, prefix: "")
        return flat.sorted { $0.key < $1.key }
    }
}

extension Logger.MetadataValue {
    fileprivate var plain: String {
        switch self {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): "[" + values.map(\.plain).joined(separator: ", ") + "]"
        case .dictionary(let values):
            "{" + values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.plain)" }.joined(separator: ", ") + "}"
        }
    }

    /// Numbers and truth values stay what they are; everything else becomes a string.
    fileprivate func appendJSON(to out: inout String) {
        switch self {
        case .string(let text): out.appendJSONString(text)
        case .stringConvertible(let value):
            switch value {
            case let value as any BinaryInteger: out += "\(value)"
            case let value as Double where value.isFinite: out += "\(value)"
            case let value as Bool: out += "\(value)"
            default: out.appendJSONString(value.description)
            }
        case .array(let values):
            out += "["
            for (index, value) in values.enumerated() {
                if index > 0 { out += "," }
                value.appendJSON(to: &out)
            }
            out += "]"
        case .dictionary(let values):
            out += "{"
            for (index, (key, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { out += "," }
                out.appendJSONString(key)
                out += ":"
                value.appendJSON(to: &out)
            }
            out += "}"
        }
    }
}
