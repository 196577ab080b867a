import Model

/// Renders a template that looks into JSON values: Mustache's context stack, made anew for each message.
struct NestedRenderer {
    let template: CompiledTemplate
    let row: RowValues
    let literals: Bytes
    let message: TrackedMessage?
    /// The values of the enclosing sections, innermost last.
    private var stack: [StructuredValue] = []

    init(template: CompiledTemplate, row: RowValues, literals: Bytes, message: TrackedMessage?) {
        self.template = template
        self.row = row
        self.literals = literals
        self.message = message
    }

    mutating func render(_ range: Range<Int>, into out: inout [UInt8]) {
        var index = range.lowerBound
        while index < range.upperBound {
            switch template.segments[index] {
            case .section(let column, let end): index = row[Int(column)].isTrue ? index + 1 : Int(end)
            case .inverted(let column, let end): index = row[Int(column)].isTrue ? Int(end) : index + 1
            case .nestedInverted(let reference, let end): index = look(up: reference).isTrue ? Int(end) : index + 1
            case .nestedSection(let reference, let end):
                let value = look(up: reference)
                if case .list(let items, _) = value {
                    for item in items { render(index + 1..<Int(end), with: item, into: &out) }
                } else if value.isTrue {
                    render(index + 1..<Int(end), with: value, into: &out)
                }
                index = Int(end)
            case .reference(let reference, let form):
                let value = look(up: reference)
                let isJSON = value.isNested && form == .placed(.jsonScalar, .plain)
                value.written.withUnsafeBufferPointer { out.append($0, as: isJSON ? .verbatim : form) }
                index += 1
            case .link(let number):
                // A copy, for a renderer cannot lend itself twice; it is a few words.
                var target = self
                index = template.writeLink(number, at: index, message, into: &out) { target.render($0, into: &$1) }
            case .pixel(let form):
                message?.writePixel(as: form, into: &out)
                index += 1
            case .tracker(let page, let form):
                message?.write(page, as: form, into: &out)
                index += 1
            case let segment:
                CompiledTemplate.write(segment, row, literals, into: &out)
                index += 1
            }
        }
    }

    private mutating func render(_ range: Range<Int>, with value: StructuredValue, into out: inout [UInt8]) {
        stack.append(value)
        render(range, into: &out)
        stack.removeLast()
    }

    private func look(up index: UInt32) -> StructuredValue {
        let reference = template.references[Int(index)]
        guard let first = reference.path.first else { return stack.last ?? .null }
        for value in stack.reversed() {
            if let member = value.member(first) { return member.descend(reference.path.dropFirst()) }
        }
        guard let column = reference.column else { return .null }
        let field = Array(row[column])
        guard template.nestedColumns.contains(column) else { return .text(field) }
        let isText = template.kindsColumn.map { !ValueKinds.isNested(column, by: row[$0]) } ?? false
        return (isText ? .text(field) : StructuredValue(field: field)).descend(reference.columnPath)
    }
}
