extension CompiledTemplate {
    /// Adds text of the template, as far as possible in the form in which it goes out.
    mutating func appendLiteral(_ text: [UInt8], as form: OutputForm) {
        switch form.body {
        case .plain:
            switch form.language {
            case .header, .headerField:
                var header: [UInt8] = []
                text.withUnsafeBufferPointer { header.append($0, as: .header) }
                add(header) { .literal($0, $1) }
            // The lines of a form in a settings file are no part of its values, which write a line end as %0A.
            case .form: add(text.filter { $0 != 0x0a && $0 != 0x0d }) { .literal($0, $1) }
            case .html, .json, .none, .xml: add(text) { .literal($0, $1) }
            }
        case .wire:
            var wire: [UInt8] = []
            text.withUnsafeBufferPointer { wire.append($0, as: .wire) }
            if wire.first == UInt8(ascii: ".") {
                add(wire) { .dotLiteral($0, $1) }
            } else {
                add(wire) { .literal($0, $1) }
            }
        case .quoted: appendQuotedLiteral(text)
        }
    }

    /// Only the text up to the first line end depends on the values before it.
    private mutating func appendQuotedLiteral(_ text: [UInt8]) {
        var rest = text[...]
        if !segments.isEmpty {
            let head = text.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.count
            add(Array(text[..<head])) { .quotedLiteral($0, $1) }
            rest = text[head...]
        }
        var quoted: [UInt8] = []
        Array(rest).withUnsafeBufferPointer { quoted.append($0, as: .quoted) }
        add(quoted) { .literal($0, $1) }
    }

    private mutating func add(_ bytes: [UInt8], as segment: (UInt32, UInt32) -> Segment) {
        guard !bytes.isEmpty else { return }
        let start = UInt32(literals.count)
        literals.append(contentsOf: bytes)
        segments.append(segment(start, UInt32(literals.count)))
    }
}
