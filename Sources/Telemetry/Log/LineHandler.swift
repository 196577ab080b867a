package import Logging

/// The log handler: a line an event, on a terminal.
package struct LineHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: Log.Format
    private let terminal: Terminal

    package init(
        label: String, level: Logger.Level, format: Log.Format, terminal: Terminal,
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        logLevel = level
        self.format = format
        self.terminal = terminal
        self.metadataProvider = metadataProvider
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }
        let line = LogLine(
            time: Timestamp.now(), level: event.level, message: event.message.description, label: label, metadata: all)
        switch format {
        case .human: terminal.log(line.human)
        case .json: terminal.log(line.json)
        }
    }
}

/// One event as a line of text; nothing in it can start another line or move the cursor.
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
            if LogText.needsQuotes(text) { JSONText.append(text, to: &out) } else { out += text }
        }
        return out
    }

    /// An object with `ts`, `level`, `message`, `label` and the metadata beside them; a key of metadata that is one of
    /// these four gets `metadata.` in front.
    var json: String {
        var out = "{\"ts\":\"\(Timestamp.text(time))\",\"level\":\"\(level.rawValue)\",\"message\":"
        JSONText.append(message, to: &out)
        out += ",\"label\":"
        JSONText.append(label, to: &out)
        for (key, value) in flattened() {
            out += ","
            JSONText.append(["ts", "level", "message", "label"].contains(key) ? "metadata." + key : key, to: &out)
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
        case .string(let text): JSONText.append(text, to: &out)
        case .stringConvertible(let value):
            switch value {
            case let value as any BinaryInteger: out += "\(value)"
            case let value as Double where value.isFinite: out += "\(value)"
            case let value as Bool: out += "\(value)"
            default: JSONText.append(value.description, to: &out)
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
                JSONText.append(key, to: &out)
                out += ":"
                value.appendJSON(to: &out)
            }
            out += "}"
        }
    }
}

/// Text inside a line for people.
enum LogText {
    /// Appends text with each control character as an escape, so that what a provider answered cannot forge a line or
    /// steer the terminal.
    static func append(_ text: String, to out: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where isControl(scalar): out += "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
    }

    /// A value that would not be read back as one: empty, or with spaces, quotes, `=` or control characters.
    static func needsQuotes(_ text: String) -> Bool {
        text.isEmpty || text.unicodeScalars.contains { $0 == " " || $0 == "\"" || $0 == "=" || isControl($0) }
    }

    /// C0, DEL, C1, and the line and paragraph separators.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
