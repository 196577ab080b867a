/// A place in a URL (RFC 3986 section 3) that a template writes.
struct URLPlace: Hashable {
    private enum State {
        /// Nothing yet, or only white space.
        case begin
        /// Text that may be a scheme, or the begin of a relative path.
        case schemeOrPath
        /// Behind `scheme:`.
        case opaque
        /// Behind a first slash, which a second makes the begin of an authority.
        case slash
        case authority
        /// Behind a value that may be a whole URL.
        case value
        case path
        /// Query or fragment.
        case query
    }

    private var state = State.begin

    mutating func advance(_ byte: UInt8) {
        switch byte {
        // `&` and `=` are parameters of a query that a value has begun.
        case UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "&"), UInt8(ascii: "="): state = .query
        case UInt8(ascii: "/"):
            switch state {
            case .begin, .opaque: state = .slash
            case .slash: state = .authority
            case .query: break
            case .schemeOrPath, .authority, .value, .path: state = .path
            }
        case UInt8(ascii: ":") where state == .schemeOrPath: state = .opaque
        case ...0x20 where state == .begin: break
        default:
            switch state {
            case .begin: state = .schemeOrPath
            case .slash: state = .path
            case .schemeOrPath, .opaque, .authority, .value, .path, .query: break
            }
        }
    }

    /// All so far may be a name, as in `url=`.
    var mayBeName: Bool { state == .schemeOrPath }

    var place: ValuePlace {
        switch state {
        case .begin, .value: .wholeURL
        case .authority: .restOfURL
        case .schemeOrPath, .opaque, .slash, .path: .pathOfURL
        case .query: .queryOfURL
        }
    }

    mutating func advanceValue() {
        switch state {
        case .begin: state = .value
        case .slash: state = .path
        default: break
        }
    }
}
