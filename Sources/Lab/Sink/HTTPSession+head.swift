import Model

extension HTTPSession {
    /// Reads method, path and version (RFC 9112 section 3); gives the response when they are refused.
    mutating func read(requestLine line: UnsafeRawBufferPointer) -> Fault? {
        // An empty line before a request is to be ignored (section 2.2).
        if line.isEmpty { return nil }
        guard let first = line.place(of: Byte.space), let second = line.place(of: Byte.space, from: first + 1),
            first > 0, second > first + 1
        else { return Self.badRequest }
        for byte in line where byte < 0x20 || byte == 0x7f { return Self.badRequest }
        let version = line.slice(from: second + 1)
        guard version.starts(with: "HTTP/") else { return Self.badRequest }
        request.isHTTP11 = version.count == 8 && version.starts(with: "HTTP/1.1")
        guard request.isHTTP11 || version.count == 8 && version.starts(with: "HTTP/1.0") else { return Self.notVersion }
        request.staysOpen = request.isHTTP11
        request.isAuthorised = shared.httpResponses.authorizations.isEmpty
        let method = line.slice(0..<first)
        request.isMessage = method.elementsEqual("POST".utf8) || method.elementsEqual("PUT".utf8)
        let path = line.slice(first + 1..<second)
        if Self.path(path, isBelow: "/sms") {
            request.channel = .sms
        } else if Self.path(path, isBelow: "/messenger") {
            request.channel = .messenger
        }
        phase = .fields
        return nil
    }

    private static func path(_ path: UnsafeRawBufferPointer, isBelow place: StaticString) -> Bool {
        let count = place.utf8CodeUnitCount
        guard path.starts(with: UnsafeRawBufferPointer(start: place.utf8Start, count: count)) else { return false }
        return path.count == count || path[count] == UInt8(ascii: "/") || path[count] == UInt8(ascii: "?")
    }

    /// Reads one field (RFC 9112 section 5); gives the response when it is refused.
    mutating func read(field line: UnsafeRawBufferPointer) -> Fault? {
        guard let colon = line.place(of: Byte.colon), colon > 0 else { return Self.badRequest }
        let name = line.slice(0..<colon)
        for byte in name where byte <= Byte.space || byte >= 0x7f { return Self.badRequest }
        let value = line.slice(from: colon + 1).trimmed
        for byte in value where byte < 0x20 && byte != Byte.tab || byte == 0x7f { return Self.badRequest }
        switch name[0] | 0x20 {
        case UInt8(ascii: "c"):
            if name.equalsIgnoringCase("content-length") { return read(contentLength: value) }
            if name.equalsIgnoringCase("connection") {
                if value.equalsIgnoringCase("close") { request.staysOpen = false }
                if value.equalsIgnoringCase("keep-alive") { request.staysOpen = true }
            }
        case UInt8(ascii: "t") where name.equalsIgnoringCase("transfer-encoding"):
            // Both lengths at once, or an unknown coding, allow request smuggling (RFC 9112 section 6.1).
            guard value.equalsIgnoringCase("chunked") else { return Self.notImplemented }
            guard request.length == .none, request.isHTTP11 else { return Self.badRequest }
            request.length = .chunked
        case UInt8(ascii: "h") where name.equalsIgnoringCase("host"):
            guard !request.hasHost else { return Self.badRequest }
            request.hasHost = true
        case UInt8(ascii: "e") where name.equalsIgnoringCase("expect"):
            request.awaitsContinue = value.equalsIgnoringCase("100-continue")
        case UInt8(ascii: "i") where name.equalsIgnoringCase("idempotency-key"):
            request.take(key: value)
        case UInt8(ascii: "a") where name.equalsIgnoringCase("authorization"):
            request.isAuthorised =
                request.isAuthorised || shared.httpResponses.authorizations.contains { value.elementsEqual($0) }
        default: break
        }
        return nil
    }

    private mutating func read(contentLength value: UnsafeRawBufferPointer) -> Fault? {
        guard let length = value.decimal, request.length == .none || request.length == .fixed(length) else {
            return Self.badRequest
        }
        request.length = .fixed(length)
        return nil
    }
}
