/// How far one dispatch of a batch has come, recipient by recipient.
package struct Marks: Sendable, Equatable {
    /// How far a recipient has come: the message is not started, may have been sent, or has its result.
    package enum Mark: Sendable { case notStarted, started, done }

    let bytes: [UInt8]

    package subscript(index: Int) -> Mark {
        guard bytes.indices.contains(index) else { return .notStarted }
        return switch bytes[index] {
        case 0: .notStarted
        case UInt8(ascii: "d"): .done
        // Any other byte counts as started too: the message may have been sent.
        default: .started
        }
    }
}

/// Ranges of recipients of a batch; most groups are one range.
enum IndexRange {
    /// First recipient and number of recipients of each range.
    /// - Parameter indexes: ascending; repeated ones count once.
    static func words(_ indexes: some Sequence<Int>) -> [RedisArgument] {
        var words: [RedisArgument] = []
        var start = 0
        var end = 0
        for index in indexes where index != end - 1 || start == end {
            if index != end || start == end {
                if start < end { words += [RedisArgument(start), RedisArgument(end - start)] }
                start = index
            }
            end = index + 1
        }
        if start < end { words += [RedisArgument(start), RedisArgument(end - start)] }
        return words
    }
}
