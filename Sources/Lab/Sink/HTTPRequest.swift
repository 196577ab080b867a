import Model

/// What is known of the request that is being taken.
struct HTTPRequest {
    enum Length: Equatable {
        case none
        case fixed(Int)
        case chunked
    }

    /// When its first byte came, in microseconds since 1970; 0 before.
    var begun: Int64 = 0
    /// POST or PUT.
    var isMessage = false
    var channel = Channel.webhook
    var isHTTP11 = true
    var hasHost = false
    var staysOpen = true
    var awaitsContinue = false
    var isAuthorised = false
    var length = Length.none
    /// Bytes of request line and fields so far.
    var headBytes = 0
    /// The Idempotency-Key.
    private(set) var key: [UInt8] = []
    private(set) var body: [UInt8] = []
    private static let longestKey = 512

    mutating func clear() {
        begun = 0
        isMessage = false
        channel = .webhook
        isHTTP11 = true
        hasHost = false
        staysOpen = true
        awaitsContinue = false
        isAuthorised = false
        length = .none
        headBytes = 0
        key.removeAll(keepingCapacity: true)
        // One large body is no reason to hold its memory for the rest of the connection.
        body.removeAll(keepingCapacity: body.capacity <= 1 << 16)
    }

    /// Takes the key; quotes around it (the field is a structured string in its draft) are not part of it.
    mutating func take(key value: UnsafeRawBufferPointer) {
        var value = value
        if value.count >= 2, value.first == Byte.quote, value.last == Byte.quote {
            value = value.slice(1..<value.count - 1)
        }
        key.removeAll(keepingCapacity: true)
        key.append(contentsOf: value.prefix(Self.longestKey))
    }

    mutating func append(body bytes: UnsafeRawBufferPointer) { body.append(contentsOf: bytes) }
}
