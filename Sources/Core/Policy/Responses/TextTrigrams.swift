import Text

/// Which runs of three bytes a text has, in small letters: a table of 1,024 bits, so that most of many patterns are ruled out by a look
/// at some bits. A bit that is set may be another run's.
struct TextTrigrams: Sendable {
    private var bits = [UInt64](repeating: 0, count: 16)

    init(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            Self.each(bytes) { place in bits[place >> 6] |= 1 << UInt64(place & 63) }
        }
    }

    func contains(_ places: [Int]) -> Bool {
        places.allSatisfy { bits[$0 >> 6] & 1 << UInt64($0 & 63) != 0 }
    }

    /// The places of the runs of some bytes, at most four of them.
    static func places(of bytes: [UInt8]) -> [Int] {
        var places: [Int] = []
        bytes.withUnsafeBufferPointer { each($0) { places.append($0) } }
        return places.count <= 4 ? places : [0, 1, 2, 3].map { places[$0 * (places.count - 1) / 3] }
    }

    private static func each(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (Int) -> Void) {
        guard bytes.count >= 3 else { return }
        var run = UInt32(bytes[0].lowercased) << 8 | UInt32(bytes[1].lowercased)
        for index in 2..<bytes.count {
            run = (run << 8 | UInt32(bytes[index].lowercased)) & 0xff_ffff
            body(Int((run &* 0x9e37_79b1) >> 22))
        }
    }
}
