/// A place in XML 1.0: in a CDATA section (section 2.7) or outside of one.
struct XMLPlace: PlaceMachine {
    private static let begin = Array("<![CDATA[".utf8)
    private static let end = Array("]]>".utf8)

    private var isCDATA = false
    /// The bytes of the next delimiter that were read.
    private var matched = 0

    mutating func advance(_ byte: UInt8) {
        let delimiter = isCDATA ? Self.end : Self.begin
        if byte == delimiter[matched] {
            matched += 1
        } else if isCDATA, byte == UInt8(ascii: "]") {
            // `]]]>` ends a section as well: the last two brackets count.
        } else {
            matched = byte == delimiter[0] ? 1 : 0
        }
        guard matched == delimiter.count else { return }
        isCDATA.toggle()
        matched = 0
    }

    var place: ValuePlace { isCDATA ? .cdata : .text }

    mutating func advanceValue() { matched = 0 }
}
