/// The responses that depend on the configuration, as they go onto the wire.
struct SMTPResponses: Sendable {
    let greeting: [UInt8]
    let hello: [UInt8]
    /// The response to EHLO in clear and inside TLS.
    let extended: [UInt8]
    let extendedSecure: [UInt8]
    let offersPipelining: Bool
    let offersSize: Bool
    let offersEightBit: Bool
    let offersUTF8: Bool

    init(_ configuration: SinkConfiguration) {
        offersPipelining = !configuration.without.contains(.pipelining)
        offersSize = !configuration.without.contains(.size)
        offersEightBit = !configuration.without.contains(.eightBitMIME)
        offersUTF8 = !configuration.without.contains(.smtpUTF8)
        greeting = Array("220 \(configuration.name) ESMTP flotilla sink\r\n".utf8)
        hello = Array("250 \(configuration.name)\r\n".utf8)
        var lines = [configuration.name]
        if offersPipelining { lines.append("PIPELINING") }
        if offersSize { lines.append("SIZE \(configuration.maxMessageBytes)") }
        if offersEightBit { lines.append("8BITMIME") }
        if offersUTF8 { lines.append("SMTPUTF8") }
        if configuration.credentials != nil { lines.append("AUTH PLAIN LOGIN") }
        extendedSecure = Self.reply(lines)
        if configuration.certificate != nil { lines.append("STARTTLS") }
        extended = Self.reply(lines)
    }

    /// ENHANCEDSTATUSCODES stands last, as all our responses have them.
    private static func reply(_ lines: [String]) -> [UInt8] {
        Array((lines.map { "250-\($0)\r\n" }.joined() + "250 ENHANCEDSTATUSCODES\r\n").utf8)
    }
}
