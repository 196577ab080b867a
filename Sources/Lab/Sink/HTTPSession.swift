import Model
import NIOCore

/// An HTTP/1.1 server's side of one connection (RFC 9112): keep-alive, pipelining, bodies by length and in chunks.
struct HTTPSession: SinkSession {
    enum Phase {
        case requestLine, fields
        /// In a body of known length, with so many bytes to come.
        case body(Int)
        case chunkSize
        /// In a chunk, with so many bytes to come.
        case chunk(Int)
        /// At the line's end behind a chunk.
        case chunkEnd
        case trailers
    }

    let shared: SinkContext
    let number: Int
    var phase = Phase.requestLine
    var request = HTTPRequest()
    var recipient: [UInt8] = []
    var held: DelayedResponse?
    /// Answers given.
    private var responses = 0

    static let longestLine = 8192
    static let longestHead = 65_536

    init(shared: SinkContext, number: Int, isSecure: Bool) {
        self.shared = shared
        self.number = number
    }

    static func refuse(_ shared: SinkContext, into out: inout ByteBuffer) { write(unavailable, closing: true, into: &out) }

    mutating func secure() {}

    mutating func open(into out: inout ByteBuffer) -> SinkStep {
        switch shared.faultSelector.fault(at: .connect)?.kind {
        case .drop, .dropAfter: .drop
        case .stall: .stall
        case .response, nil: .more
        }
    }

    mutating func process(
        _ input: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer
    ) -> (taken: Int, next: SinkStep) {
        var taken = 0
        while taken < input.count {
            if request.begun == 0 { request.begun = now }
            let rest = input.slice(from: taken)
            let (count, next): (Int, SinkStep)
            switch phase {
            case .body(let left): (count, next) = processBody(rest, left: left, now: now, into: &out)
            case .chunk(let left):
                count = min(left, rest.count)
                request.append(body: rest.slice(0..<count))
                phase = count == left ? .chunkEnd : .chunk(left - count)
                next = .more
            case .requestLine, .fields, .chunkSize, .chunkEnd, .trailers:
                (count, next) = processLine(rest, now: now, into: &out)
            }
            taken += count
            if next != .more || count == 0 { return (taken, next) }
        }
        return (taken, .more)
    }

    private mutating func processLine(
        _ rest: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer
    ) -> (taken: Int, next: SinkStep) {
        let feed = rest.place(of: Byte.lf)
        guard (feed ?? rest.count) <= Self.longestLine else { return (0, breakOff(Self.headTooLarge, into: &out)) }
        guard let feed else { return (0, .more) }
        guard feed > 0, rest[feed - 1] == Byte.cr else { return (0, breakOff(Self.badRequest, into: &out)) }
        let line = rest.slice(0..<feed - 1)
        request.headBytes += feed + 1
        guard request.headBytes <= Self.longestHead else { return (0, breakOff(Self.headTooLarge, into: &out)) }
        let fault: Fault?
        switch phase {
        case .requestLine: fault = read(requestLine: line)
        case .fields where line.isEmpty: return (feed + 1, beginBody(now: now, into: &out))
        case .fields: fault = read(field: line)
        case .chunkSize: fault = read(chunkSize: line)
        case .chunkEnd:
            phase = .chunkSize
            fault = line.isEmpty ? nil : Self.badRequest
        case .trailers where line.isEmpty:
            return (feed + 1, finishBuffered(now: now, into: &out))
        case .trailers, .body, .chunk: fault = nil
        }
        guard let fault else { return (feed + 1, .more) }
        return (0, fault == Self.bodyTooLarge ? tooLarge(now: now, into: &out) : breakOff(fault, into: &out))
    }

    private mutating func beginBody(now: Int64, into out: inout ByteBuffer) -> SinkStep {
        if request.isHTTP11, !request.hasHost { return breakOff(Self.badRequest, into: &out) }
        guard request.isMessage else { return breakOff(Self.notAllowed, into: &out) }
        if case .fixed(let length) = request.length, length > shared.configuration.maxBodyBytes {
            return tooLarge(now: now, into: &out)
        }
        if request.awaitsContinue { out.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n") }
        request.headBytes = 0
        switch request.length {
        case .none, .fixed(0): return finish(UnsafeRawBufferPointer(start: nil, count: 0), now: now, into: &out)
        case .fixed(let length): phase = .body(length)
        case .chunked: phase = .chunkSize
        }
        return .more
    }

    private mutating func processBody(
        _ rest: UnsafeRawBufferPointer, left: Int, now: Int64, into out: inout ByteBuffer
    ) -> (taken: Int, next: SinkStep) {
        if rest.count >= left, request.body.isEmpty {
            return (left, finish(rest.slice(0..<left), now: now, into: &out))
        }
        let count = min(left, rest.count)
        request.append(body: rest.slice(0..<count))
        phase = .body(left - count)
        return (count, count == left ? finishBuffered(now: now, into: &out) : .more)
    }

    private mutating func read(chunkSize line: UnsafeRawBufferPointer) -> Fault? {
        // Extensions behind a semicolon mean nothing to us (RFC 9112 section 7.1.1).
        let digits = line.slice(0..<(line.place(of: UInt8(ascii: ";")) ?? line.count)).trimmed
        guard let size = digits.hexadecimal else { return Self.badRequest }
        guard size <= shared.configuration.maxBodyBytes - request.body.count else { return Self.bodyTooLarge }
        request.headBytes = 0
        phase = size == 0 ? .trailers : .chunk(size)
        return nil
    }

    private mutating func finishBuffered(now: Int64, into out: inout ByteBuffer) -> SinkStep {
        let body = request.body
        return body.withUnsafeBytes { finish($0, now: now, into: &out) }
    }

    mutating func release(into out: inout ByteBuffer) -> SinkStep {
        guard let response = held else { return .more }
        held = nil
        return give(response, into: &out)
    }

    /// Answers the request and resets the state for the next.
    mutating func give(_ response: DelayedResponse, into out: inout ByteBuffer) -> SinkStep {
        responses += 1
        let most = shared.configuration.messagesPerConnection
        let isClosing = !request.staysOpen || most > 0 && responses >= most
        // A client of HTTP/1.0 closes unless it is told that it need not (RFC 9112 section 9.3).
        let isKept = !isClosing && !request.isHTTP11
        request.clear()
        phase = .requestLine
        switch response {
        case .fault(let fault): Self.write(fault, closing: isClosing, into: &out)
        case .accepted(let id):
            out.writeStaticString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            if isClosing { out.writeStaticString("Connection: close\r\n") }
            if isKept { out.writeStaticString("Connection: keep-alive\r\n") }
            out.writeStaticString("Content-Length: 25\r\n\r\n{\"id\":\"")
            out.writeHexadecimal(id)
            out.writeStaticString("\"}")
        }
        return isClosing ? .close : .more
    }

    /// Answers an error of the protocol or of a limit, and closes, since the beginning of the next request is not known.
    mutating func breakOff(_ fault: Fault, into out: inout ByteBuffer) -> SinkStep {
        shared.counter.add { $0.errors += 1 }
        Self.write(fault, closing: true, into: &out)
        return .close
    }

    private static func write(_ fault: Fault, closing: Bool, into out: inout ByteBuffer) {
        guard closing else {
            out.writeBytes(fault.reply)
            return
        }
        let lineEnd = fault.reply.firstIndex(of: Byte.lf).map { $0 + 1 } ?? fault.reply.endIndex
        out.writeBytes(fault.reply[..<lineEnd])
        out.writeStaticString("Connection: close\r\n")
        out.writeBytes(fault.reply[lineEnd...])
    }

    static let unavailable = Fault.http(503)
    static let badRequest = Fault.http(400)
    static let notAllowed = Fault.http(405)
    static let headTooLarge = Fault.http(431)
    static let bodyTooLarge = Fault.http(413)
    static let notImplemented = Fault.http(501)
    static let notVersion = Fault.http(505)
}

extension UnsafeRawBufferPointer {
    /// Reads a whole number in hexadecimal digits alone; nil when it is none or has more than 15 digits.
    fileprivate var hexadecimal: Int? {
        guard (1...15).contains(count) else { return nil }
        var value = 0
        for byte in self {
            switch byte {
            case 0x30...0x39: value = value << 4 | Int(byte - 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | Int((byte | 0x20) - 0x57)
            default: return nil
            }
        }
        return value
    }
}
