import Text

/// A place in a form (`application/x-www-form-urlencoded`, URL Standard section 5): in a value that is JSON, or in any other. A template
/// may have its JSON percent-encoded or as it is.
struct FormPlace: PlaceMachine {
    private enum State { case name, valueStart, plain, json }

    private var state = State.name
    private var json = JSONPlace()
    /// The first digit of a percent-encoded byte; nil behind the sign itself.
    private var digit: UInt8?
    private var isEncoded = false

    mutating func advance(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): self = FormPlace()
        case UInt8(ascii: "=") where state == .name: state = .valueStart
        case UInt8(ascii: "%"): (isEncoded, digit) = (true, nil)
        case _ where isEncoded:
            guard let first = digit else { return digit = byte }
            isEncoded = false
            if let high = Self.value(first), let low = Self.value(byte) { take(high << 4 | low) }
        default: take(byte)
        }
    }

    private mutating func take(_ byte: UInt8) {
        switch state {
        case .name, .plain: break
        case .valueStart:
            if byte <= 0x20 || byte == UInt8(ascii: "+") { return }
            state = byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") ? .json : .plain
        case .json: json.advance(byte)
        }
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        UInt8(String(UnicodeScalar(digit)), radix: 16)
    }

    var place: ValuePlace {
        guard state == .json else { return .text }
        return json.place == .jsonScalar ? .jsonScalarInForm : .jsonInForm
    }

    mutating func advanceValue() {
        isEncoded = false
        if state == .valueStart { state = .plain }
    }
}
