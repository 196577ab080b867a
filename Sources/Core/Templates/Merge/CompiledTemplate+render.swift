package import Model
import Text

/// One recipient's values, in the memory of its batch.
struct RowValues {
    let values: Bytes
    let ends: UnsafeBufferPointer<UInt32>
    /// The first cell of the row.
    let first: Int

    @inline(__always)
    subscript(column: Int) -> Bytes {
        let cell = first + column
        let start = cell == 0 ? 0 : Int(ends[cell - 1])
        return Bytes(rebasing: values[start..<Int(ends[cell])])
    }
}

extension Recipients {
    /// Lends the values of a row.
    @inline(__always)
    func withRow<Result>(_ row: Int, _ body: (RowValues) -> Result) -> Result {
        precondition(row >= 0 && row < count, "no such recipient in the batch")
        return bytes.withUnsafeBufferPointer { values in
            ends.withUnsafeBufferPointer { body(RowValues(values: values, ends: $0, first: row * width)) }
        }
    }
}

extension Bytes {
    /// A value is false when it is empty, `0`, or `false` in any case, with or without white space around it.
    var isTrue: Bool {
        guard let first else { return false }
        switch first {
        case ...0x20, UInt8(ascii: "0"), UInt8(ascii: "f"), UInt8(ascii: "F"), 0xc2, 0xcd, 0xd8, 0xe1...0xe3, 0xef...0xf3: break
        default: return true
        }
        let value = trimmed
        switch value.count {
        case 0: return false
        case 1: return value[0] != UInt8(ascii: "0")
        case 5: return !zip(value, "false".utf8).allSatisfy { $0 | 0x20 == $1 }
        default: return true
        }
    }
}

extension CompiledTemplate {
    /// Appends the template with the values of one recipient.
    /// - Parameter recipients: of the fields that the template was compiled for.
    package func render(_ recipients: Recipients, row: Int, into out: inout [UInt8]) {
        recipients.withRow(row) { render($0, width: recipients.width, into: &out) }
    }

    /// Renders the values of a row.
    /// - Parameter message: whose links are counted; nil for none.
    func render(_ row: RowValues, width: Int, _ message: TrackedMessage? = nil, into out: inout [UInt8]) {
        precondition(width >= self.width, "recipients of another mailing")
        literals.withUnsafeBufferPointer { literals in
            if isNested {
                var renderer = NestedRenderer(template: self, row: row, literals: literals, message: message)
                renderer.render(0..<segments.count, into: &out)
            } else {
                renderPlain(0..<segments.count, row, literals, message, into: &out)
            }
        }
    }

    private func renderPlain(
        _ range: Range<Int>, _ row: RowValues, _ literals: Bytes, _ message: TrackedMessage?, into out: inout [UInt8]
    ) {
        var index = range.lowerBound
        while index < range.upperBound {
            switch segments[index] {
            case .section(let column, let end) where !row[Int(column)].isTrue: index = Int(end)
            case .inverted(let column, let end) where row[Int(column)].isTrue: index = Int(end)
            case .link(let number):
                index = writeLink(number, at: index, message, into: &out) { range, out in
                    renderPlain(range, row, literals, message, into: &out)
                }
            case .pixel(let form):
                message?.writePixel(as: form, into: &out)
                index += 1
            case .tracker(let page, let form):
                message?.write(page, as: form, into: &out)
                index += 1
            case let segment:
                Self.write(segment, row, literals, into: &out)
                index += 1
            }
        }
    }

    /// Writes a link as the one that counts it.
    /// - Parameter render: writes the segments of its target.
    /// - Returns: where to go on: behind the link, or at its target as it was written.
    @inline(__always)
    func writeLink(
        _ number: UInt32, at index: Int, _ message: TrackedMessage?, into out: inout [UInt8],
        _ render: (Range<Int>, inout [UInt8]) -> Void
    ) -> Int {
        let link = links[Int(number)]
        guard let message, message.isCounted else { return link.origin }
        let start = out.count
        render(index + 1..<link.origin, &out)
        let isReplaced =
            switch link.form {
            case .signed(let form): message.replaceTarget(link.number, from: start, as: form, in: &out)
            case .short(let form): message.shortenTarget(link.number, from: start, as: form, in: &out)
            }
        return isReplaced ? link.end : link.origin
    }

    /// Writes a segment that is no jump.
    @inline(__always)
    static func write(_ segment: Segment, _ row: RowValues, _ literals: Bytes, into out: inout [UInt8]) {
        switch segment {
        case .literal(let start, let end):
            out.append(contentsOf: Bytes(rebasing: literals[Int(start)..<Int(end)]))
        case .dotLiteral(let start, let end):
            if out.last == UInt8(ascii: "\n") { out.append(UInt8(ascii: ".")) }
            out.append(contentsOf: Bytes(rebasing: literals[Int(start)..<Int(end)]))
        case .quotedLiteral(let start, let end):
            out.appendQuoted(Bytes(rebasing: literals[Int(start)..<Int(end)]))
        case .field(let column, let form): out.append(row[Int(column)], as: form)
        case .section, .inverted, .reference, .nestedSection, .nestedInverted, .link, .pixel, .tracker: break
        }
    }
}
