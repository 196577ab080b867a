import NIOCore

/// What a connection does next.
enum SinkStep: Equatable {
    /// It waits for more input.
    case more
    /// It gives the delayed response after so many nanoseconds, and continues to read then.
    case hold(Int64)
    /// It sends what it has answered, and closes.
    case close
    /// It sends what it has answered, and resets the connection.
    case drop
    /// It reads without a response, until the client closes.
    case stall
    /// It sends what it has answered, and begins TLS.
    case startTLS
}

/// The server's side of one connection as a value: input in, responses out, without a socket or a clock.
protocol SinkSession {
    /// What the handlers in front of the session make of the bytes of the connection.
    associatedtype Input

    /// - Parameters:
    ///   - number: the connection's, from 1.
    ///   - isSecure: TLS was there from the first byte.
    init(shared: SinkContext, number: Int, isSecure: Bool)

    /// What is answered to a connection above the limit.
    static func refuse(_ shared: SinkContext, into out: inout ByteBuffer)

    /// Begins the dialogue.
    mutating func open(into out: inout ByteBuffer) -> SinkStep

    /// Keeps input until `process` takes it.
    mutating func receive(_ input: Input)

    /// Whether so much input is kept that no more should be read before it is taken.
    var isFull: Bool { get }

    /// Takes the input that was received as far as it can be understood; keeps the rest until more has come.
    /// - Parameters:
    ///   - now: microseconds since 1970.
    ///   - out: where responses are appended.
    mutating func process(now: Int64, into out: inout ByteBuffer) -> SinkStep

    /// Gives the response that was held back.
    mutating func release(into out: inout ByteBuffer) -> SinkStep

    /// TLS has begun: what came before it does not count (RFC 3207 sections 4.2 and 6).
    mutating func secure()

    /// Whether an error is the decoder's in front of the session: the client has broken the protocol.
    static func isOfDecoder(_ error: any Error) -> Bool

    /// Keeps an error of the decoder, in its place among the input, until `process` answers it.
    mutating func receive(error: any Error)
}

extension SinkSession {
    static func isOfDecoder(_ error: any Error) -> Bool { false }

    mutating func receive(error: any Error) {}
}

/// A response that is held back.
enum DelayedResponse {
    case accepted(UInt64)
    case fault(Fault)
}
