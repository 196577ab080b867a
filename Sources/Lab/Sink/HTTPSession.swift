import Model
import NIOCore
import NIOHTTP1

/// An HTTP/1.1 server's side of one connection (RFC 9112): keep-alive, pipelining, bodies by length and in chunks.
struct HTTPSession: SinkSession {
    let shared: SinkContext
    let number: Int
    var request = HTTPRequest()
    var recipient: [UInt8] = []
    var held: DelayedResponse?
    /// Parts of requests in their order, and behind them the error that ended the reading.
    private var pending = CircularBuffer<Result<HTTPServerRequestPart, HTTPParserError>>()
    /// Answers given.
    private var responses = 0

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

    /// Only the parts of one read may wait.
    var isFull: Bool { !pending.isEmpty }

    mutating func receive(_ input: HTTPServerRequestPart) { pending.append(.success(input)) }

    mutating func keep(_ error: HTTPParserError) { pending.append(.failure(error)) }

    mutating func process(now: Int64, into out: inout ByteBuffer) -> SinkStep {
        while let next = pending.popFirst() {
            let step: SinkStep
            switch next {
            case .success(.head(let head)): step = begin(head, now: now, into: &out)
            case .success(.body(let bytes)): step = take(bytes, now: now, into: &out)
            case .success(.end): step = finish(now: now, into: &out)
            case .failure(let error): step = breakOff(Self.fault(for: error), into: &out)
            }
            if step != .more { return step }
        }
        return .more
    }

    private mutating func take(_ bytes: ByteBuffer, now: Int64, into out: inout ByteBuffer) -> SinkStep {
        guard bytes.readableBytes <= shared.configuration.maxBodyBytes - request.body.readableBytes else {
            return tooLarge(now: now, into: &out)
        }
        request.body.writeImmutableBuffer(bytes)
        return .more
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
