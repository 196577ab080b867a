import Model
import Text

/// Puts values into rows of CSV or NDJSON.
struct SyntheticWriter: Sendable {
    private let isCSV: Bool
    private let columns: [String]
    /// NDJSON: what stands before each value: `{"id":`, `,"email":`.
    private let heads: [[UInt8]]

    init(format: RecipientSource.Format, columns: [String]) {
        isCSV = format == .csv
        self.columns = columns
        heads = columns.enumerated().map { Array("\($0.offset == 0 ? "{" : ",")\"\($0.element)\":".utf8) }
    }

    /// A value as it stands in the file, with the quotation marks that it needs.
    func encoded(_ value: String) -> [UInt8] {
        if isCSV { return Array(CSVValue.encoded(value).utf8) }
        var writer = JSONWriter()
        writer.string(value.utf8)
        return writer.bytes
    }

    func appendHeader(to out: inout [UInt8]) {
        guard isCSV else { return }
        out.append(contentsOf: columns.joined(separator: ",").utf8)
        out.append(UInt8(ascii: "\n"))
    }

    /// The first line of a text names these columns in their order.
    func hasColumns(of text: [UInt8]) -> Bool {
        var header: [UInt8] = []
        appendHeader(to: &header)
        guard !isCSV else { return text.starts(with: header) }
        var rest = text.prefix { $0 != UInt8(ascii: "\n") }
        for head in heads {
            guard let start = rest.firstRange(of: head) else { return false }
            rest = rest[start.upperBound...]
        }
        return text.starts(with: heads.first ?? [])
    }

    func begin(_ column: Int, _ out: inout [UInt8]) {
        if !isCSV {
            out.append(contentsOf: heads[column])
        } else if column > 0 {
            out.append(UInt8(ascii: ","))
        }
    }

    func endRow(_ out: inout [UInt8]) {
        if !isCSV { out.append(UInt8(ascii: "}")) }
        out.append(UInt8(ascii: "\n"))
    }

    /// A value that needs no escapes.
    func appendPlain(_ value: [UInt8], _ out: inout [UInt8]) {
        if !isCSV { out.append(UInt8(ascii: "\"")) }
        out.append(contentsOf: value)
        if !isCSV { out.append(UInt8(ascii: "\"")) }
    }

    func appendNumber(_ value: Int, _ out: inout [UInt8]) {
        var rest = value
        let start = out.count
        repeat {
            out.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        out[start...].reverse()
    }

    /// Eight letters and digits that are not easily confused.
    func appendCoupon(_ bits: UInt64, _ out: inout [UInt8]) {
        if !isCSV { out.append(UInt8(ascii: "\"")) }
        Self.couponAlphabet.withUTF8Buffer { alphabet in
            for place in 0..<8 { out.append(alphabet[Int(bits >> UInt64(place * 5) & 31)]) }
        }
        if !isCSV { out.append(UInt8(ascii: "\"")) }
    }

    private static let couponAlphabet: StaticString = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
}
