/// A place in a header field of the mailing's own: between `<` and `>` stands an address of the web or of mail, as in List-Unsubscribe
/// (RFC 2369 section 2), and elsewhere text.
struct HeaderPlace: PlaceMachine {
    /// The URL that is written; nil outside of angle brackets.
    private var url: URLPlace?

    mutating func advance(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "<"): url = URLPlace()
        case UInt8(ascii: ">"): url = nil
        default: url?.advance(byte)
        }
    }

    var place: ValuePlace { url?.place ?? .text }

    mutating func advanceValue() { url?.advanceValue() }
}
