/// A place in JSON (RFC 8259): in a string or outside of one.
struct JSONPlace: PlaceMachine {
    private enum State { case outside, string, escape }

    private var state = State.outside

    mutating func advance(_ byte: UInt8) {
        switch (state, byte) {
        case (.outside, UInt8(ascii: "\"")): state = .string
        case (.string, UInt8(ascii: "\"")): state = .outside
        case (.string, UInt8(ascii: "\\")): state = .escape
        case (.escape, _): state = .string
        default: break
        }
    }

    var place: ValuePlace { state == .outside ? .jsonScalar : .text }

    mutating func advanceValue() {}
}
