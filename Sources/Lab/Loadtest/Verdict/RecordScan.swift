/// What the verdict needs from a line of a sink's record (docs/sink.md). It is read from bytes, since a run of an hour has millions of
/// lines.
struct RecordScan: Equatable {
    struct Position: Equatable {
        var mailing: String
        var batch: Int
        var index: Int
    }

    /// Microseconds since 1970.
    var begun: Int64
    var decided: Int64
    var isAccepted: Bool
    /// Nil where the message id is none of ours.
    var place: Position?

    private static let tab = UInt8(ascii: "\t")
    private static let columns = 12

    /// Reads a line without its end; nil for an incomplete line.
    init?(_ line: Slice<UnsafeBufferPointer<UInt8>>) {
        var ends: [Int] = []
        ends.reserveCapacity(Self.columns)
        for index in line.indices where line[index] == Self.tab { ends.append(index) }
        ends.append(line.endIndex)
        guard ends.count == Self.columns else { return nil }
        func column(_ number: Int) -> Slice<UnsafeBufferPointer<UInt8>> {
            line[(number == 0 ? line.startIndex : ends[number - 1] + 1)..<ends[number]]
        }
        guard let begun = Self.number(column(0)), let decided = Self.number(column(1)) else { return nil }
        let accepted = column(7)
        guard accepted.count == 1, let flag = accepted.first else { return nil }
        self.begun = begun
        self.decided = decided
        isAccepted = flag == UInt8(ascii: "1")
        place = isAccepted ? Self.place(column(5)) : nil
    }

    /// Of `mailing.batch.index`, with or without `@` and a domain behind it.
    static func place(_ id: Slice<UnsafeBufferPointer<UInt8>>) -> Position? {
        let end = id.firstIndex(of: UInt8(ascii: "@")) ?? id.endIndex
        let parts = id[..<end].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let batch = number(parts[1]), let index = number(parts[2]) else {
            return nil
        }
        return Position(mailing: String(decoding: parts[0], as: UTF8.self), batch: Int(batch), index: Int(index))
    }

    private static func number(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        guard (1...18).contains(text.count) else { return nil }
        var value: Int64 = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }
}
