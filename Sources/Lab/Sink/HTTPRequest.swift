import Model
import NIOCore

/// What is known of the request that is being taken.
struct HTTPRequest {
    /// When its head came, in microseconds since 1970.
    var begun: Int64 = 0
    var channel = Channel.webhook
    var isHTTP11 = true
    var staysOpen = true
    var isAuthorised = false
    /// The Idempotency-Key.
    private(set) var key: [UInt8] = []
    var body = ByteBuffer()
    private static let longestKey = 512

    mutating func clear() {
        begun = 0
        channel = .webhook
        isHTTP11 = true
        staysOpen = true
        isAuthorised = false
        key.removeAll(keepingCapacity: true)
        // One large body is no reason to hold its memory for the rest of the connection.
        if body.capacity <= 1 << 16 { body.clear() } else { body = ByteBuffer() }
    }

    /// Takes the key; quotes around it (the field is a structured string in its draft) are not part of it.
    mutating func take(key value: Substring) {
        let isQuoted = value.utf8.count >= 2 && value.utf8.first == Byte.quote && value.utf8.last == Byte.quote
        key.removeAll(keepingCapacity: true)
        key.append(contentsOf: (isQuoted ? value.utf8.dropFirst().dropLast() : value.utf8).prefix(Self.longestKey))
    }
}
